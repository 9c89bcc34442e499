package measure

import (
	"fmt"
	"maps"
	"slices"
)

// observe completes the latencies and the service times of what arrived, by producer,
// with what is known of all other messages of the measure stage. One that failed and
// did not arrive never comes, which is longer than any wait. Any other was still
// awaited when the drain stage, and with it observation, ended: its latency is at
// least the time from its intended moment until then; of its service time nothing is
// known.
func (m *merger) observe(latency, service *Histogram, arrived func(producer int) *IntervalSet) (of, served Observation, err error) {
	of = Observation{values: orEmpty(latency), open: NewHistogram()}
	served = Observation{values: orEmpty(service), open: NewHistogram()}
	stages := m.asked.Workload.Stages
	longest := min(int64(stages.Measure+stages.Drain), maxLatency)
	for _, index := range slices.Sorted(maps.Keys(m.producers)) {
		p := m.producers[index]
		missing := arrived(index).Missing(p.MeasureFrom, p.MeasureUntil)
		open := missing.Subtract(p.Failed)
		failed := int64(missing.Count() - open.Count())
		of.open.RecordMany(longest, failed)
		served.open.RecordMany(longest, failed)
		served.open.RecordMany(0, int64(open.CountIn(0, p.Sent)))
		if err := m.waited(index, open, of.open); err != nil {
			return of, served, err
		}
	}
	return of, served, nil
}

// waited records for how long each of some messages of a producer was awaited.
func (m *merger) waited(producer int, open *IntervalSet, into *Histogram) error {
	if open.Count() == 0 {
		return nil
	}
	next, err := m.asked.Due(producer)
	if err != nil {
		return err
	}
	end := m.asked.Workload.Stages.Total()
	seq := uint64(0)
	for from, until := range open.Runs() {
		for ; seq < until; seq++ {
			offset, ok := next()
			if !ok {
				return fmt.Errorf("the schedule of producer %d ends before its message %d", producer, seq)
			}
			if seq >= from {
				into.Record(int64(end - offset))
			}
		}
	}
	return nil
}

func orEmpty(h *Histogram) *Histogram {
	if h == nil {
		return NewHistogram()
	}
	return h
}
