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
	base := time.Now()
	return Anchor{base: base, wall: base.UnixNano()}
}

// Shift returns an anchor of a wall clock that is ahead of this one by d, so that what
// comes of clocks that disagree can be tried.
func (a Anchor) Shift(d time.Duration) Anchor {
	a.wall, a.ahead = a.wall+int64(d), a.ahead+int64(d)
	return a
}

// Step returns by how much the wall clock has been set forward since it was read, in
// nanoseconds; negative if it was set back.
func (a Anchor) Step() int64 {
	now := time.Now()
	return now.UnixNano() + a.ahead - a.wall - int64(now.Sub(a.base))
}

// Now returns the nanoseconds since 1970, in about 25 ns.
func (a Anchor) Now() int64 { return a.wall + int64(time.Since(a.base)) }
