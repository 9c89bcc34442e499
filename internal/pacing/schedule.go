// Package pacing decides when messages are due and waits for that moment. It
// sends nothing and measures nothing.
//
// The load is open loop: the intended send time of message i is t0 + f(i), an
// absolute formula of the schedule alone, so that neither a slow system nor a
// late wake-up moves the messages after it. [Schedule] is f for one producer's
// share; [Thread] waits on a locked OS thread, because Go's timers are up to a
// millisecond late, and [Timer] is the portable and virtual-time stand-in.
package pacing

import (
	"fmt"
	"math/rand/v2"
	"sort"
	"time"

	"dec.local/dec/internal/experiment"
)

// Schedule is one producer's share of the intended send times of a workload, as
// offsets from the start of the load phase: first the warm-up at the schedule's
// first rate, then the measure stage. Nothing is intended in the drain stage.
//
// Evenly spaced arrivals: the load's message number i is due when the integral
// of the rate reaches i, and producer k of n has the messages k, k+n, k+2n, …,
// so the shares together are exactly the load.
//
// Poisson arrivals: producer k of n has its own stream, a unit-rate Poisson
// process from the seed and k, run on the clock N(t)/n where N is the integral
// of the rate (time change). Each is a Poisson process of intensity λ(t)/n, and
// by superposition all together are one of intensity λ(t); that union is the
// load. A producer's stream doesn't depend on where the others run.
//
// A Schedule is not safe for use by several goroutines.
type Schedule struct {
	profile *profile
	stages  experiment.Stages
	index   int64 // the producer
	of      int64 // producers
	next    int64 // messages that Next has given
	gaps    *arrivals
	counted *arrivals // the same stream, kept apart for Count
}

// New returns the share of one producer, from 0. The workload must have been
// decoded by package planspec.
func New(w experiment.Workload, producer int) (*Schedule, error) {
	of := max(1, w.Topology.Producers)
	if producer < 0 || producer >= of {
		return nil, fmt.Errorf("schedule of producer %d: the workload has producers 0 to %d", producer, of-1)
	}
	p, err := newProfile(w)
	if err != nil {
		return nil, fmt.Errorf("schedule: %w", err)
	}
	s := &Schedule{profile: p, stages: w.Stages, index: int64(producer), of: int64(of)}
	if w.Load.Arrivals == experiment.ArrivalsPoisson {
		s.gaps = newArrivals(p, w.Seed, s.index, s.of)
		s.counted = newArrivals(p, w.Seed, s.index, s.of)
	}
	return s, nil
}

// Next returns the offset of the producer's next message, and false when the
// load is over. Message n of the producer, from 0, is the result of call n.
func (s *Schedule) Next() (offset time.Duration, ok bool) {
	if s.gaps != nil {
		offset, ok = s.gaps.next()
	} else {
		offset, ok = s.at(s.next)
	}
	if ok {
		s.next++
	}
	return offset, ok
}

// at is the offset of the producer's message n of evenly spaced arrivals.
func (s *Schedule) at(n int64) (time.Duration, bool) {
	return s.profile.at(position{whole: s.index + n*s.of})
}

// Count returns how many of the producer's messages are intended in
// [from, until), exactly. Successive windows cost little; with Poisson
// arrivals, going back means drawing the stream anew.
func (s *Schedule) Count(from, until time.Duration) int64 {
	if until <= from {
		return 0
	}
	return s.before(until) - s.before(from)
}

// before counts the messages intended earlier than t.
func (s *Schedule) before(t time.Duration) int64 {
	if s.counted != nil {
		if t < s.counted.passed {
			s.counted.reset()
		}
		return s.counted.before(t)
	}
	n := s.profile.total.whole/s.of + 1 // never fewer than the producer has
	return int64(sort.Search(int(n), func(i int) bool {
		at, ok := s.at(int64(i))
		return !ok || at >= t
	}))
}

// Bounds returns the producer's sequence numbers of the measure stage, counted
// from 0 over the whole load phase: the first one, and the first one after it.
func (s *Schedule) Bounds() (from, until uint64) {
	warmup := time.Duration(s.stages.Warmup)
	return uint64(s.before(warmup)), uint64(s.before(s.End()))
}

// End is the end of the measure stage, from which on nothing is intended.
func (s *Schedule) End() time.Duration { return s.profile.end }

// arrivals is the Poisson stream of one producer.
type arrivals struct {
	profile     *profile
	seed, index uint64
	of          float64
	random      *rand.Rand
	load        float64       // position on the axis of the whole load: unit-rate time × producers
	due         time.Duration // of the message drawn last
	drawn       int64         // messages that before has passed
	passed      time.Duration // the latest t given to before
	pending     bool          // due is drawn, but not earlier than passed
}

func newArrivals(p *profile, seed, index, of int64) *arrivals {
	a := &arrivals{profile: p, seed: uint64(seed), index: uint64(index), of: float64(of)}
	a.reset()
	return a
}

// reset goes back to the stream's start.
func (a *arrivals) reset() {
	// The constant keeps this stream apart from others of the same seed.
	a.random = rand.New(rand.NewPCG(a.seed, a.index^0x9e3779b97f4a7c15))
	a.load, a.drawn, a.passed, a.pending = 0, 0, 0, false
}

// next draws the next arrival.
func (a *arrivals) next() (time.Duration, bool) {
	a.load += a.random.ExpFloat64() * a.of
	whole := int64(a.load)
	return a.profile.at(position{whole: whole, frac: a.load - float64(whole)})
}

// before counts the arrivals earlier than t, which must not decrease.
func (a *arrivals) before(t time.Duration) int64 {
	a.passed = t
	for {
		if !a.pending {
			due, ok := a.next()
			if !ok {
				due = a.profile.end + 1<<62 // never reached again
			}
			a.due, a.pending = due, true
		}
		if a.due >= t {
			return a.drawn
		}
		a.drawn++
		a.pending = false
	}
}
