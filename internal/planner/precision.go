package planner

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"reflect"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/comparison"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/format"
	"dec.local/dec/internal/stats"
)

// How many earlier experiments are looked through for runs like those of a plan, and
// how many runs are enough.
const (
	pastExperiments = 50
	enoughRuns      = 40
)

// precision tells how large a difference the planned runs can show, and how many it
// would take to show one that matters, at the spread of earlier runs of the same
// workload and variants.
func (p *Planner) precision(ctx context.Context, plan experiment.Plan) (api.Precision, error) {
	samples, err := p.earlier(ctx, plan)
	if err != nil {
		return api.Precision{}, err
	}
	found := api.Precision{}
	for _, s := range samples {
		found.Runs += len(s.Values)
	}
	spread := stats.Deviation(samples...)
	if spread == 0 {
		found.Text = "How large a difference the planned runs can show is not known: there are no earlier runs of this workload " +
			"with these variants. 'dec calibrate' makes some."
		return found, nil
	}
	variants := len(plan.Variants)
	level := stats.Alpha / float64(max(1, variants*(variants-1)/2))
	found.Spread, found.Detectable = &spread, new(stats.Detectable(spread, plan.Repeat, level))
	found.Text = fmt.Sprintf("At the spread of %s, %s of each variant show a difference in %s of about %s %% in four of five experiments.",
		format.Counted(found.Runs, "earlier run"), format.Counted(plan.Repeat, "run"),
		cmp.Or(plan.Compare, experiment.DefaultMetric).Title(), format.Significant(100**found.Detectable))
	if matters := plan.Matters.Share(); matters > 0 {
		found.RunsNeeded = stats.Needed(spread, matters, level, variants)
		found.Text += fmt.Sprintf(" A difference of %s %% takes %s.", format.Short(100*matters), stats.About(found.RunsNeeded))
	}
	return found, nil
}

// earlier returns the primary metric of earlier runs, by experiment and variant.
func (p *Planner) earlier(ctx context.Context, plan experiment.Plan) (samples []stats.Sample, err error) {
	if p.Past == nil {
		return nil, nil
	}
	list, _, err := p.Past.ListExperiments(ctx, experiment.ExperimentQuery{
		Technology: plan.Variants[0].Technology, Target: plan.Target, Limit: pastExperiments,
	})
	if err != nil {
		return nil, err
	}
	n := 0
	for _, e := range list {
		if n >= enoughRuns {
			break
		}
		if !sameQuestion(plan, e.Plan) {
			continue
		}
		set, err := comparison.ReadSet(ctx, p.Past, e.Experiment)
		if err != nil {
			return nil, err
		}
		for _, v := range set.Variants {
			if !hasVariant(plan, v.Variant) {
				continue
			}
			sample := v.Sample(set.Metric())
			n += len(sample.Values)
			samples = append(samples, sample)
		}
	}
	return samples, nil
}

// sameQuestion reports whether the runs of two plans measure the same under the same
// load, whatever the variants.
func sameQuestion(a, b experiment.Plan) bool {
	a.Workload.Seed, b.Workload.Seed = 0, 0
	return cmp.Or(a.Compare, experiment.DefaultMetric) == cmp.Or(b.Compare, experiment.DefaultMetric) && same(a.Workload, b.Workload)
}

// hasVariant reports whether a plan has the variant, whatever its label.
func hasVariant(plan experiment.Plan, v experiment.Variant) bool {
	for _, of := range plan.Variants {
		of.Label, of.Emulator, of.Secrets = v.Label, v.Emulator, v.Secrets
		if same(of, v) {
			return true
		}
	}
	return false
}

// same compares by what is written: a setting may have been read from YAML or JSON.
func same(a, b any) bool {
	one, err1 := json.Marshal(a)
	other, err2 := json.Marshal(b)
	return err1 == nil && err2 == nil && reflect.DeepEqual(one, other)
}
