package comparison

import (
	"math"
	"slices"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
	"dec.local/dec/internal/stats"
)

// Figure is a line of the table that compares the variants.
type Figure struct {
	Name   string          `json:"name" doc:"Name of a metric, count or incident."`
	Title  string          `json:"title"`
	Unit   experiment.Unit `json:"unit" enum:"ns,per_s,s_per_million,count,bytes,share"`
	Sum    bool            `json:"sum" doc:"Values are sums over the counted runs; otherwise medians."`
	Values []FigureValue   `json:"values" doc:"Values in the order of the variants."`
}

// FigureValue is a figure of one variant, over the runs that count.
type FigureValue struct {
	Value *float64 `json:"value" doc:"Null if unknown, or if only a lower bound is known."`
	Low   *float64 `json:"low,omitempty" doc:"Minimum over the runs; absent for a sum."`
	High  *float64 `json:"high,omitempty" doc:"Maximum over the runs; absent for a sum."`
	Runs  int      `json:"runs" doc:"Number of runs in the value."`

	ValueAtLeast *float64 `json:"value_at_least,omitempty" doc:"Lower bound of the value, where the exact one is not known."`
	LowAtLeast   *float64 `json:"low_at_least,omitempty" doc:"Lower bound of the minimum, where the exact one is not known."`
	HighAtLeast  *float64 `json:"high_at_least,omitempty" doc:"Lower bound of the maximum, where the exact one is not known."`
}

// Reading is what a result tells of a metric: its value, or only that it is at least
// so large, because messages had not come when observation ended.
type Reading struct {
	Value   float64
	AtLeast bool
}

// Read returns what a result tells of a metric, in its unit. It is false when the
// result does not have it, such as a percentile with too few samples beyond it.
func Read(m experiment.Metric, r measure.Result) (Reading, bool) {
	switch m {
	case experiment.Throughput:
		return Reading{Value: r.Throughput}, true
	case experiment.CPUPerMillion:
		return exactly(r.CPU.PerMillion)
	}
	switch of, quantile := m.Quantile(); of {
	case experiment.E2E:
		return bounded(r.E2E.Quantile(quantile))
	case experiment.Publish:
		return bounded(r.Publish.Quantile(quantile))
	}
	return Reading{}, false
}

// Value returns the value of a metric, in its unit. It is false when the result does
// not have it exactly.
func Value(m experiment.Metric, r measure.Result) (float64, bool) {
	reading, ok := Read(m, r)
	return reading.Value, ok && !reading.AtLeast
}

// Values returns all metrics of a result, in their units; nil for those that it does
// not have exactly.
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

// Bounds returns the lower bounds of the metrics of which a result has no exact value.
func Bounds(r measure.Result) map[experiment.Metric]float64 {
	all := map[experiment.Metric]float64{}
	for _, m := range experiment.Metrics() {
		if reading, ok := Read(m, r); ok && reading.AtLeast {
			all[m] = reading.Value
		}
	}
	return all
}

func exactly[T int64 | float64](p *T) (Reading, bool) {
	if p == nil {
		return Reading{}, false
	}
	return Reading{Value: float64(*p)}, true
}

func bounded(b measure.Bound) (Reading, bool) {
	reading, ok := exactly(b.NS)
	reading.AtLeast = ok && !b.Exact
	return reading, ok
}

// figure is a [Figure] before it has values.
type figure struct {
	Figure
	of func(measure.Result) (Reading, bool)
}

func metricFigure(m experiment.Metric) figure {
	return figure{Figure{Name: string(m), Title: m.Heading(), Unit: m.Unit()}, func(r measure.Result) (Reading, bool) { return Read(m, r) }}
}

func sumFigure(name, title string, of func(measure.Result) int64) figure {
	value := func(r measure.Result) (Reading, bool) { return Reading{Value: float64(of(r))}, true }
	return figure{Figure{Name: name, Title: title, Unit: experiment.UnitCount, Sum: true}, value}
}

// headline are the metrics of every comparison.
var headline = []experiment.Metric{"e2e_p50", "e2e_p99", "e2e_p999", "publish_p99", experiment.Throughput}

