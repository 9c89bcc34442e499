package measure

import (
	"fmt"
	"slices"
	"time"

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
	Behind    *Behind                           `json:"behind,omitempty"`    // offered messages that had not come to the slowest group
	Owed      *Owed                             `json:"owed,omitempty"`      // when the stage ended; nil if nothing was
	// Halves are the latencies of what came in the first and in the second half of the
	// stage, over all groups.
	Halves map[Distribution]Halves `json:"halves,omitempty"`
}

// Halves are a distribution in the two halves of the measure stage.
type Halves struct {
	First  Latency `json:"first"`
	Second Latency `json:"second"`
}

// Owed is what of the load, the warm-up included, was still to be done at a moment.
type Owed struct {
	Unsent   int64 `json:"unsent"`   // offered, and not handed to a client
	Unstored int64 `json:"unstored"` // offered, and neither acknowledged nor failed; the unsent included
}

// owed is what was left when the measure stage ended; nil if nothing was.
func owed(timeline []Second) *Owed {
	var now, end Owed
	for _, s := range timeline {
		now.Unsent += s.Counts.Offered - s.Counts.Sent
		now.Unstored += s.Counts.Offered - s.Counts.Acked - s.Counts.Failed
		if s.Stage == experiment.StageMeasure {
			end = Owed{max(0, now.Unsent), max(0, now.Unstored)}
		}
	}
	if end == (Owed{}) {
		return nil
	}
	return &end
}

// halved are the distributions that a course has in halves: those that variants are
// compared by.
var halved = []Distribution{PublishLatency, E2ELatency}

// inHalves merges the seconds of each half of the measure stage over all agents.
func inHalves(measure time.Duration, warmup time.Duration, agents [][]Snapshot) (map[Distribution]Halves, error) {
	middle := int((warmup + measure/2) / time.Second)
	sums := map[Distribution][2]*Histogram{}
	for _, d := range halved {
		sums[d] = [2]*Histogram{NewHistogram(), NewHistogram()}
	}
	for _, snapshots := range agents {
		for _, s := range snapshots {
			half := 0
			if s.Second >= middle {
				half = 1
			}
			for _, d := range halved {
				if s.Stage != experiment.StageMeasure || s.Latencies[d] == "" {
					continue
				}
				h, err := DecodeHistogram(s.Latencies[d])
				if err != nil {
					return nil, fmt.Errorf("%s of second %d: %w", d, s.Second, err)
				}
				sums[d][half].Merge(h)
			}
		}
	}
	found := map[Distribution]Halves{}
	for d, sum := range sums {
		if sum[0].Count() > 0 && sum[1].Count() > 0 {
			found[d] = Halves{sum[0].Summary(), sum[1].Summary()}
		}
	}
	return found, nil
}

// Behind is how far a system was behind what was offered to it.
type Behind struct {
	Start int64 `json:"start"` // when the measure stage began
	End   int64 `json:"end"`   // when it ended
	Grew  bool  `json:"grew"`  // see [Grew]
}

// significantGrowth is the share of what was offered in the measure stage by which a
// system must fall behind for that to be no chance.
const significantGrowth = 0.01

// Grew reports whether a system did not keep up: what it was behind is more at the
// end of each fifth of the measure stage than at the end of the one before, and by
// more than 1 % of what was offered in the whole stage. A stage of three or four seconds
// has as many parts; a shorter one does not tell.
func Grew(timeline []Second) bool {
	b, stage := behind(timeline)
	parts := min(5, len(stage))
	if b == nil || parts < 3 {
		return false
	}
	before, offered := b.Start, int64(0)
	for _, s := range stage {
		offered += s.Counts.Offered
	}
	for part := 1; part <= parts; part++ {
		now := stage[part*len(stage)/parts-1].Behind
		if now <= before {
			return false
		}
		before = now
	}
	return float64(b.End-b.Start) > significantGrowth*float64(offered)
}

// behind returns how far a system was behind, and the seconds of the measure stage; nil
// where it never was, or where that is not known.
func behind(timeline []Second) (*Behind, []Second) {
	b, ever := &Behind{}, false
	var stage []Second
	for _, s := range timeline {
		ever = ever || s.Behind != 0
		switch s.Stage {
		case experiment.StageWarmup:
			b.Start = s.Behind
		case experiment.StageMeasure:
			b.End = s.Behind
			stage = append(stage, s)
		}
	}
	if len(stage) == 0 || !ever {
		return nil, nil
	}
	return b, stage
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
		Owed:     owed(timeline),
	}
	if c.Behind, _ = behind(timeline); c.Behind != nil {
		c.Behind.Grew = Grew(timeline)
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
			if s.Latencies[d].Quantile(quantile).Exact {
				have++
			}
		}
		if have == 0 || 2*have < all {
			continue
		}
		t := trend(seconds, func(s Second) (float64, bool) {
			if q := s.Latencies[d].Quantile(quantile); q.Exact {
				return float64(*q.NS), true
			}
			return 0, false
		})
		if t == nil {
			return nil
		}
		return &Tail{quantile, *t}
	}
	return nil
}
