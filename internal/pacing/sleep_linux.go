package pacing

import (
	"fmt"
	"math"
	"time"

	"golang.org/x/sys/unix"
)

// TimerName names the way [Thread] waits on this system.
const TimerName = "clock_nanosleep"

const (
	timerSlack   = 1_000  // ns; the kernel may delay a wake-up by this much
	defaultSlack = 50_000 // ns; what Linux gives a thread
)

// tune sets the timer slack and finds the offset between the kernel's clock
// that sleepOnce uses and the anchor.
func (t *Thread) tune() error {
	if err := unix.Prctl(unix.PR_SET_TIMERSLACK, timerSlack, 0, 0, 0); err != nil {
		return fmt.Errorf("set the timer slack of the pacer's thread: %w", err)
	}
	best := int64(math.MaxInt64)
	for range 20 { // the tightest of several readings bounds the offset best
		var ts unix.Timespec
		before := t.Now()
		if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
			return fmt.Errorf("read the monotonic clock: %w", err)
		}
		after := t.Now()
		if width := after - before; width < best {
			best = width
			t.offset = ts.Nano() - before - width/2
		}
	}
	return nil
}

func (t *Thread) untune() {
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, defaultSlack, 0, 0, 0) // the thread is only less frugal if this fails
}

// sleepOnce sleeps once until about at; a signal may end it early.
func (t *Thread) sleepOnce(at int64) {
	ts := unix.NsecToTimespec(at + t.offset)
	if err := unix.ClockNanosleep(unix.CLOCK_MONOTONIC, unix.TIMER_ABSTIME, &ts, nil); err != nil && err != unix.EINTR {
		time.Sleep(time.Duration(at - t.Now())) // a sandbox that refuses the call: late, but not spinning
	}
}
