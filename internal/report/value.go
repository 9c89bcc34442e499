package report

import (
	"slices"
	"strings"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
)

// Value returns the number of a result that a metric names: nanoseconds of a
// latency, messages per second, or CPU seconds per million messages. It is
// false when the result does not have it, such as a percentile with too few
// samples beyond it.
func Value(m experiment.Metric, r measure.Result) (float64, bool) {
	switch m {
	case experiment.Throughput:
		return r.Throughput, true
	case experiment.CPUPerMillion:
		return deref(r.CPU.PerMillion)
	}
	latency, quantile := r.E2E, strings.TrimPrefix(string(m), "e2e_")
	if rest, ok := strings.CutPrefix(string(m), "publish_"); ok {
		latency, quantile = r.Publish, rest
	}
	ns := map[string]*int64{
		"p50": latency.P50NS, "p90": latency.P90NS, "p95": latency.P95NS,
		"p99": latency.P99NS, "p999": latency.P999NS, "p9999": latency.P9999NS,
	}[quantile]
	return deref(ns)
}

// FormatMetric formats a value of [Value] with its unit.
func FormatMetric(m experiment.Metric, value float64) string {
	switch {
	case m.Latency():
		return Nanoseconds(value)
	case m == experiment.Throughput:
		return Rate(value)
	}
	return Seconds(value)
}

func deref[T int64 | float64](p *T) (float64, bool) {
	if p == nil {
		return 0, false
	}
	return float64(*p), true
}

// figure is a line of the table that compares the variants.
type figure struct {
	name   string
	value  func(measure.Result) (float64, bool)
	format func(float64) string
	total  bool // sum over the runs instead of median and range
}

func metricFigure(name string, m experiment.Metric) figure {
	return figure{
		name:   name,
		value:  func(r measure.Result) (float64, bool) { return Value(m, r) },
		format: func(x float64) string { return FormatMetric(m, x) },
	}
}

func totalFigure(name string, count func(measure.Counts) int64) figure {
	return figure{
		name:   name,
		value:  func(r measure.Result) (float64, bool) { return float64(count(r.Counts)), true },
		format: func(x float64) string { return Count(int64(x)) },
		total:  true,
	}
}

// figures are what every variant is shown with.
var figures = []figure{
	metricFigure("End-to-end p50", "e2e_p50"),
	metricFigure("End-to-end p99", "e2e_p99"),
	metricFigure("End-to-end p99.9", "e2e_p999"),
	metricFigure("Publish p99", "publish_p99"),
	metricFigure("Throughput", experiment.Throughput),
	totalFigure("Acknowledged", func(c measure.Counts) int64 { return c.Acked }),
	totalFigure("Lost", func(c measure.Counts) int64 { return c.Lost }),
	totalFigure("Duplicates", func(c measure.Counts) int64 { return c.Duplicates }),
	totalFigure("Reordered", func(c measure.Counts) int64 { return c.Reordered }),
	totalFigure("Offered but not sent", func(c measure.Counts) int64 { return c.Unsent }),
	metricFigure("Broker CPU per million messages", experiment.CPUPerMillion),
	{
		name:   "Broker memory, largest",
		value:  func(r measure.Result) (float64, bool) { return deref(r.CPU.BrokerRSS) },
		format: func(x float64) string { return Bytes(int64(x)) },
	},
}

// cell is a figure of one variant.
type cell struct {
	Value string // median or sum; "–" where unknown
	Range string // "min–max", "" for sums and single runs
	N     int    // runs behind it
}

// of summarises the figure over the counted runs of a variant.
func (f figure) of(v variant) cell {
	var values []float64
	sum := 0.0
	for _, r := range v.counted() {
		if value, ok := f.value(*r.result); ok {
			values = append(values, value)
			sum += value
		}
	}
	c := cell{Value: missing, N: len(values)}
	if len(values) == 0 {
		return c
	}
	slices.Sort(values)
	if f.total {
		c.Value = f.format(sum)
		return c
	}
	c.Value = f.format(medianOf(values))
	if low, high := f.format(values[0]), f.format(values[len(values)-1]); len(values) > 1 && low != high {
		c.Range = span(low, high)
	}
	return c
}

// medianOf returns the median of ascending values.
func medianOf(sorted []float64) float64 {
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}
