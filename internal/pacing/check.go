package pacing

import (
	"context"
	"slices"
	"time"
)

// clock is what the self-checks need: a [Thread], or a [Timer] in virtual time.
type clock interface {
	Now() int64
	SleepUntil(ctx context.Context, at int64) (int64, error)
}

// CheckLateness wakes up rate times a second for the given time, without
// sending anything, and hands over how late each wake-up was, in nanoseconds.
// It tells what the host allows before a load is offered.
func CheckLateness(ctx context.Context, c clock, rate float64, length time.Duration, late func(ns int64)) error {
	start := c.Now()
	for i := int64(1); ; i++ {
		offset := float64(i) * float64(time.Second) / rate
		if offset > float64(length) {
			return nil
		}
		at := start + int64(offset)
		now, err := c.SleepUntil(ctx, at)
		if err != nil {
			return err
		}
		late(now - at)
	}
}

// CheckDelay injects the same delay n times and returns the median of how much
// longer it took, in nanoseconds.
func CheckDelay(ctx context.Context, c clock, delay time.Duration, n int) (int64, error) {
	errs := make([]int64, 0, n)
	for range n {
		start := c.Now()
		now, err := c.SleepUntil(ctx, start+int64(delay))
		if err != nil {
			return 0, err
		}
		errs = append(errs, now-start-int64(delay))
	}
	if n == 0 {
		return 0, nil
	}
	slices.Sort(errs)
	return errs[(n-1)/2], nil
}
