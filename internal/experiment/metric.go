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

// Unit is what a number counts.
type Unit string

// The units of metrics and other figures.
const (
	UnitNanoseconds       Unit = "ns"
	UnitPerSecond         Unit = "per_s"         // messages per second
	UnitSecondsPerMillion Unit = "s_per_million" // CPU seconds per million messages
	UnitCount             Unit = "count"         // messages or incidents
	UnitBytes             Unit = "bytes"
	UnitShare             Unit = "share" // of one
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
	distribution Distribution // of a latency
	quantile     string       // of a latency, such as "p999"
}

// Distribution names the latency that a metric is a quantile of.
type Distribution string

// The latencies that variants can be compared by.
const (
	E2E     Distribution = "e2e"     // intended send → received
	Publish Distribution = "publish" // intended send → acknowledged
)

func latencies() []metric {
	var all []metric
	for _, d := range []struct {
		name  Distribution
		title string
	}{{E2E, "end-to-end "}, {Publish, "publish "}} {
		for _, q := range []struct{ name, title string }{
			{"p50", "p50"}, {"p90", "p90"}, {"p95", "p95"}, {"p99", "p99"}, {"p999", "p99.9"}, {"p9999", "p99.99"},
		} {
			all = append(all, metric{
				name: Metric(string(d.name) + "_" + q.name), title: d.title + q.title, unit: UnitNanoseconds, distribution: d.name, quantile: q.name,
			})
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

// Unit is what values of m count.
func (m Metric) Unit() Unit { return m.find().unit }

// Latency reports whether m is a quantile of a latency, in nanoseconds.
func (m Metric) Latency() bool { return m.Unit() == UnitNanoseconds }

// Quantile returns what a latency is a quantile of, and its name, such as "p999";
// both are empty for any other metric.
func (m Metric) Quantile() (of Distribution, name string) {
	known := m.find()
	return known.distribution, known.quantile
}

// MoreIsBetter reports whether a larger value is the better one.
func (m Metric) MoreIsBetter() bool { return m.find().moreIsBetter }

// Title returns the words for m within a sentence: "end-to-end p99".
func (m Metric) Title() string { return m.find().title }

// Heading returns the words for m as the name of a row or a legend: "End-to-end p99".
func (m Metric) Heading() string {
	title := m.Title()
	return strings.ToUpper(title[:1]) + title[1:]
}
