package planner

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"

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
// It is advice: what of the past cannot be read is left out, and refuses no plan.
func (p *Planner) precision(ctx context.Context, plan experiment.Plan) api.Precision {
	variants := len(plan.Variants)
	if least := experiment.Decisive(variants); variants < 2 || plan.Repeat < least {
		return api.Precision{Text: fmt.Sprintf("The planned runs can show no difference: a verdict takes two variants and %d runs of each.",
			experiment.Decisive(max(2, variants)))}
	}
	samples := p.earlier(ctx, plan)
	found := api.Precision{}
	for _, s := range samples {
		found.Runs += len(s.Values)
	}
	spread := stats.Deviation(samples...)
	if freedom(samples) < enoughFreedom || spread == 0 || math.IsNaN(spread) {
		found.Text = "How large a difference the planned runs can show is not known: there are too few earlier runs of this workload " +
			"with these variants, or they do not differ. 'dec calibrate' makes some."
		return found
	}
	level := stats.Alpha / float64(max(1, variants*(variants-1)/2))
	found.Spread, found.Detectable = &spread, new(stats.Detectable(spread, plan.Repeat, level))
	found.Text = fmt.Sprintf("At the spread of %s, %s of each variant show a difference in %s of about %s %% in four of five experiments.",
		format.Counted(found.Runs, "earlier run"), format.Counted(plan.Repeat, "run"),
		cmp.Or(plan.Compare, experiment.DefaultMetric).Title(), format.Significant(100**found.Detectable))
	if matters := plan.Matters.Share(); matters > 0 {
		found.RunsNeeded = stats.Needed(spread, matters, level, variants)
		found.Text += fmt.Sprintf(" A difference of %s %% takes %s.", format.Short(100*matters), stats.About(found.RunsNeeded))
	}
	return found
}

// enoughFreedom is how many runs beyond the first of each variant tell of the spread.
const enoughFreedom = 4

func freedom(samples []stats.Sample) (n int) {
	for _, s := range samples {
		n += max(0, len(s.Values)-1)
	}
	return n
}

// earlier returns the primary metric of earlier runs, by experiment and variant.
func (p *Planner) earlier(ctx context.Context, plan experiment.Plan) (samples []stats.Sample) {
	if p.Past == nil {
		return nil
	}
	list, _, err := p.Past.ListExperiments(ctx, experiment.ExperimentQuery{
		Technology: plan.Variants[0].Technology, Target: plan.Target, Limit: pastExperiments,
	})
	if err != nil {
		return nil
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
		if err != nil { // one that was removed meanwhile, or is damaged
			continue
		}
		for _, v := range set.Variants {
			if !hasVariant(plan, v.Variant) {
				continue
			}
			sample := v.Sample(set.Metric())
			sample.Values = slices.DeleteFunc(sample.Values, func(x float64) bool { return x <= 0 })
			n += len(sample.Values)
			samples = append(samples, sample)
		}
	}
	return samples
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
		of.Label, of.Secrets = v.Label, v.Secrets
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
	return err1 == nil && err2 == nil && bytes.Equal(one, other)
}
