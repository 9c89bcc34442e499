package rendezvous_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"dec.local/dec/internal/measure"
	"dec.local/dec/internal/rendezvous"
)

func TestWritePlanKeepsTheFirstPlan(t *testing.T) {
	r := newRun(t)
	if err := r.server.WritePlan(t.Context(), r.plan); err != nil {
		t.Fatal(err)
	}
	if err := newServer(r.bucket).WritePlan(t.Context(), r.plan); err != nil {
		t.Errorf("WritePlan() of the same plan = %v, want nil", err)
	}
	r.plan.Destination = "elsewhere"
	if err := r.server.WritePlan(t.Context(), r.plan); !errors.Is(err, rendezvous.ErrExists) {
		t.Errorf("WritePlan() of another plan = %v, want %v", err, rendezvous.ErrExists)
	}
}

func TestAwaitReadyNamesWhatIsMissing(t *testing.T) {
	tests := map[string]struct {
		objects map[string]any
		want    string
	}{
		"no plan":         {nil, "the bucket has lost this run's plan.json, so the run cannot continue"},
		"nothing":         {map[string]any{"plan.json": nil}, "the destination was not prepared"},
		"no hello of one": {map[string]any{"plan.json": nil, "prepared.json": rendezvous.Prepared{}, "agents/consumer-0/hello.json": rendezvous.Hello{}}, "agents not ready: producer-0"},
		"refused":         {map[string]any{"plan.json": nil, "prepared.json": rendezvous.Prepared{Refused: "too weak"}}, "too weak"},
		"failed":          {map[string]any{"plan.json": nil, "agents/consumer-0/failed.json": rendezvous.Failed{Reason: "no route"}}, "agent consumer-0 gave up: no route"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRun(t)
				for name, v := range tt.objects {
					if name == rendezvous.PlanObject {
						v = r.plan
					}
					r.put(name, v)
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				if err := r.server.AwaitReady(ctx); err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("AwaitReady() = %v, want %q", err, tt.want)
				}
			})
		})
	}
}

func TestBeginKeepsTheFirstStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRun(t)
		first, err := r.server.Begin(t.Context(), time.Second)
		if want := time.Now().Add(time.Second); err != nil || !first.Start.Equal(want) {
			t.Errorf("Begin() = %v, %v, want %v", first.Start, err, want)
		}
		<-time.After(time.Minute)
		again, err := newServer(r.bucket).Begin(t.Context(), time.Second)
		if err != nil || !again.Start.Equal(first.Start) {
			t.Errorf("Begin() again = %v, %v, want %v", again.Start, err, first.Start)
		}
	})
}

func TestStopBeforeBeginLeavesNoLoad(t *testing.T) {
	r := newRun(t)
	if err := r.server.WritePlan(t.Context(), r.plan); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := r.server.Stop(t.Context(), "cancelled"); err != nil {
			t.Fatal(err)
		}
	}
	if step, err := r.server.Begin(t.Context(), 0); err != nil || !step.Stop {
		t.Errorf("Begin() = %+v, %v, want the stop", step, err)
	}
	if err := r.server.Follow(t.Context(), nil); err != nil {
		t.Errorf("Follow() = %v, want nil", err)
	}
	if _, _, err := r.server.Collect(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "stopped before its load started: cancelled") {
		t.Errorf("Collect() = %v, want an error that says so", err)
	}
}

// A server of an earlier version stored the result with everything inside, and died
// before it had completed it.
func TestResultOfAnEarlierVersionIsCompleted(t *testing.T) {
	r := newRun(t)
	folder := rendezvous.NewFolder(r.bucket, r.plan.Run)
	merged := measure.Merged{
		Result:   measure.Result{Throughput: 7, Versions: map[string]string{"dec-agent": "1"}},
		Timeline: []measure.Second{{Second: 0}}, Histograms: map[measure.Distribution]string{measure.E2ELatency: "x"},
	}
	start := time.Now().Round(0)
	for name, v := range map[string]any{rendezvous.StepObject(0): rendezvous.Step{Start: start}, rendezvous.ResultObject: merged} {
		if err := folder.Put(t.Context(), name, v); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		result, data, err := r.server.Collect(t.Context(), func(_ context.Context, begun time.Time, r *measure.Result) error {
			if !begun.Equal(start) {
				t.Errorf("the load began at %s, want %s", begun, start)
			}
			r.Variant = "nats"
			return nil
		})
		if err != nil || result.Variant != "nats" || result.Throughput != 7 || bytes.Contains(data, []byte("timeline")) {
			t.Errorf("Collect() = %s, %v, want the completed result alone", data, err)
		}
	}
	if seconds, ok, err := rendezvous.KeptTimeline(t.Context(), r.bucket, r.plan.Run); err != nil || !ok || len(seconds) != 1 {
		t.Errorf("KeptTimeline() = %v, %t, %v, want the second", seconds, ok, err)
	}
}