// details are the figures that follow the metrics.
var details = []figure{
	{
		Figure{Name: "delivered_share", Title: "Delivered of what was offered", Unit: experiment.UnitShare},
		func(r measure.Result) (Reading, bool) {
			return Reading{Value: r.Delivered}, r.Method >= 2 && r.Counts.Offered > 0
		},
	},
	sumFigure("offered", "Offered", func(r measure.Result) int64 { return r.Counts.Offered }),
	sumFigure("unsent", "Offered but not sent", func(r measure.Result) int64 { return r.Counts.Unsent }),
	sumFigure("acked", "Acknowledged", func(r measure.Result) int64 { return r.Counts.Acked }),
	sumFigure("failed", "Failed", func(r measure.Result) int64 { return r.Counts.Failed }),
	{
		Figure{Name: "unanswered", Title: "Unanswered", Unit: experiment.UnitCount, Sum: true},
		func(r measure.Result) (Reading, bool) {
			return Reading{Value: float64(r.Counts.Unanswered)}, r.Method >= 2
		},
	},
	sumFigure("lost", "Lost", func(r measure.Result) int64 { return r.Counts.Lost }),
	sumFigure("undelivered", "Undelivered", exceptions["undelivered"]),
	sumFigure("aged_out", "Aged out", exceptions["aged_out"]),
	sumFigure("missing", "Lost or undelivered", exceptions["missing"]),
	sumFigure("duplicates", "Duplicates", func(r measure.Result) int64 { return r.Counts.Duplicates }),
	sumFigure("reordered", "Reordered", func(r measure.Result) int64 { return r.Counts.Reordered }),
	sumFigure("corrupt", "Corrupt", func(r measure.Result) int64 { return r.Counts.Corrupt }),
	sumFigure("foreign", "Not of this run", exceptions["foreign"]),
	sumFigure("unwatched", "Order not checked", exceptions["unwatched"]),
	metricFigure(experiment.CPUPerMillion),
	{
		Figure{Name: "broker_rss", Title: "Broker memory, peak", Unit: experiment.UnitBytes},
		func(r measure.Result) (Reading, bool) { return exactly(r.CPU.BrokerRSS) },
	},
}

// exceptions are shown only where there are some.
var exceptions = map[string]func(measure.Result) int64{
	"undelivered": func(r measure.Result) int64 { return r.Counts.Undelivered },
	"aged_out":    func(r measure.Result) int64 { return r.Counts.AgedOut },
	"missing":     func(r measure.Result) int64 { return r.Counts.Missing },
	"foreign":     func(r measure.Result) int64 { return r.Counts.Foreign },
	"unwatched":   func(r measure.Result) int64 { return r.Counts.Unwatched },
}

// shown are the figures of these variants: the primary metric is always among them,
// incidents only when the clients of some variant had them.
func (s *Set) shown() []figure {
	var all []figure
	for _, m := range headline {
		all = append(all, metricFigure(m))
	}
	for _, f := range details {
		if exceptions[f.Name] == nil || slices.ContainsFunc(s.Variants, func(v *Variant) bool { return v.sum(exceptions[f.Name]) > 0 }) {
			all = append(all, f)
		}
	}
	primary := metricFigure(s.Metric())
	if !slices.ContainsFunc(all, func(f figure) bool { return f.Name == primary.Name }) {
		all = slices.Insert(all, 0, primary)
	}
	if s.Metric().Latency() {
		i := slices.IndexFunc(all, func(f figure) bool { return f.Name == primary.Name })
		all = slices.Insert(all, i+1, latenessFigure(s.Metric()))
	}
	for _, i := range experiment.Incidents() {
		if s.Occurred(i) {
			all = append(all, figure{
				Figure{Name: string(i), Title: i.Title(), Unit: experiment.UnitCount, Sum: true},
				func(r measure.Result) (Reading, bool) {
					n, told := r.Incidents[i] // unknown, not 0, where the clients cannot tell
					return Reading{Value: float64(n)}, told
				},
			})
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
	// Each reading at its lower bound, and as if what is not known were infinite: where
	// both give the same, it does not depend on what is not known.
	var lows, highs []float64
	sum := 0.0
	for _, r := range v.Counted() {
		reading, ok := f.of(*r.Result)
		if !ok {
			continue
		}
		high := reading.Value
		if reading.AtLeast {
			high = math.Inf(1)
		}
		lows, highs = append(lows, reading.Value), append(highs, high)
		sum += reading.Value
	}
	n := len(lows)
	value := FigureValue{Runs: n}
	if n == 0 {
		return value
	}
	if f.Sum {
		value.Value = &sum
		return value
	}
	slices.Sort(lows)
	slices.Sort(highs)
	value.Value, value.ValueAtLeast = known(stats.Median(lows), stats.Median(highs))
	value.Low, value.LowAtLeast = known(lows[0], highs[0])
	value.High, value.HighAtLeast = known(lows[n-1], highs[n-1])
	return value
}

// known is what is known of a number between low and high.
func known(low, high float64) (exact, atLeast *float64) {
	if low == high {
		return &low, nil
	}
	return nil, &low
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
