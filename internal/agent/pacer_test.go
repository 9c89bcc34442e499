package agent_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"dec.local/dec/internal/agent"
	"dec.local/dec/internal/agent/agenttest"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
	"dec.local/dec/internal/pacing"
)

// TestABlockedProducerHoldsUpNoOther has 20 producers on one thread, one of which is
// blocked by its client for half a second in every call of Send: it sends what it can,
// and all others send in time.
func TestABlockedProducerHoldsUpNoOther(t *testing.T) {
	const producers, blocked = 20, 7
	synctest.Test(t, func(t *testing.T) {
		w := workload(func(w *experiment.Workload) {
			w.Topology.Producers = producers
			w.Stages.Drain = experiment.Duration(time.Second)
		})
		b := newBench(t, w, agenttest.Options{Block: func(producer int) time.Duration {
			if producer == blocked {
				return time.Second / 2
			}
			return 0
		}})
		got, _ := b.run()
		// 50 a second of each; the blocked one sends two a second, over 4 s.
		if c := got.Counts; c.Offered != 2000 || c.Sent != 1900 || c.Unsent != 100 {
			t.Errorf("Counts = %+v, want all but those of the blocked producer sent: it is still at the warm-up", c)
		}
		// Others wait while the block is noticed, once for each time that it comes back.
		if late := *got.Lateness.MaxNS; late > int64(3*time.Millisecond) {
			t.Errorf("lateness up to %s, want at most 3 ms", time.Duration(late))
		}
		if !got.Validity.OK {
			t.Errorf("Validity = %+v, want a valid run: the client was the limit", got.Validity)
		}
	})
}

// TestABlockOfManyIsNotLateness has all producers of shared threads blocked by their
// clients in every Send: for so little that no thread is replaced, for longer, and until
// the very moment at which one would be.
func TestABlockOfManyIsNotLateness(t *testing.T) {
	for _, producers := range []int{2, 32, 200} {
		for _, long := range []time.Duration{100 * time.Microsecond, 900 * time.Microsecond, 1900 * time.Microsecond, 2 * time.Millisecond} {
			t.Run(fmt.Sprint(producers, " producers, ", long), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := workload(func(w *experiment.Workload) {
						w.Topology.Producers, w.Load.Rate = producers, 20_000
						w.Stages.Warmup, w.Stages.Measure = experiment.Duration(100*time.Millisecond), experiment.Duration(400*time.Millisecond)
					})
					got, _ := newBench(t, w, agenttest.Options{Block: func(int) time.Duration { return long }}).run()
					if !got.Validity.OK {
						t.Errorf("Validity = %+v, want a valid run: the clients were the limit", got.Validity)
					}
				})
			})
		}
	}
}

// TestLateOrBlocked has a client whose every hundredth Send is long, while the next
// messages fall due. The thread either waits for the client, or for a processor.
func TestLateOrBlocked(t *testing.T) {
	for _, long := range []time.Duration{100 * time.Microsecond, time.Millisecond, 10 * time.Millisecond, 100 * time.Millisecond} {
		for name, preempted := range map[string]bool{"blocked": false, "preempted": true} {
			t.Run(name+" for "+long.String(), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					got := withLongSends(t, long, preempted)
					late, wait := time.Duration(*got.Lateness.MaxNS), time.Duration(*got.Wait.MaxNS)
					if preempted {
						late, wait = wait, late
					}
					// The next message falls due 50 µs after the long one.
					if want := long - 50*time.Microsecond; late != 0 || !within(wait, want, 0.001) {
						t.Errorf("lateness up to %s and back-pressure up to %s, want %s of one and none of the other",
							time.Duration(*got.Lateness.MaxNS), time.Duration(*got.Wait.MaxNS), want)
					}
				})
			})
		}
	}
}

func withLongSends(t *testing.T, long time.Duration, preempted bool) measure.Result {
	w := workload(func(w *experiment.Workload) {
		w.Load.Rate = 20_000
		w.Stages.Warmup, w.Stages.Measure = experiment.Duration(100*time.Millisecond), experiment.Duration(400*time.Millisecond)
	})
	sends := 0
	b := newBench(t, w, agenttest.Options{Block: func(int) time.Duration {
		if sends++; sends%4000 == 0 {
			return long
		}
		return 0
	}})
	b.clock = func(a pacing.Anchor) (agent.Clock, error) {
		c := starvedClock{Timer: pacing.Timer{Anchor: a}}
		if preempted {
			c.wait = long
		}
		return c, nil
	}
	result, _ := b.run()
	return result
}

// starvedClock is that of a thread which had no processor for a while, whenever it is asked.
type starvedClock struct {
	pacing.Timer
	wait time.Duration
}

func (c starvedClock) Preempted() int64 { return int64(c.wait) }

// TestLateAndThenBlocked has a thread that had no processor for 5 ms before a message was
// due to be sent, and a client that then blocks for 10 ms: that is none of the lateness.
func TestLateAndThenBlocked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var late atomic.Bool
		b := newBench(t, workload(), agenttest.Options{Block: func(int) time.Duration {
			if !late.CompareAndSwap(true, false) {
				return 0
			}
			return 10 * time.Millisecond
		}})
		b.clock = func(a pacing.Anchor) (agent.Clock, error) {
			return &preemptedClock{Timer: pacing.Timer{Anchor: a}, every: 200, late: &late}, nil
		}
		got, _ := b.run()
		lateness, wait := time.Duration(*got.Lateness.MaxNS), time.Duration(*got.Wait.MaxNS)
		if !within(lateness, 5*time.Millisecond, 0.001) || !within(wait, 10*time.Millisecond, 0.001) {
			t.Errorf("lateness up to %s and back-pressure up to %s, want 5 ms and 10 ms", lateness, wait)
		}
	})
}

// preemptedClock is that of a thread which had no processor for 5 ms at every so many
// waits.
type preemptedClock struct {
	pacing.Timer
	every, waits int
	late         *atomic.Bool
	waited       time.Duration
}

func (c *preemptedClock) SleepUntil(ctx context.Context, at int64) (int64, error) {
	now, err := c.Timer.SleepUntil(ctx, at)
	if c.waits++; c.waits%c.every == 0 {
		time.Sleep(5 * time.Millisecond)
		c.waited += 5 * time.Millisecond
		c.late.Store(true)
		now = c.Now()
	}
	return now, err
}

func (c *preemptedClock) Preempted() int64 {
	waited := c.waited
	c.waited = 0
	return int64(waited)
}

// TestRunFailsWithoutAClock has no thread to pace with.
func TestRunFailsWithoutAClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, workload(func(w *experiment.Workload) { w.Topology.Producers = 3 }), agenttest.Options{})
		var clocks atomic.Int32
		b.clock = func(a pacing.Anchor) (agent.Clock, error) {
			if clocks.Add(1) > 2 { // the first two are for the self-checks
				return nil, errTest
			}
			return timer(a)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		b.startAll(ctx)
		server := b.server()
		b.begin(ctx, server)
		if err := server.Follow(ctx, func(measure.Second) {}); err == nil {
			t.Error("Follow() = nil, want the failure of the agent")
		}
	})
}
