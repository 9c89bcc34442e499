package certify

import (
	"fmt"
	"slices"
	"time"

	"dec.local/dec/internal/certify/reference"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
	"dec.local/dec/internal/pacing"
)

// truth is what agents must find, by the schedule and the broker's record.
type truth struct {
	counts       measure.Counts // without bytes
	publish, e2e sample
}

// sample is a distribution over everything that was offered.
type sample struct {
	values []int64 // what came, ns; ascending
	bounds []int64 // values, and of what was awaited when observation ended the time until then; ascending
	never  int     // what failed
}

// quantile is an exact value, or what it is at least; false where fewer than ten samples
// lie beyond it. share is in ten-thousandths.
func (s sample) quantile(share int) (ns int64, exact, ok bool) {
	n := len(s.bounds) + s.never
	rank := (n*share + 9999) / 10_000 // nearest rank
	if n-rank < 10 || rank < 1 || rank > len(s.bounds) {
		return 0, false, false
	}
	low := s.bounds[rank-1]
	return low, rank <= len(s.values) && s.values[rank-1] == low, true
}

// tell works out the truth of a run whose load began at start, wall ns.
func tell(w experiment.Workload, start int64, r reference.Record) (truth, error) {
	s := &story{
		truth: truth{}, start: start, record: r,
		answered: firsts(r.Answers, func(reference.Release) bool { return true }),
		arrived:  make(map[reference.Message]bool, len(r.Arrived)),
		received: firsts(r.Delivered, func(d reference.Release) bool { return !d.Failed }),
		held:     make(map[reference.Message]bool, len(r.Held)),
	}
	for _, m := range r.Arrived {
		s.arrived[m] = true
	}
	for _, m := range r.Held {
		s.held[m] = true
	}
	measured := make([]func(uint64) bool, max(1, w.Topology.Producers))
	for k := range measured {
		schedule, err := pacing.New(w, k)
		if err != nil {
			return truth{}, fmt.Errorf("truth of producer %d: %w", k, err)
		}
		from, until := schedule.Bounds()
		measured[k] = func(seq uint64) bool { return seq >= from && seq < until }
		for seq := uint64(0); seq < until; seq++ {
			offset, _ := schedule.Next()
			if seq >= from {
				s.offered(reference.Message{Producer: uint32(k), Seq: seq}, offset, w.Stages.Total())
			}
		}
	}
	s.orders(func(m reference.Message) bool { return int(m.Producer) < len(measured) && measured[m.Producer](m.Seq) })
	for _, d := range []*sample{&s.publish, &s.e2e} {
		d.bounds = append(d.bounds, d.values...)
		slices.Sort(d.values)
		slices.Sort(d.bounds)
	}
	return s.truth, nil
}

// firsts are the first releases of messages among those that count.
func firsts(releases []reference.Release, counts func(reference.Release) bool) map[reference.Message]reference.Release {
	first := make(map[reference.Message]reference.Release, len(releases))
	for _, r := range releases {
		if _, known := first[r.Message]; !known && counts(r) {
			first[r.Message] = r
		}
	}
	return first
}

// story is a record by message, and the truth as far as it is told.
type story struct {
	truth
	start    int64
	record   reference.Record
	arrived  map[reference.Message]bool
	answered map[reference.Message]reference.Release
	received map[reference.Message]reference.Release // intact
	held     map[reference.Message]bool
}

// offered tells of a message of the measure stage, due at an offset from the start of
// the load, which is observed until its end.
func (s *story) offered(m reference.Message, offset, end time.Duration) {
	c := &s.counts
	intended := s.start + int64(offset)
	awaited := int64(end - offset)
	answer, isAnswered := s.answered[m]
	receipt, isReceived := s.received[m]
	c.Offered++
	if s.arrived[m] {
		c.Sent++
	} else {
		c.Unsent++
	}
	acked := isAnswered && !answer.Failed
	switch {
	case acked:
		c.Acked++
		s.publish.values = append(s.publish.values, answer.At-intended)
	case isAnswered:
		c.Failed++
		s.publish.never++
	default:
		if s.arrived[m] {
			c.Unanswered++
		}
		s.publish.bounds = append(s.publish.bounds, awaited)
	}
	switch {
	case isReceived:
		s.e2e.values = append(s.e2e.values, receipt.At-intended)
	case isAnswered && answer.Failed:
		s.e2e.never++
	default:
		s.e2e.bounds = append(s.e2e.bounds, awaited)
	}
	switch {
	case !acked || isReceived:
	case s.held[m]:
		c.Undelivered++
	default:
		c.Lost++
	}
}

// orders tells of what was delivered again, late, or damaged.
func (s *story) orders(measured func(reference.Message) bool) {
	type order struct {
		producer  uint32
		partition int32
	}
	c := &s.counts
	next, seen := map[order]uint64{}, map[reference.Message]bool{}
	for _, d := range s.record.Delivered {
		in := int64(0)
		if measured(d.Message) {
			in = 1
		}
		by := order{d.Producer, d.Partition}
		switch {
		case d.Failed:
			c.Corrupt++ // of any stage: agents cannot tell
			continue
		case seen[d.Message]:
			c.Duplicates += in
		case d.Seq < next[by]:
			c.Reordered += in
		default:
			next[by] = d.Seq + 1
		}
		c.Received += in
		seen[d.Message] = true
	}
}
