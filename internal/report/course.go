package report

import (
	"slices"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
)

// course is how one run went through the seconds of its measure stage.
type course []measure.Second

// measured are the seconds of the measure stage.
func measured(timeline []measure.Second) course {
	return slices.DeleteFunc(slices.Clone(timeline), func(s measure.Second) bool { return s.Stage != experiment.StageMeasure })
}

// values are those of all seconds that have one, in their order.
func (c course) values(value func(measure.Second) (float64, bool)) []float64 {
	var found []float64
	for _, s := range c {
		if x, ok := value(s); ok {
			found = append(found, x)
		}
	}
	return found
}

// each returns the median and the largest of a count over the seconds; zero
// without any.
func (c course) each(count func(measure.Second) int64) (middle, most float64) {
	values := c.values(func(s measure.Second) (float64, bool) { return float64(count(s)), true })
	if len(values) == 0 {
		return 0, 0
	}
	slices.Sort(values)
	return medianOf(values), values[len(values)-1]
}

// edge is how many seconds the beginning and the end of a course are.
const edge = 3

// ends returns the medians at the beginning and at the end of the course. It is
// false where there are too few seconds to have both.
func (c course) ends(value func(measure.Second) (float64, bool)) (first, last float64, ok bool) {
	values := c.values(value)
	if len(values) < 2*edge {
		return 0, 0, false
	}
	begin, end := slices.Clone(values[:edge]), slices.Clone(values[len(values)-edge:])
	slices.Sort(begin)
	slices.Sort(end)
	return medianOf(begin), medianOf(end), true
}

// tail is a quantile of a distribution in each second.
type tail struct {
	name string // "p99"
	of   func(measure.Second) (float64, bool)
}

// tailOf returns the highest quantile that at least half of the seconds have
// messages enough for. It is false where there is none.
func tailOf(seconds []measure.Second, d measure.Distribution) (tail, bool) {
	for _, t := range []struct {
		name string
		ns   func(measure.Latency) *int64
	}{
		{"p99", func(l measure.Latency) *int64 { return l.P99NS }},
		{"p90", func(l measure.Latency) *int64 { return l.P90NS }},
		{"p50", func(l measure.Latency) *int64 { return l.P50NS }},
	} {
		of := func(s measure.Second) (float64, bool) { return deref(t.ns(s.Latencies[d])) }
		have, all := 0, 0
		for _, s := range seconds {
			if s.Latencies[d].Count > 0 {
				all++
			}
			if _, ok := of(s); ok {
				have++
			}
		}
		if have > 0 && 2*have >= all {
			return tail{t.name, of}, true
		}
	}
	return tail{}, false
}
