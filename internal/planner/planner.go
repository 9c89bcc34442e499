// Package planner is the one way from a plan as it is given to a plan that may be
// run: [Planner.Propose] parses it, holds it against the catalog, asks its target
// whether it can take it now, and estimates how long it takes. POST, its dry run and
// the dec command use it alike, so that they accept and refuse the same plans in the
// same words.
package planner

import (
	"context"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/format"
	"dec.local/dec/internal/planspec"
	"dec.local/dec/internal/tofu"
	"dec.local/dec/target"
	"dec.local/dec/technology"
)

// Options configures a [Planner]. Technologies, Stacks and Places are required.
type Options struct {
	Technologies []technology.Technology
	Stacks       fs.FS // <technology>/stacks/<stack>/*
	Places       target.Places
	Slots        map[string]int // runs at once by target, where not as the target says
	Past         Past           // nil: nothing is known of earlier runs
	Tools        string         // folder of installed tools, for messages
	Setup        string         // how to install what is missing, for messages
	LocalBucket  bool           // the bucket is a folder, which only nodes of targets with shared files reach
}

// Planner knows what plans can be run here.
type Planner struct {
	Options
	catalog []catalogEntry
}

// New reads every stack of the technologies: they do not change while the program
// runs.
func New(o Options) (*Planner, error) {
	p := &Planner{Options: o}
	for _, tech := range o.Technologies {
		dirs, err := fs.ReadDir(o.Stacks, tech.Name+"/stacks")
		if err != nil {
			return nil, fmt.Errorf("stacks of %s: %w", tech.Name, err)
		}
		entry := catalogEntry{Technology: tech}
		for _, dir := range dirs {
			stack, err := tofu.ReadStack(o.Stacks, tech.Name, dir.Name())
			if err != nil {
				return nil, err
			}
			entry.stacks = append(entry.stacks, stack)
		}
		p.catalog = append(p.catalog, entry)
	}
	return p, nil
}

// Propose reads a plan, YAML or JSON, decides whether it may be run here now, and
// tells what it would do. The plan in the answer is normalised, its secret options
// apart from the others. The error is an *[experiment.Problems] when the plan must be
// changed, and an *[experiment.Refusal] when its target can't take it now.
func (p *Planner) Propose(ctx context.Context, text []byte) (api.DryRun, error) {
	plan, err := planspec.Decode(text)
	if err != nil {
		return api.DryRun{}, err
	}
	if plan, err = p.check(ctx, plan); err != nil {
		return api.DryRun{}, err
	}
	warnings, err := p.admit(ctx, plan)
	if err != nil {
		return api.DryRun{}, err
	}
	estimate, basis, err := p.Estimate(ctx, plan)
	if err != nil {
		return api.DryRun{}, err
	}
	precision := p.precision(ctx, plan)
	asYAML, err := planspec.YAML(plan)
	if err != nil {
		return api.DryRun{}, err
	}
	return api.DryRun{
		Plan: plan, YAML: asYAML, Digest: plan.Digest(), Order: experiment.Order(plan),
		EstimateS: estimate.Seconds(), EstimateOf: basis, Precision: precision, Warnings: slices.Concat([]string{}, plan.Warnings(), warnings),
	}, nil
}

// admit asks the plan's target whether it can take it now.
func (p *Planner) admit(ctx context.Context, plan experiment.Plan) (warnings []string, err error) {
	place, err := p.Places.Find(plan.Target)
	if err != nil {
		return nil, err
	}
	warnings = p.emulatorWarnings(plan)
	var refusal experiment.Refusal
	for _, found := range place.Check(ctx, p.demand(plan)) {
		switch {
		case found.Level == target.Refuse && found.Fix != "":
			refusal.Reasons = append(refusal.Reasons, found.Detail+": "+found.Fix)
		case found.Level == target.Refuse:
			refusal.Reasons = append(refusal.Reasons, found.Detail)
		case found.Level == target.Advice:
			warnings = append(warnings, format.UpperFirst(strings.TrimSuffix(found.Detail, "."))+".")
		}
	}
	if len(refusal.Reasons) > 0 {
		return nil, &refusal
	}
	return warnings, nil
}

// demand is what the most demanding run of a plan needs.
func (p *Planner) demand(plan experiment.Plan) target.Demand {
	d := target.Demand{DiskBytes: p.footprint(plan)}
	rate := plan.Workload.Load.HighestRate()
	groups := float64(max(1, plan.Workload.Topology.ConsumerGroups))
	for _, v := range plan.Variants {
		entry, _ := p.stackOf(v)
		d.AgentCPUs = max(d.AgentCPUs, rate*(entry.Cost.Send.Seconds()+groups*entry.Cost.Receive.Seconds()))
	}
	return d
}

// footprint is what one run writes at most, in bytes: all that is sent, as often
// as it is stored, up to the retention.
func (p *Planner) footprint(plan experiment.Plan) int64 {
	w := plan.Workload
	copies := max(1, w.Topology.Replicas)
	for _, v := range plan.Variants {
		if _, stack := p.stackOf(v); stack != nil {
			copies = max(copies, stack.Copies(v.Options))
		}
	}
	return int64(min(w.MostBytes(), w.Retention)) * int64(copies)
}
