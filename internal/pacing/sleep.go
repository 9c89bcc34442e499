package pacing

import (
	"context"
	"runtime"
	"time"
)

const (
	// DefaultMinGap keeps the processor time of wake-ups bounded at any rate:
	// where one costs 20 µs, as on a small virtual machine, 20,000 a second
	// would take half a processor. It adds about 80 µs to the median lateness
	// from 10,000 messages a second on, and nothing at low rates.
	DefaultMinGap = 170 * time.Microsecond

	// DefaultSpin is longer than most wake-ups are late.
	DefaultSpin = 100 * time.Microsecond

	// slice bounds one sleep, and so the time that a cancellation goes unnoticed.
	slice = 100 * time.Millisecond

	// spin is the longest wait that is passed awake: a sleep as short takes
	// longer than that.
	spin = 5 * time.Microsecond

	// maxLead bounds what counts as a wake-up's usual lateness.
	maxLead = 100 * time.Microsecond

	// yieldEvery is how often the goroutine passes through Go's scheduler. The
	// runtime's monitor takes the processor away from a goroutine that it has
	// not seen there for 10 ms and that sleeps in a system call, and then polls
	// every 20 µs to do so again: that costs as much as the sleeps themselves.
	yieldEvery = 5 * time.Millisecond
)

// Thread waits for points in time on a locked OS thread. Use it only on the
// goroutine that made it.
type Thread struct {
	Anchor
	// MinGap is the least time between two wake-ups, [DefaultMinGap] after
	// Lock. Messages that fall due within it are found due together, up to
	// MinGap late; each wake-up saved is some microseconds of processor time.
	MinGap time.Duration
	// Spin is how long before a moment the thread wakes up, to pass the rest of the wait
	// awake; zero after Lock. It takes a processor of its own, and saves the lateness of
	// wake-ups.
	Spin time.Duration

	lead    int64 // how late wake-ups usually come, ns
	offset  int64 // kernel monotonic clock minus Anchor's wall time, ns
	woke    int64 // wall time of the last wake-up
	yielded int64 // wall time of the last pass through Go's scheduler
	queue   runQueue
	waited  int64 // in the run queue, up to the last sleep or the last Preempted, ns
}

// Lock locks the calling goroutine to its thread, sets the thread's timer slack
// to 1 µs where the system knows one, and returns its clock. Close ends both.
func Lock(a Anchor) (*Thread, error) {
	runtime.LockOSThread()
	t := &Thread{Anchor: a, MinGap: DefaultMinGap}
	if err := t.tune(); err != nil {
		runtime.UnlockOSThread()
		return nil, err
	}
	t.queue = openRunQueue()
	return t, nil
}

// Close gives the thread back.
func (t *Thread) Close() { t.untune(); t.queue.close(); runtime.UnlockOSThread() }

// SleepUntil returns the present time once it is at, in wall nanoseconds, or
// later; at once if it has passed. When ctx ends first, it returns the cause
// within 100 ms.
func (t *Thread) SleepUntil(ctx context.Context, at int64) (int64, error) {
	now := t.Now()
	if now >= at {
		return now, nil
	}
	at = max(at, t.woke+int64(t.MinGap))
	if now-t.yielded >= int64(yieldEvery) {
		t.yielded = now
		runtime.Gosched()
		now = t.Now()
	}
	for now < at {
		if ctx.Err() != nil {
			return now, context.Cause(ctx)
		}
		now = t.sleepUntilAbout(at, now)
	}
	t.woke = now
	t.waited = t.queue.wait()
	return now, nil
}

// Preempted returns for how long the thread was ready and had no processor since its
// last sleep or the last call, in nanoseconds. It is 0 where the system does not tell.
func (t *Thread) Preempted() int64 {
	before := t.waited
	t.waited = t.queue.wait()
	return t.waited - before
}

// sleepUntilAbout sleeps once, until about at. It asks for a wake-up somewhat before, by
// most of what wake-ups have come late of late, and passes the few microseconds
// that may be left awake: nothing is sent before its time.
func (t *Thread) sleepUntilAbout(at, now int64) int64 {
	ask := min(at-t.lead*3/4-int64(t.Spin), now+int64(slice))
	if ask-now < int64(spin) {
		return t.Now()
	}
	t.sleepOnce(ask)
	now = t.Now()
	if late := now - ask; late >= 0 && late < int64(maxLead) { // later ones say nothing of the next
		t.lead += (late - t.lead) / 16
	}
	return now
}

// Timer waits with Go's timers. It is the clock of virtual time (testing/synctest).
type Timer struct{ Anchor }

// SleepUntil is as that of [Thread], without a bound on the lateness and with
// an immediate end when ctx ends.
func (t Timer) SleepUntil(ctx context.Context, at int64) (int64, error) {
	now := t.Now()
	if now >= at {
		return now, nil
	}
	timer := time.NewTimer(time.Duration(at - now))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return t.Now(), context.Cause(ctx)
	case <-timer.C:
		return max(t.Now(), at), nil
	}
}

// Preempted is 0.
func (t Timer) Preempted() int64 { return 0 }

// Close does nothing.
func (t Timer) Close() {}