func TestFollowStopsWhenEverythingHasArrived(t *testing.T) {
	g := func(n ...int64) map[string]int64 {
		groups := map[string]int64{"group-0": n[0]}
		if len(n) > 1 {
			groups["group-1"] = n[1]
		}
		return groups
	}
	busy := second{acked: 10, busy: true}
	tests := map[string]struct {
		producer, consumer []second
		drained            bool
		after              time.Duration // from the start
	}{
		"all has arrived by the end, and one second is quiet": {
			[]second{busy, busy, busy, {}, {}}, []second{{received: g(10)}, {received: g(10)}, {received: g(10)}, {received: g(0)}, {received: g(0)}}, true, 4 * time.Second,
		},
		"more arrives than was acknowledged": {
			[]second{busy, busy, busy, {}, {}}, []second{{received: g(10)}, {received: g(10)}, {received: g(11)}, {received: g(0)}, {received: g(0)}}, true, 4 * time.Second,
		},
		"the last come late": {
			[]second{busy, busy, busy, {}, {}, {}, {}}, []second{{received: g(10)}, {received: g(10)}, {received: g(0)}, {received: g(0)}, {received: g(10)}, {received: g(0)}, {}}, true, 6 * time.Second,
		},
		"an acknowledgement is awaited": {
			[]second{busy, busy, busy, {busy: true}, {busy: true}, {acked: 1}, {}}, []second{{received: g(10)}, {received: g(10)}, {received: g(11)}, {received: g(0)}, {received: g(0)}, {received: g(0)}, {received: g(0)}}, true, 7 * time.Second,
		},
		"one is missing until the end of the drain stage": {
			[]second{busy, busy, busy, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}}, []second{{received: g(10)}, {received: g(10)}, {received: g(9)}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}}, false, 13 * time.Second,
		},
		"the second group misses one": {
			[]second{busy, busy, busy, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}}, []second{{received: g(10, 10)}, {received: g(10, 10)}, {received: g(20, 9)}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}}, false, 13 * time.Second,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRun(t)
				r.begin()
				started := time.Now()
				go r.progress("producer-0", tt.producer...)
				go r.progress("consumer-0", tt.consumer...)
				if err := r.server.Follow(t.Context(), func(measure.Second) {}); err != nil {
					t.Errorf("Follow() = %v", err)
				}
				took := time.Since(started)
				if took < tt.after || took > tt.after+500*time.Millisecond {
					t.Errorf("Follow() stopped after %s, want %s", took, tt.after)
				}
				var step rendezvous.Step
				if err := r.folder.Get(t.Context(), rendezvous.StepObject(1), &step); err != nil || !step.Stop || step.Drained != tt.drained {
					t.Errorf("step 1 = %+v, %v, want a stop with drained = %t", step, err, tt.drained)
				}
				<-time.After(time.Minute) // until the agents have ended
			})
		})
	}
}

func TestFollowWaitsForTheSlowestAgent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRun(t)
		r.begin()
		go r.progress("producer-0", second{acked: 7}, second{acked: 8}, second{}, second{}, second{})
		go func() {
			<-time.After(1500 * time.Millisecond)
			r.progress("consumer-0", second{received: map[string]int64{"group-0": 3}}, second{received: map[string]int64{"group-0": 12}}, second{}, second{}, second{})
		}()
		started := time.Now()
		var backlog []int64
		err := r.server.Follow(t.Context(), func(s measure.Second) {
			if early := time.Duration(2500+1000*s.Second) * time.Millisecond; time.Since(started) < early {
				t.Errorf("second %d came after %s, want %s at the earliest", s.Second, time.Since(started), early)
			}
			backlog = append(backlog, s.Backlog)
		})
		if err != nil {
			t.Errorf("Follow() = %v", err)
		}
		if len(backlog) < 2 || backlog[0] != 4 || backlog[1] != 0 {
			t.Errorf("Follow() gave the backlogs %v, want 4, 0, …", backlog)
		}
		<-time.After(time.Minute)
	})
}
