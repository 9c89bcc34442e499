package measure

import (
	"fmt"
	"time"

	"dec.local/dec/internal/experiment"
)

// Window places events on a run's time line, in wall nanoseconds.
type Window struct {
	Start   int64 // of the load phase
	Warmup  time.Duration
	Measure time.Duration
}

// NewWindow is the window of a load phase that starts at the given wall time.
func NewWindow(start time.Time, s experiment.Stages) Window {
	return Window{Start: start.UnixNano(), Warmup: time.Duration(s.Warmup), Measure: time.Duration(s.Measure)}
}

// Stage returns the stage at a wall time. A message belongs to the stage at its
// intended time.
func (w Window) Stage(at int64) experiment.Stage {
	switch offset := time.Duration(at - w.Start); {
	case offset < w.Warmup:
		return experiment.StageWarmup
	case offset < w.Warmup+w.Measure:
		return experiment.StageMeasure
	default:
		return experiment.StageDrain
	}
}

// measured reports whether a wall time lies in the measure stage.
func (w Window) measured(at int64) bool {
	offset := time.Duration(at - w.Start)
	return w.Warmup <= offset && offset < w.Warmup+w.Measure
}

// Interval gathers what happened in one second, or several, of one agent. It is not
// safe for use by several goroutines; the recorders that are drained into it may go on
// recording.
type Interval struct {
	Counts    Counts
	Groups    map[string]int64 // newly received by group, without duplicates
	underWay  int64            // handed to the clients and neither acknowledged nor failed before this interval
	incidents map[experiment.Incident]int64
	hist      map[Distribution]*Histogram
}

// NewInterval returns an empty interval.
func NewInterval() *Interval {
	return &Interval{Groups: map[string]int64{}, incidents: map[experiment.Incident]int64{}, hist: map[Distribution]*Histogram{}}
}

// Snapshot encodes the interval as one second of the agent and empties it.
func (i *Interval) Snapshot(second int, stage experiment.Stage) (Snapshot, error) {
	latencies, err := encodeAll(i.hist)
	if err != nil {
		return Snapshot{}, fmt.Errorf("second %d: %w", second, err)
	}
	i.underWay += i.Counts.Sent - i.Counts.Acked - i.Counts.Failed
	s := Snapshot{
		Second: second, Stage: stage, Counts: i.Counts,
		InFlight:  max(0, i.underWay), // a message may be acknowledged before Send returns
		Latencies: latencies, Groups: i.Groups, Incidents: i.incidents,
	}
	i.Counts, i.Groups, i.incidents = Counts{}, map[string]int64{}, map[experiment.Incident]int64{}
	for _, h := range i.hist {
		h.Reset()
	}
	return s, nil
}

// add merges a histogram.
func (i *Interval) add(d Distribution, h *Histogram) {
	if i.hist[d] == nil {
		i.hist[d] = NewHistogram()
	}
	i.hist[d].Merge(h)
}

// encodeAll encodes histograms that have samples.
func encodeAll(hist map[Distribution]*Histogram) (map[Distribution]string, error) {
	out := make(map[Distribution]string, len(hist))
	for name, h := range hist {
		if h.Count() == 0 {
			continue
		}
		s, err := h.Encode()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		out[name] = s
	}
	return out, nil
}

// decodeInto merges encoded histograms into others by name.
func decodeInto(hist map[Distribution]*Histogram, encoded map[Distribution]string) error {
	for name, s := range encoded {
		h, err := DecodeHistogram(s)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if hist[name] == nil {
			hist[name] = h
		} else {
			hist[name].Merge(h)
		}
	}
	return nil
}
