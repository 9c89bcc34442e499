package experiment

import (
	"slices"
	"strings"
)

// Metric names a number of a run's result that variants can be compared by:
// e2e_* or publish_* with p50, p90, p95, p99, p999, p9999, or throughput, or
// cpu_per_million (CPU seconds of the broker's processes per million messages).
type Metric string

// DefaultMetric is the 99th percentile of end-to-end latency.
const DefaultMetric Metric = "e2e_p99"

// The metrics that are not latencies.
const (
	Throughput    Metric = "throughput"      // messages received per second
	CPUPerMillion Metric = "cpu_per_million" // CPU seconds of the broker per million messages
)

// quantiles are the endings of latency metrics, and how people write them.
var quantiles = []struct{ name, title string }{
	{"p50", "p50"}, {"p90", "p90"}, {"p95", "p95"}, {"p99", "p99"}, {"p999", "p99.9"}, {"p9999", "p99.99"},
}

// Metrics returns all metrics, latencies first.
func Metrics() []Metric {
	var all []Metric
	for _, distribution := range []string{"e2e_", "publish_"} {
		for _, q := range quantiles {
			all = append(all, Metric(distribution+q.name))
		}
	}
	return append(all, Throughput, CPUPerMillion)
}

// Valid reports whether m is one of [Metrics].
func (m Metric) Valid() bool { return slices.Contains(Metrics(), m) }

// Latency reports whether m is a quantile of a latency, in nanoseconds.
func (m Metric) Latency() bool {
	return strings.HasPrefix(string(m), "e2e_") || strings.HasPrefix(string(m), "publish_")
}

// MoreIsBetter reports whether a larger value is the better one.
func (m Metric) MoreIsBetter() bool { return m == Throughput }

// Title returns the words for m within a sentence: "end-to-end p99".
func (m Metric) Title() string {
	switch m {
	case Throughput:
		return "throughput"
	case CPUPerMillion:
		return "broker CPU per million messages"
	}
	for _, q := range quantiles {
		switch m {
		case Metric("e2e_" + q.name):
			return "end-to-end " + q.title
		case Metric("publish_" + q.name):
			return "publish " + q.title
		}
	}
	return string(m)
}
