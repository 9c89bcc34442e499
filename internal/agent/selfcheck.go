package agent

import (
	"context"
	"fmt"
	"time"

	"dec.local/dec/internal/measure"
	"dec.local/dec/internal/pacing"
)

// The self-check before each run.
const (
	checkLength = 2 * time.Second // of the lateness check
	checkRate   = 1000            // wake-ups per second, spread over the time in which brokers start
	checkDelay  = time.Millisecond
	checkDelays = 101 // delays whose median error is reported
)

// selfCheck says how late this host wakes a pacer up, and how wrong an injected
// delay is, while nothing is being measured.
func selfCheck(ctx context.Context, newClock ClockFunc, anchor pacing.Anchor) (lateness measure.Latency, delayError int64, err error) {
	c, err := newClock(anchor)
	if err != nil {
		return measure.Latency{}, 0, fmt.Errorf("self-check: %w", err)
	}
	defer c.Close()
	late := measure.NewHistogram()
	if err := pacing.CheckLateness(ctx, c, checkRate, checkLength, late.Record); err != nil {
		return measure.Latency{}, 0, fmt.Errorf("self-check: %w", err)
	}
	delayError, err = pacing.CheckDelay(ctx, c, checkDelay, checkDelays)
	if err != nil {
		return measure.Latency{}, 0, fmt.Errorf("self-check: %w", err)
	}
	return late.Summary(), delayError, nil
}

// check is a self-check under way, while the brokers start.
type check struct {
	done       chan struct{} // closed at the end
	lateness   measure.Latency
	delayError int64 // ns
	err        error
}

// check starts the self-check on a goroutine of its own.
func (a *agent) check(ctx context.Context) *check {
	c := &check{done: make(chan struct{})}
	go func() {
		defer close(c.done)
		c.lateness, c.delayError, c.err = selfCheck(ctx, a.clock, a.anchor)
	}()
	return c
}
