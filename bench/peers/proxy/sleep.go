package proxy

import (
	"context"
	"time"

	"dec.local/dec/internal/pacing"
)

// sleeper waits for points in time more precisely than the timers of Go, which are
// up to a millisecond late.
type sleeper struct {
	anchor pacing.Anchor
	thread *pacing.Thread // nil where there is none to be had
}

// newSleeper is called on the goroutine that will use it.
func newSleeper() sleeper {
	anchor := pacing.NewAnchor()
	thread, err := pacing.Lock(anchor)
	if err != nil {
		return sleeper{anchor: anchor}
	}
	return sleeper{anchor, thread}
}

func (s sleeper) close() {
	if s.thread != nil {
		s.thread.Close()
	}
}

// until returns at a moment or shortly after it, at once if it has passed.
func (s sleeper) until(at time.Time) {
	left := time.Until(at)
	if left <= 0 {
		return
	}
	if s.thread == nil {
		time.Sleep(left)
		return
	}
	// Without a limit of its own the wait cannot fail.
	_, _ = s.thread.SleepUntil(context.Background(), s.anchor.Now()+int64(left))
}
