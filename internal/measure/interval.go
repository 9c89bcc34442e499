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

// Interval gathers what the recorders of one agent saw since it was last
// emptied. It is not safe for use by several goroutines; the recorders that are
// drained into it may go on recording.
type Interval struct {
	Counts    Counts
	InFlight  int64            // handed to the clients and neither acknowledged nor failed
	Groups    map[string]int64 // newly received by group, without duplicates
	incidents map[experiment.Incident]int64
	hist      map[Distribution]*Histogram
	spare     []*Histogram // empty ones, to be swapped for a recorder's full ones
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
	s := Snapshot{
		Second: second, Stage: stage, Counts: i.Counts, InFlight: i.InFlight,
		Latencies: latencies, Groups: i.Groups, Incidents: i.incidents,
	}
	i.Counts, i.InFlight, i.Groups, i.incidents = Counts{}, 0, map[string]int64{}, map[experiment.Incident]int64{}
	for _, h := range i.hist {
		h.Reset()
	}
	return s, nil
}

// halves takes two empty histograms from the spares.
func (i *Interval) halves() halves { return halves{i.get(), i.get()} }

// get takes an empty histogram from the spares.
func (i *Interval) get() *Histogram {
	n := len(i.spare)
	if n == 0 {
		return NewHistogram()
	}
	h := i.spare[n-1]
	i.spare = i.spare[:n-1]
	return h
}

// put merges a recorder's histogram and keeps it as a spare.
func (i *Interval) put(d Distribution, h *Histogram) {
	if i.hist[d] == nil {
		i.hist[d] = NewHistogram()
	}
	i.hist[d].Merge(h)
	h.Reset()
	i.spare = append(i.spare, h)
}

// pair counts one distribution of a recorder for two readers: the present
// interval, by when things happened, and the measure stage, by intended time.
// Each sample is recorded once; the sums are made when the interval is drained.
type pair struct {
	name     Distribution
	present  halves
	measured *Histogram // of the measure stage, up to the last drain
}

// halves are the samples of one interval: of messages of the measure stage, and
// of all others.
type halves struct{ inside, outside *Histogram }

func newPair(name Distribution) pair {
	return pair{name: name, present: halves{NewHistogram(), NewHistogram()}, measured: NewHistogram()}
}

func (p *pair) record(ns int64, measured bool) {
	if measured {
		p.present.inside.Record(ns)
	} else {
		p.present.outside.Record(ns)
	}
}

// swap starts a new interval and returns the last one.
func (p *pair) swap(empty halves) halves {
	full := p.present
	p.present = empty
	return full
}

// drain adds an interval that was swapped out to the sums of both readers.
func (p *pair) drain(full halves, into *Interval) {
	p.measured.Merge(full.inside)
	into.put(p.name, full.inside)
	into.put(p.name, full.outside)
}

// total adds what was recorded over the measure stage to a histogram.
func (p *pair) total(into *Histogram) {
	into.Merge(p.measured)
	into.Merge(p.present.inside)
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
