package comparison

import (
	"slices"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
	"dec.local/dec/internal/stats"
)

// Figure is a line of the table that compares the variants.
type Figure struct {
	Name   string          `json:"name" doc:"Name of a metric, count or incident."`
	Title  string          `json:"title"`
	Unit   experiment.Unit `json:"unit" enum:"ns,per_s,s_per_million,count,bytes"`
	Sum    bool            `json:"sum" doc:"Values are sums over the counted runs; otherwise medians."`
	Values []FigureValue   `json:"values" doc:"Values in the order of the variants."`
}

// FigureValue is a figure of one variant, over the runs that count.
type FigureValue struct {
	Value *float64 `json:"value" doc:"Null if unknown."`
	Low   *float64 `json:"low,omitempty" doc:"Minimum over the runs; absent for a sum."`
	High  *float64 `json:"high,omitempty" doc:"Maximum over the runs; absent for a sum."`
	Runs  int      `json:"runs" doc:"Number of runs in the value."`
}

// Value returns the number of a result that a metric names, in its unit. It is
// false when the result does not have it, such as a percentile with too few
// samples beyond it.
func Value(m experiment.Metric, r measure.Result) (float64, bool) {
	switch m {
	case experiment.Throughput:
		return r.Throughput, true
	case experiment.CPUPerMillion:
		return deref(r.CPU.PerMillion)
	}
	switch of, quantile := m.Quantile(); of {
	case experiment.E2E:
		return deref(r.E2E.Quantile(quantile))
	case experiment.Publish:
		return deref(r.Publish.Quantile(quantile))
	}
	return 0, false
}

// Values returns all metrics of a result, in their units; nil for those that it does
// not have.
func Values(r measure.Result) map[experiment.Metric]*float64 {
	all := map[experiment.Metric]*float64{}
	for _, m := range experiment.Metrics() {
		all[m] = nil
		if value, ok := Value(m, r); ok {
			all[m] = &value
		}
	}
	return all
}

func deref[T int64 | float64](p *T) (float64, bool) {
	if p == nil {
		return 0, false
	}
	return float64(*p), true
}

// figure is a [Figure] before it has values.
type figure struct {
	Figure
	of func(measure.Result) (float64, bool)
}

func metricFigure(m experiment.Metric) figure {
	return figure{Figure{Name: string(m), Title: m.Heading(), Unit: m.Unit()}, func(r measure.Result) (float64, bool) { return Value(m, r) }}
}

func sumFigure(name, title string, of func(measure.Result) int64) figure {
	value := func(r measure.Result) (float64, bool) { return float64(of(r)), true }
	return figure{Figure{Name: name, Title: title, Unit: experiment.UnitCount, Sum: true}, value}
}

// headline are the metrics of every comparison.
var headline = []experiment.Metric{"e2e_p50", "e2e_p99", "e2e_p999", "publish_p99", experiment.Throughput}

// details are the figures that follow the metrics.
var details = []figure{
	sumFigure("acked", "Acknowledged", func(r measure.Result) int64 { return r.Counts.Acked }),
	sumFigure("lost", "Lost", func(r measure.Result) int64 { return r.Counts.Lost }),
	sumFigure("duplicates", "Duplicates", func(r measure.Result) int64 { return r.Counts.Duplicates }),
	sumFigure("reordered", "Reordered", func(r measure.Result) int64 { return r.Counts.Reordered }),
	sumFigure("corrupt", "Corrupt", func(r measure.Result) int64 { return r.Counts.Corrupt }),
	sumFigure("unsent", "Offered but not sent", func(r measure.Result) int64 { return r.Counts.Unsent }),
	metricFigure(experiment.CPUPerMillion),
	{
		Figure{Name: "broker_rss", Title: "Broker memory, peak", Unit: experiment.UnitBytes},
		func(r measure.Result) (float64, bool) { return deref(r.CPU.BrokerRSS) },
	},
}

// shown are the figures of these variants: the primary metric is always among them,
// incidents only when the clients of some variant had them.
func (s *Set) shown() []figure {
	var all []figure
	for _, m := range headline {
		all = append(all, metricFigure(m))
	}
	all = append(all, details...)
	primary := metricFigure(s.Metric())
	if !slices.ContainsFunc(all, func(f figure) bool { return f.Name == primary.Name }) {
		all = slices.Insert(all, 0, primary)
	}
	for _, i := range experiment.Incidents() {
		if s.Occurred(i) {
			all = append(all, sumFigure(string(i), i.Title(), func(r measure.Result) int64 { return r.Incidents[i] }))
		}
	}
	return all
}

// figures are what every variant is shown with.
func (s *Set) figures() []Figure {
	shown := s.shown()
	figures := make([]Figure, len(shown))
	for n, f := range shown {
		figures[n] = f.Figure
		for _, v := range s.Variants {
			figures[n].Values = append(figures[n].Values, f.over(v))
		}
	}
	return figures
}

// over summarises the figure over the counted runs of a variant.
func (f figure) over(v *Variant) FigureValue {
	var values []float64
	sum := 0.0
	for _, r := range v.Counted() {
		if value, ok := f.of(*r.Result); ok {
			values = append(values, value)
			sum += value
		}
	}
	switch {
	case len(values) == 0:
		return FigureValue{}
	case f.Sum:
		return FigureValue{Value: &sum, Runs: len(values)}
	}
	slices.Sort(values)
	return FigureValue{Value: new(stats.Median(values)), Low: &values[0], High: &values[len(values)-1], Runs: len(values)}
}

// Occurred reports whether the clients of any run that counts had incidents of that kind.
func (s *Set) Occurred(i experiment.Incident) bool {
	return slices.ContainsFunc(s.Variants, func(v *Variant) bool { return v.total(i) > 0 })
}

// total is how many incidents of that kind a variant's clients had in the runs that
// count.
func (v *Variant) total(i experiment.Incident) int64 {
	return v.sum(func(r measure.Result) int64 { return r.Incidents[i] })
}

// sum adds a number up over the runs that count.
func (v *Variant) sum(of func(measure.Result) int64) int64 {
	var n int64
	for _, r := range v.Counted() {
		n += of(*r.Result)
	}
	return n
}
