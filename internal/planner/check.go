package planner

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/target"
)

// check holds a plan against the catalog, and returns it with the options in
// their normalised form and the secret ones apart from them.
func (p *Planner) check(ctx context.Context, plan experiment.Plan) (experiment.Plan, error) {
	var problems experiment.Problems
	place, ok := p.Places[plan.Target]
	if !ok {
		problems.Add("target", "unknown target %q; known targets: %s", plan.Target, strings.Join(p.Places.Names(), ", "))
	} else if whole := place.Check(ctx, target.Demand{})[0]; whole.Level == target.Refuse {
		problems.Add("target", "%s cannot be used: %s", place.Name, whole.Detail)
	} else if p.LocalBucket && !place.Facts.SharedFiles {
		problems.Add("target", "the nodes of %s cannot reach the bucket, which is a folder: use one on S3, such as --bucket s3://name/prefix",
			place.Name)
	}
	plan.Variants = slices.Clone(plan.Variants)
	for i := range plan.Variants {
		var faults experiment.Problems
		p.checkVariant(&plan.Variants[i], plan, &faults)
		problems.AddUnder(fmt.Sprintf("variants[%d]", i), &faults)
	}
	if err := problems.Err(); err != nil {
		return plan, err
	}
	return plan.WithEmulators(func(v experiment.Variant) string {
		_, stack := p.stackOf(v)
		return stack.Emulator
	}), nil
}

func (p *Planner) checkVariant(v *experiment.Variant, plan experiment.Plan, faults *experiment.Problems) {
	tech, ok := find(p.catalog, v.Technology, catalogEntry.name)
	if !ok {
		faults.Add("technology", "unknown technology %q; known technologies: %s", v.Technology, names(p.catalog, catalogEntry.name))
		return
	}
	stack, ok := find(tech.stacks, v.Stack, stackName)
	if !ok {
		faults.Add("stack", "unknown stack %[2]q; stacks of %[1]s: %[3]s", tech.Name, v.Stack, names(tech.stacks, stackName))
		return
	}
	if !stack.RunsOn(plan.Target) {
		faults.Add("stack", "%s/%s does not run on target %q, only on %s", tech.Name, stack.Name, plan.Target, strings.Join(stack.Targets, ", "))
	}
	if why := p.why(stack, plan.Target); why != "" {
		faults.Add("stack", "%s/%s cannot be used here: %s; fix: %s", tech.Name, stack.Name, why, p.Setup)
	}
	if v.Emulator != "" && stack.Emulator == "" {
		faults.Add("emulator", "%s/%s is not an emulator: remove this field", tech.Name, stack.Name)
	}
	options, err := stack.Check(v.Options)
	addUnder(faults, "options", err)
	if err == nil {
		v.Options, v.Secrets = stack.Split(options)
	}
	addUnder(faults, "", tech.CheckConfig(v.ClientConfig, plan.Workload))
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
