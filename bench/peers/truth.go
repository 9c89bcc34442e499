package main

import (
	"math"
	"time"

	"dec.local/dec/internal/measure"
)

// truthCase is a load behind a proxy of which it is known what every message must
// have taken.
type truthCase struct {
	load    load
	title   string
	delay   time.Duration // of each chunk, each way
	stall   time.Duration // nothing passes for so long, once
	measure time.Duration
	linger  time.Duration
	// inFlight is the most messages under way of the tools that can be told.
	inFlight int
}

// In the first case, so few messages are sent that each goes alone and at once: an
// idempotent producer of Kafka has at most five requests under way. In the second,
// clients hold what comes in the stall. In the third it is far more than they hold,
// which is 32 MiB with Kafka's own, so that the tools are blocked.
var truthCases = []truthCase{
	{title: "each chunk held for 10 ms each way, 100/s", delay: 10 * time.Millisecond, measure: 20 * time.Second, inFlight: maxInFlight,
		load: load{name: "delay", size: 1 << 10, rate: 100, rounds: 1, omb: true}},
	{title: "a stall of 3 s, 1,000/s of 1 KiB", stall: 3 * time.Second, measure: 30 * time.Second, linger: linger, inFlight: maxInFlight,
		load: load{name: "stall", size: 1 << 10, rate: 1_000, rounds: 1, omb: true}},
	{title: "a stall of 6 s, 3,000/s of 10 KiB", stall: 6 * time.Second, measure: 30 * time.Second, linger: linger, inFlight: 2_000,
		load: load{name: "flood", size: 10 << 10, rate: 3_000, rounds: 1, omb: true}},
}

// quantileNames are those that are held against the truth.
var quantileNames = []struct {
	name string
	q    float64
}{{"p50", 0.5}, {"p95", 0.95}, {"p99", 0.99}, {"p99.9", 0.999}}

// truth is the true quantile of a latency from the intended moment, in
// milliseconds, without what the broker itself needs. It is false where that is all
// there is.
//
// With a delay of d each way, an acknowledgement takes 2d. NATS sends a message to
// its consumer at once, so it arrives after 2d too. Kafka's consumer has one fetch
// under way: a message that comes to the broker while an answer and the next fetch
// travel waits for up to 2d more, and as the messages come at any time in it, evenly.
//
// A stall is worked off at the speed that the proxy saw, whatever the tool says.
func (c truthCase) truth(system, what string, q float64, o outcome) (ms float64, ok bool) {
	if what == sendDelay {
		return 0, false // no latency, and it has no true value
	}
	if c.stall > 0 {
		drain := math.Inf(1)
		if o.CaughtUp > 0 {
			drain = float64(c.load.rate) * float64(c.stall+o.CaughtUp) / float64(o.CaughtUp)
		}
		d := measure.StallQuantile(q, c.stall, o.Measured, float64(c.load.rate), drain)
		return d.Seconds() * 1e3, d > c.stall/5 // below, it depends too much on what is not known
	}
	if q > 0.5 && o.busy(c.delay) {
		return 0, false // the proxy itself, and so the machine, held some for longer
	}
	way := c.delay.Seconds() * 1e3
	if system == kafkaSystem && what == "end to end" {
		return 2*way + q*2*way, true
	}
	return 2 * way, true
}

// busy reports whether the proxy was more than a millisecond late with one chunk in a
// hundred.
func (o outcome) busy(delay time.Duration) bool {
	return len(o.Held) == 2 && o.Held[1] > delay+time.Millisecond
}

// Tolerances of a reported value: the broker's own time and the scheduling of a
// busy machine.
const (
	tolerance   = 0.1
	toleranceMS = 2
)

// right reports whether a value that a tool tells is the truth.
func right(reported, truth float64) bool {
	return math.Abs(reported-truth) <= max(tolerance*truth, toleranceMS)
}
