package agent_test

import (
	"math"
	"testing"
	"testing/synctest"
	"time"

	"dec.local/dec/internal/agent/agenttest"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
)

// TestRunSeesAStallAsTheClosedForm sends through a broker that stands still for
// 3 s in a window of 30 s, and compares with the formula of [measure.StallQuantile].
func TestRunSeesAStallAsTheClosedForm(t *testing.T) {
	const (
		stall  = 3 * time.Second
		window = 30 * time.Second
	)
	tests := map[string]struct {
		rate     float64 // offered
		drain    float64 // at which the broker works off what has queued; 0 is at once
		inFlight int
		blocked  bool // the pacer has to wait for slots
		many     int  // producers; one if zero
	}{
		"everything is released at once":                {rate: 250, inFlight: 10_000},
		"what has queued is worked off at 1,250/s":      {rate: 250, drain: 1250, inFlight: 10_000},
		"200 slots are full soon after the stall began": {rate: 250, inFlight: 200, blocked: true},
		"few slots and a slow release":                  {rate: 250, drain: 1250, inFlight: 50, blocked: true},
		"one slot":                                      {rate: 200, inFlight: 1, blocked: true},
		"many producers on one thread":                  {rate: 250, drain: 1250, inFlight: 10_000, many: 20},
		"all of them blocked":                           {rate: 250, inFlight: 4, blocked: true, many: 20},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := workload(func(w *experiment.Workload) {
					w.Load.Rate, w.Load.MaxInFlight = tt.rate, tt.inFlight
					w.Stages.Measure, w.Topology.Producers = experiment.Duration(window), max(tt.many, 1)
				})
				b := newBench(t, w, agenttest.Options{Rate: tt.drain, Stall: onceAfter(10*time.Second, stall)})
				got, _ := b.run()
				checkStall(t, got, stall, window, tt.rate, tt.drain)
				if want := int64(window.Seconds() * tt.rate); got.Counts.Acked != want || got.Counts.Received != want {
					t.Errorf("Counts = %+v, want %d acked and received", got.Counts, want)
				}
				if *got.Lateness.MaxNS != 0 || !got.Validity.OK {
					t.Errorf("pacer lateness up to %d ns, validity %+v: a stall is not the pacer's fault", *got.Lateness.MaxNS, got.Validity)
				}
				if blocked := *got.Wait.MaxNS > 0; blocked != tt.blocked {
					t.Errorf("back-pressure up to %d ns, want some: %t", *got.Wait.MaxNS, tt.blocked)
				}
			})
		})
	}
}

// onceAfter is a stall that begins some time after the first message.
func onceAfter(wait, stall time.Duration) func(time.Time) time.Duration {
	var from time.Time
	return func(at time.Time) time.Duration {
		if from.IsZero() {
			from = at.Add(wait)
		}
		if at.Before(from) {
			return 0
		}
		return max(0, from.Add(stall).Sub(at))
	}
}

func checkStall(t *testing.T, got measure.Result, stall, window time.Duration, rate, drain float64) {
	t.Helper()
	if drain == 0 {
		drain = math.Inf(1)
	}
	for name, l := range map[string]measure.Latency{"publish": got.Publish, "end to end": got.E2E} {
		for q, ns := range map[float64]*int64{0.95: l.P95NS, 0.99: l.P99NS} {
			want := measure.StallQuantile(q, stall, window, rate, drain)
			if ns == nil || !within(time.Duration(*ns), want, 0.01) {
				t.Errorf("%s latency %+v: quantile %v, want %s by the formula", name, l, q, want)
			}
		}
	}
}

// TestAStallOverTheEndOfTheStageIsSeen stops the broker 4 s before the end of a stage
// of 20 s. What is due meanwhile is sent in the drain stage, as far as that lasts.
func TestAStallOverTheEndOfTheStageIsSeen(t *testing.T) {
	tests := map[string]struct {
		stall   time.Duration
		drain   time.Duration
		unsent  bool
		exactly bool // the p99 is known
	}{
		"it goes on within the drain stage": {stall: 6 * time.Second, drain: 30 * time.Second, exactly: true},
		"it goes on after it":               {stall: 20 * time.Second, drain: 10 * time.Second, unsent: true},
		"it never goes on":                  {stall: time.Hour, drain: 3 * time.Second, unsent: true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := workload(func(w *experiment.Workload) {
					w.Load.Rate, w.Load.MaxInFlight = 500, 50
					w.Stages.Measure, w.Stages.Drain = experiment.Duration(20*time.Second), experiment.Duration(tt.drain)
				})
				warmup := w.Stages.Warmup.Std()
				b := newBench(t, w, agenttest.Options{Latency: time.Millisecond, Stall: onceAfter(warmup+16*time.Second, tt.stall)})
				got, _ := b.run()
				c := got.Counts
				if c.Offered != 10_000 || c.Offered != c.Unsent+c.Acked+c.Failed+c.Unanswered || c.Unsent > 0 != tt.unsent {
					t.Errorf("Counts = %+v, want 10,000 offered, each in one place, some unsent: %t", c, tt.unsent)
				}
				p50, p99 := got.E2E.Quantile("p50"), got.E2E.Quantile("p99")
				if !p50.Exact || *p50.NS > int64(2*time.Millisecond) {
					t.Errorf("p50 = %+v, want one of 1 ms: four fifths came at once", p50)
				}
				// The first of the last fifth waited longest: p99 is the wait of one 4 %
				// of that fifth, or 5 %, after it.
				least := min(tt.stall, 4*time.Second+tt.drain) - 500*time.Millisecond
				if p99.NS == nil || p99.Exact != tt.exactly || *p99.NS < int64(least) {
					t.Errorf("p99 = %+v, want at least %s, exactly: %t", p99, least, tt.exactly)
				}
				if !got.Validity.OK {
					t.Errorf("Validity = %+v, want a valid run: the broker was the limit", got.Validity)
				}
			})
		})
	}
}

func TestRunCountsWhatAStandingBrokerDoesNotTake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// The broker answers nothing from the warm-up's end on: 10 slots take 10
		// messages, and the other 1,990 are never sent.
		w := workload(func(w *experiment.Workload) { w.Load.MaxInFlight = 10 })
		b := newBench(t, w, agenttest.Options{Fault: func(n int64) agenttest.Fault { return agenttest.Fault{Mute: n >= 1000} }})
		got, _ := b.run()
		want := measure.Counts{Offered: 2000, Sent: 10, Unsent: 1990, Unanswered: 10, Bytes: 1000}
		if got.Counts != want {
			t.Errorf("Counts = %+v, want %+v", got.Counts, want)
		}
		if !got.Validity.OK {
			t.Errorf("Validity = %+v, want a valid run: the broker was the limit", got.Validity)
		}
		if got.E2E.P50NS != nil || got.E2E.P50AtLeastNS == nil {
			t.Errorf("E2E = %+v, want no p50 but a bound: nothing came", got.E2E)
		}
	})
}
