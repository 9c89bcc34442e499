package measure

import (
	"slices"

	"dec.local/dec/internal/experiment"
)

// Course is how the seconds of the measure stage went, as far as a sentence can
// tell it: what was typical, and what changed from the beginning to the end.
type Course struct {
	Offered   PerSecond                         `json:"offered"`
	Acked     PerSecond                         `json:"acked"`
	Incidents map[experiment.Incident]PerSecond `json:"incidents,omitempty"`
	Wait      *Tail                             `json:"wait,omitempty"`      // for room in max_in_flight, in nanoseconds
	InFlight  *Trend                            `json:"in_flight,omitempty"` // messages under way in the clients
	Backlog   *Trend                            `json:"backlog,omitempty"`   // acknowledged messages that wait to be read
}

// PerSecond is a count over the seconds of a stage.
type PerSecond struct {
	Median float64 `json:"median"`
	Max    float64 `json:"max"`
}

// Trend is a number at the beginning and at the end of a stage: its medians over
// the first and the last [edge] seconds.
type Trend struct {
	First float64 `json:"first"`
	Last  float64 `json:"last"`
}

// Tail is the trend of a quantile of each second.
type Tail struct {
	Quantile string `json:"quantile"` // "p99", "p90" or "p50"
	Trend
}

// edge is how many seconds the beginning and the end of a stage are.
const edge = 3

// NewCourse returns the course of a timeline.
func NewCourse(timeline []Second) *Course {
	measured := slices.DeleteFunc(slices.Clone(timeline), func(s Second) bool { return s.Stage != experiment.StageMeasure })
	c := &Course{
		Offered:  perSecond(measured, func(s Second) int64 { return s.Counts.Offered }),
		Acked:    perSecond(measured, func(s Second) int64 { return s.Counts.Acked }),
		InFlight: trend(measured, func(s Second) (float64, bool) { return float64(s.InFlight), true }),
		Backlog:  trend(measured, func(s Second) (float64, bool) { return float64(s.Backlog), true }),
		Wait:     tailOf(measured, Backpressure),
	}
	for _, i := range experiment.Incidents() {
		if n := perSecond(measured, func(s Second) int64 { return s.Incidents[i] }); n.Max > 0 {
			if c.Incidents == nil {
				c.Incidents = map[experiment.Incident]PerSecond{}
			}
			c.Incidents[i] = n
		}
	}
	return c
}

// values are those of all seconds that have one, in their order.
func values(seconds []Second, value func(Second) (float64, bool)) []float64 {
	var found []float64
	for _, s := range seconds {
		if x, ok := value(s); ok {
			found = append(found, x)
		}
	}
	return found
}

// perSecond is zero without any second.
func perSecond(seconds []Second, count func(Second) int64) PerSecond {
	counts := values(seconds, func(s Second) (float64, bool) { return float64(count(s)), true })
	if len(counts) == 0 {
		return PerSecond{}
	}
	slices.Sort(counts)
	return PerSecond{Median: median(counts), Max: counts[len(counts)-1]}
}

// trend is nil where there are too few seconds to have a beginning and an end.
func trend(seconds []Second, value func(Second) (float64, bool)) *Trend {
	all := values(seconds, value)
	if len(all) < 2*edge {
		return nil
	}
	first, last := slices.Clone(all[:edge]), slices.Clone(all[len(all)-edge:])
	slices.Sort(first)
	slices.Sort(last)
	return &Trend{First: median(first), Last: median(last)}
}

// median returns that of ascending values.
func median(sorted []float64) float64 {
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// tails are the quantiles that a [Tail] may be of, the best first.
var tails = []string{"p99", "p90", "p50"}

// tailOf returns the best quantile that at least half of the seconds have samples
// enough for, and its trend. It is nil where there is none, and in a stage that is
// too short.
func tailOf(seconds []Second, d Distribution) *Tail {
	for _, quantile := range tails {
		have, all := 0, 0
		for _, s := range seconds {
			if s.Latencies[d].Count > 0 {
				all++
			}
			if s.Latencies[d].Quantile(quantile) != nil {
				have++
			}
		}
		if have == 0 || 2*have < all {
			continue
		}
		t := trend(seconds, func(s Second) (float64, bool) {
			ns := s.Latencies[d].Quantile(quantile)
			if ns == nil {
				return 0, false
			}
			return float64(*ns), true
		})
		if t == nil {
			return nil
		}
		return &Tail{quantile, *t}
	}
	return nil
}
