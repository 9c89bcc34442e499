package server

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/cli/planfile"
	"dec.local/dec/internal/experiment"
)

// Planner knows what plans can be run here. It implements the planner of
// package httpapi; the zero Past is for commands without a database.
type Planner struct {
	Folders *Folders
	Slots   map[string]int // runs at once, by target
	Past    Past           // nil: nothing is known of earlier runs
}

// Catalog returns what can be compared here.
func (p *Planner) Catalog(context.Context) (api.Catalog, error) { return p.Folders.Catalog(p.Slots) }

// ParsePlan reads a plan from YAML or JSON.
func (p *Planner) ParsePlan(data []byte) (experiment.Plan, error) {
	document, err := planfile.JSON(data)
	if err != nil {
		return experiment.Plan{}, err
	}
	return experiment.DecodePlan(document)
}

// Check holds a plan against the catalog, and returns it with the options in
// their normalised form and the secret ones apart from them.
func (p *Planner) Check(_ context.Context, plan experiment.Plan) (experiment.Plan, error) {
	list, err := offers()
	if err != nil {
		return plan, err
	}
	places := targets(p.Slots)
	var problems experiment.Problems
	if place, ok := find(places, plan.Target, targetName); !ok {
		problems.Add("target", "no target %q; there is %s", plan.Target, names(places, targetName))
	} else if !place.Available {
		problems.Add("target", "%s cannot be used: %s", place.Name, place.Why)
	}
	plan.Variants = slices.Clone(plan.Variants)
	for i := range plan.Variants {
		var faults experiment.Problems
		p.checkVariant(list, &plan.Variants[i], plan, &faults)
		problems.AddUnder(fmt.Sprintf("variants[%d]", i), &faults)
	}
	if err := problems.Err(); err != nil {
		return plan, err
	}
	return labelEmulators(list, plan)
}

func (p *Planner) checkVariant(list []offer, v *experiment.Variant, plan experiment.Plan, faults *experiment.Problems) {
	tech, ok := find(list, v.Technology, offer.name)
	if !ok {
		faults.Add("technology", "no technology %q; there are %s", v.Technology, names(list, offer.name))
		return
	}
	stack, ok := find(tech.stacks, v.Stack, stackName)
	if !ok {
		faults.Add("stack", "%s has no stack %q; it has %s", tech.Name, v.Stack, names(tech.stacks, stackName))
		return
	}
	if !stack.RunsOn(plan.Target) {
		faults.Add("stack", "%s/%s does not run on target %q, but on %s", tech.Name, stack.Name, plan.Target, strings.Join(stack.Targets, ", "))
	}
	if why := p.Folders.why(stack); why != "" {
		faults.Add("stack", "%s/%s cannot be used here: %s; mend it: %s", tech.Name, stack.Name, why, SetupFix)
	}
	options, err := stack.Check(withSecrets(*v))
	addUnder(faults, "options", err)
	if err == nil {
		v.Options, v.Secrets = stack.Split(options)
	}
	addUnder(faults, "", tech.CheckConfig(v.ClientConfig, plan.Workload))
}

// withSecrets are all options of a variant, whether or not it was checked
// before.
func withSecrets(v experiment.Variant) map[string]json.RawMessage {
	options := maps.Clone(v.Options)
	if options == nil {
		options = map[string]json.RawMessage{}
	}
	maps.Copy(options, v.Secrets)
	return options
}

// addUnder adds an error, whatever its kind, under a path.
func addUnder(faults *experiment.Problems, path string, err error) {
	if err == nil {
		return
	}
	if problems, ok := err.(*experiment.Problems); ok {
		faults.AddUnder(path, problems)
		return
	}
	faults.Add(path, "%v", err)
}
