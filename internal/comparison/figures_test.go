package comparison_test

import (
	"slices"
	"strings"
	"testing"

	"dec.local/dec/internal/comparison"
	"dec.local/dec/internal/comparison/comparisontest"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
)

func TestEveryMetricIsANumberOfAResult(t *testing.T) {
	of := map[string]*int64{}
	latency := func(name string) measure.Latency {
		quantile := func(q string, value int64) *int64 {
			of[name+"_"+q] = &value
			return &value
		}
		n := int64(len(name)) * 1000
		return measure.Latency{
			P50NS: quantile("p50", n+50), P90NS: quantile("p90", n+90), P95NS: quantile("p95", n+95),
			P99NS: quantile("p99", n+99), P999NS: quantile("p999", n+999), P9999NS: quantile("p9999", n+9999),
		}
	}
	r := measure.Result{E2E: latency("e2e"), Publish: latency("publish"), Throughput: 1, CPU: measure.CPU{PerMillion: new(2.0)}}
	for _, m := range experiment.Metrics() {
		want, ok := map[experiment.Metric]float64{experiment.Throughput: 1, experiment.CPUPerMillion: 2}[m]
		if !ok {
			want = float64(*of[string(m)])
		}
		if got, ok := comparison.Value(m, r); !ok || got != want {
			t.Errorf("Value(%s) = %g, %t, want %g", m, got, ok, want)
		}
		if _, ok := comparison.Value(m, measure.Result{}); ok && m != experiment.Throughput {
			t.Errorf("Value(%s) of an empty result is a number", m)
		}
	}
	if _, ok := comparison.Value("e3e_p99", r); ok {
		t.Error("Value() of what is no metric is a number")
	}
}

func TestThePrimaryMetricIsAFigure(t *testing.T) {
	for _, m := range experiment.Metrics() {
		set := comparisontest.Synthetic(t)
		set.Experiment.Plan.Compare = m
		figures := comparisontest.Compare(t, set).Figures
		named := func(f comparison.Figure) bool { return f.Name == string(m) }
		i := slices.IndexFunc(figures, named)
		if i < 0 || slices.ContainsFunc(figures[i+1:], named) || figures[i].Title != m.Heading() || figures[i].Unit != m.Unit() {
			t.Errorf("figures of a comparison by %s do not have it once, with its title and unit: %+v", m, figures)
		}
	}
}

func TestWhyAMetricHasNoValue(t *testing.T) {
	for m, want := range map[experiment.Metric]string{
		"e2e_p9999":              "no run of kafka has enough messages to determine its end-to-end p99.99.",
		experiment.CPUPerMillion: "broker CPU per million messages was not measured in the runs of kafka.",
	} {
		set := comparisontest.Synthetic(t)
		set.Experiment.Plan.Compare = m
		for _, run := range set.Runs {
			if run.Result != nil {
				run.Result.CPU = measure.CPU{}
			}
		}
		if got := comparisontest.Compare(t, set).Stats.Sentence; !strings.Contains(got, want) {
			t.Errorf("a comparison by %s says %q, want %q", m, got, want)
		}
	}
}
