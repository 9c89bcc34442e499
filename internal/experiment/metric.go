package experiment

import "slices"

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

// Unit is what a number counts.
type Unit string

// The units of metrics and other figures.
const (
	UnitNanoseconds       Unit = "ns"
	UnitPerSecond         Unit = "per_s"         // messages per second
	UnitSecondsPerMillion Unit = "s_per_million" // CPU seconds per million messages
	UnitCount             Unit = "count"         // messages or incidents
	UnitBytes             Unit = "bytes"
)

// metrics has everything that is known of each metric, in the order in which
// they are listed.
var metrics = append(latencies(),
	metric{name: Throughput, title: "throughput", unit: UnitPerSecond, moreIsBetter: true},
	metric{name: CPUPerMillion, title: "broker CPU per million messages", unit: UnitSecondsPerMillion})

type metric struct {
	name         Metric
	title        string // within a sentence
	unit         Unit
	moreIsBetter bool
}

func latencies() []metric {
	var all []metric
	for _, distribution := range []struct{ name, title string }{{"e2e_", "end-to-end "}, {"publish_", "publish "}} {
		for _, q := range []struct{ name, title string }{
			{"p50", "p50"}, {"p90", "p90"}, {"p95", "p95"}, {"p99", "p99"}, {"p999", "p99.9"}, {"p9999", "p99.99"},
		} {
			all = append(all, metric{name: Metric(distribution.name + q.name), title: distribution.title + q.title, unit: UnitNanoseconds})
		}
	}
	return all
}

// Metrics returns all metrics, latencies first.
func Metrics() []Metric {
	all := make([]Metric, len(metrics))
	for i, m := range metrics {
		all[i] = m.name
	}
	return all
}

// find returns what is known of m; only its name if that is nothing.
func (m Metric) find() metric {
	i := slices.IndexFunc(metrics, func(known metric) bool { return known.name == m })
	if i < 0 {
		return metric{name: m, title: string(m)}
	}
	return metrics[i]
}

// Valid reports whether m is one of [Metrics].
func (m Metric) Valid() bool { return m.Unit() != "" }

// Unit is what values of m count.
func (m Metric) Unit() Unit { return m.find().unit }

// Latency reports whether m is a quantile of a latency, in nanoseconds.
func (m Metric) Latency() bool { return m.Unit() == UnitNanoseconds }

// MoreIsBetter reports whether a larger value is the better one.
func (m Metric) MoreIsBetter() bool { return m.find().moreIsBetter }

// Title returns the words for m within a sentence: "end-to-end p99".
func (m Metric) Title() string { return m.find().title }
