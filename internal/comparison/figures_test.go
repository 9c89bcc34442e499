package comparison_test

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"dec.local/dec/internal/comparison"
	"dec.local/dec/internal/comparison/comparisontest"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
)

// TestEveryMetricIsANumberOfAResult wants a value of each metric in a result that has
// everything, and the right one of each latency.
func TestEveryMetricIsANumberOfAResult(t *testing.T) {
	e2e, publish := measure.NewHistogram(), measure.NewHistogram()
	const samples = 200_000 // enough for the highest quantile
	for i := range int64(samples) {
		e2e.Record(1000 * (i + 1))
		publish.Record(2000 * (i + 1))
	}
	r := measure.Result{E2E: e2e.Summary(), Publish: publish.Summary(), Throughput: 1, CPU: measure.CPU{PerMillion: new(2.0)}}
	for _, m := range experiment.Metrics() {
		got, ok := comparison.Value(m, r)
		if !ok || got <= 0 {
			t.Errorf("Value(%s) = %g, %t, want a number; if the metric is new, Value or the result of this test lacks it", m, got, ok)
		}
		if of, name := m.Quantile(); of != "" {
			quantile, err := strconv.ParseFloat("0."+strings.TrimPrefix(name, "p"), 64)
			want := quantile * samples * map[experiment.Distribution]float64{experiment.E2E: 1000, experiment.Publish: 2000}[of]
			if err != nil || math.Abs(got/want-1) > 0.001 {
				t.Errorf("Value(%s) = %g, want %g (%v)", m, got, want, err)
			}
		}
	}
	if _, ok := comparison.Value("e3e_p99", r); ok {
		t.Error("Value() of what is no metric is a number")
	}
	if _, ok := comparison.Value(experiment.DefaultMetric, measure.Result{}); ok {
		t.Error("Value() of a result without messages is a number")
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
