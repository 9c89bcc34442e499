package pacing

import "time"

// Anchor tells wall time that only the monotonic clock moves: the wall clock is
// read once, so a later step of it changes no latency. It is safe for use by
// several goroutines.
type Anchor struct {
	base  time.Time
	wall  int64
	ahead int64 // of the machine's wall clock, ns
}

// NewAnchor reads the wall clock.
func NewAnchor() Anchor {
	base := together(time.Now())
	return Anchor{base: base, wall: base.UnixNano()}
}

// readings is how often both clocks are read to get one reading at which neither waited
// for the other.
const readings = 9

// together returns a reading of both clocks whose two parts are as near to each other as
// in any of several: the wall clock is read first, so a pause in between, as when the
// thread is preempted, makes it seem behind.
func together(first time.Time) time.Time {
	best := first
	for range readings - 1 {
		if now := time.Now(); now.UnixNano()-int64(now.Sub(first)) > best.UnixNano()-int64(best.Sub(first)) {
			best = now
		}
	}
	return best
}

// Shift returns an anchor of a wall clock that is ahead of this one by d, so that what
// comes of clocks that disagree can be tried.
func (a Anchor) Shift(d time.Duration) Anchor {
	a.wall, a.ahead = a.wall+int64(d), a.ahead+int64(d)
	return a
}

// noise is how far apart two readings of the same clocks seem to be.
const noise = time.Microsecond

// Step returns by how much the wall clock has been set forward since it was read, in
// nanoseconds; negative if it was set back.
func (a Anchor) Step() int64 {
	now := together(time.Now())
	step := now.UnixNano() + a.ahead - a.wall - int64(now.Sub(a.base))
	if max(step, -step) < int64(noise) {
		return 0
	}
	return step
}

// Now returns the nanoseconds since 1970, in about 25 ns.
func (a Anchor) Now() int64 { return a.wall + int64(time.Since(a.base)) }
