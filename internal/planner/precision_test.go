package planner_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"dec.local/dec/internal/comparison/comparisontest"
	"dec.local/dec/internal/experiment"
)

// earlier has one experiment of a plan.
type earlier struct {
	past
	plan experiment.Plan
	runs []experiment.Run
}

func (e earlier) ListExperiments(_ context.Context, q experiment.ExperimentQuery) ([]experiment.Summary, string, error) {
	if q.Target != e.plan.Target {
		return nil, "", nil
	}
	return []experiment.Summary{{Experiment: experiment.Experiment{ID: "e1", Plan: e.plan}}}, "", nil
}

func (e earlier) Runs(context.Context, string) ([]experiment.Run, error) { return e.runs, nil }

func (e earlier) Run(_ context.Context, id string) (experiment.Run, error) {
	for _, r := range e.runs {
		if r.ID == id {
			return r, nil
		}
	}
	return experiment.Run{}, experiment.ErrNotFound
}

// TestPrecisionRestsOnEarlierRuns has ten earlier runs, whose p99 differ by 20 % of each
// other within a variant.
func TestPrecisionRestsOnEarlierRuns(t *testing.T) {
	plan := func(more string) []byte {
		return []byte(`{workload: {load: {rate: 100}, stages: {warmup: 4s, measure: 5s}}, ` + more +
			`variants: [{label: kafka, technology: kafka, stack: kraft}, {label: nats, technology: nats, stack: jetstream}]}`)
	}
	proposed, err := newPlanner(t, nil).Propose(t.Context(), plan(""))
	if err != nil {
		t.Fatal(err)
	}
	admitted := proposed.Plan
	var runs []experiment.Run
	for i := range 5 {
		for k, label := range []string{"kafka", "nats"} {
			shape := comparisontest.Shape{Median: time.Duration((k+1)*(80+10*i)) * time.Microsecond, Spread: 0.1, Samples: 3000, Rate: 100}
			runs = append(runs, comparisontest.Finished(t, 2*i+k, label, shape.Result(t, uint64(7000+10*(2*i+k)), `{}`)))
		}
	}
	first := admitted
	first.Variants = first.Variants[:1]
	other := admitted
	other.Workload.Load.Rate = 200
	tests := map[string]struct {
		past   earlier
		more   string
		runs   int
		text   string
		needed bool
	}{
		"the same plan":              {earlier{plan: admitted, runs: runs}, "", 10, "At the spread of 10 earlier runs, 5 runs of each variant show a difference in end-to-end p99 of about ", false},
		"what matters":               {earlier{plan: admitted, runs: runs}, "matters: 5%, ", 10, " A difference of 5 % takes more than 50.", true},
		"another number of runs":     {earlier{plan: admitted, runs: runs}, "repeat: 20, ", 10, "20 runs of each variant show", false},
		"another workload":           {earlier{plan: other, runs: runs}, "", 0, "there are too few earlier runs of this workload", false},
		"another metric":             {earlier{plan: admitted, runs: runs}, "compare: publish_p50, ", 0, "there are too few earlier runs of this workload", false},
		"too few runs for a verdict": {earlier{plan: admitted, runs: runs}, "repeat: 3, ", 0, "can show no difference: a verdict takes two variants and 5 runs of each", false},
		"runs that cannot be read":   {earlier{plan: admitted, runs: damaged(runs)}, "", 0, "there are too few earlier runs", false},
		"one of the variants":        {earlier{plan: first, runs: onlyOf("kafka", runs)}, "", 5, "At the spread of 5 earlier runs", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := newPlanner(t, tt.past).Propose(t.Context(), plan(tt.more))
			if err != nil {
				t.Fatal(err)
			}
			p := got.Precision
			if p.Runs != tt.runs || !strings.Contains(p.Text, tt.text) || p.RunsNeeded > 0 != tt.needed {
				t.Errorf("Precision = %+v, want %d runs and %q", p, tt.runs, tt.text)
			}
			// The logarithms of 80 to 120 have a standard deviation of 0.16.
			if p.Spread != nil != (tt.runs > 0) {
				t.Fatalf("Precision = %+v, want a spread: %t", p, tt.runs > 0)
			}
			if tt.runs > 0 && (*p.Spread < 0.14 || *p.Spread > 0.18 || *p.Detectable <= 0.05) {
				t.Errorf("spread %v and detectable difference %v, want 0.16 and more than 5 %%", *p.Spread, *p.Detectable)
			}
		})
	}
}

func onlyOf(variant string, runs []experiment.Run) (of []experiment.Run) {
	for _, r := range runs {
		if r.Variant == variant {
			of = append(of, r)
		}
	}
	return of
}

// damaged has the first result cut off.
func damaged(runs []experiment.Run) []experiment.Run {
	runs = slices.Clone(runs)
	runs[0].Result = runs[0].Result[:10]
	return runs
}
