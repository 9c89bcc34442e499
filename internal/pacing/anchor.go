package pacing

import "time"

// Anchor tells wall time that only the monotonic clock moves: the wall clock is
// read once, so a later step of it changes no latency. It is safe for use by
// several goroutines.
type Anchor struct {
	base time.Time
	wall int64
}

// NewAnchor reads the wall clock.
func NewAnchor() Anchor {
	base := time.Now()
	return Anchor{base: base, wall: base.UnixNano()}
}

// Step returns by how much the wall clock has been set forward since it was read, in
// nanoseconds; negative if it was set back.
func (a Anchor) Step() int64 {
	now := time.Now()
	return now.UnixNano() - a.wall - int64(now.Sub(a.base))
}

// Now returns the nanoseconds since 1970, in about 25 ns.
func (a Anchor) Now() int64 { return a.wall + int64(time.Since(a.base)) }
