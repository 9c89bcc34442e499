package rendezvous_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"dec.local/dec/internal/measure"
	"dec.local/dec/internal/rendezvous"
)

// TestSecondsEqualWhatFollowGives reads a run as a server does that does not
// drive it, and wants the rows that the driving server got.
func TestSecondsEqualWhatFollowGives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRun(t)
		r.begin()
		got := func(n int64) second { return second{received: map[string]int64{"group-0": n}} }
		go r.progress("producer-0", second{acked: 10, busy: true}, second{acked: 9, busy: true}, second{}, second{}, second{})
		go r.progress("consumer-0", got(3), got(4), got(12), got(0), got(0))
		var want []measure.Second
		if err := r.server.Follow(t.Context(), func(s measure.Second) { want = append(want, s) }); err != nil {
			t.Fatalf("Follow() = %v", err)
		}
		if len(want) < 3 || want[1].Backlog != 12 {
			t.Fatalf("Follow() gave %+v, want at least 3 seconds with a backlog of 12 in second 1", want)
		}
		<-time.After(time.Minute) // until the agents have ended
		for _, after := range []int{-1, 0, 2} {
			seconds, err := rendezvous.Seconds(t.Context(), r.bucket, "r1", after)
			if err != nil {
				t.Fatalf("Seconds(after %d) = %v", after, err)
			}
			if diff := cmp.Diff(want[after+1:], seconds[:min(len(seconds), len(want)-after-1)]); diff != "" {
				t.Errorf("Seconds(after %d) (-follow +got):\n%s", after, diff)
			}
		}
		if seconds, err := rendezvous.Seconds(t.Context(), r.bucket, "r1", 99); len(seconds) > 0 || err != nil {
			t.Errorf("Seconds(after the last) = %+v, %v, want none", seconds, err)
		}
	})
}

// TestSecondsKeepTheirLatencies wants percentiles in what is returned, though
// not what came before it.
func TestSecondsKeepTheirLatencies(t *testing.T) {
	r := newRun(t)
	if err := r.server.WritePlan(t.Context(), r.plan); err != nil {
		t.Fatal(err)
	}
	h := measure.NewHistogram()
	h.Record(int64(5 * time.Millisecond))
	encoded, err := h.Encode()
	if err != nil {
		t.Fatal(err)
	}
	for n := range 2 {
		p := rendezvous.Progress{Snapshot: measure.Snapshot{Second: n, Latencies: map[measure.Distribution]string{measure.PublishLatency: encoded}}}
		r.put(rendezvous.ProgressObject("producer-0", n), p)
		r.put(rendezvous.ProgressObject("consumer-0", n), rendezvous.Progress{Snapshot: measure.Snapshot{Second: n}})
	}
	seconds, err := rendezvous.Seconds(t.Context(), r.bucket, "r1", 0)
	if err != nil || len(seconds) != 1 || seconds[0].Second != 1 || seconds[0].Latencies[measure.PublishLatency].Count != 1 {
		t.Errorf("Seconds(after 0) = %+v, %v, want second 1 with one sample", seconds, err)
	}
}

func TestSecondsWaitForEveryAgent(t *testing.T) {
	r := newRun(t)
	want := func(n int) {
		t.Helper()
		seconds, err := rendezvous.Seconds(t.Context(), r.bucket, "r1", -1)
		if len(seconds) != n || err != nil {
			t.Errorf("Seconds() = %d rows, %v, want %d", len(seconds), err, n)
		}
	}
	want(0) // no plan yet
	if err := r.server.WritePlan(t.Context(), r.plan); err != nil {
		t.Fatal(err)
	}
	want(0)
	r.put(rendezvous.ProgressObject("producer-0", 0), rendezvous.Progress{})
	want(0)
	r.put(rendezvous.ProgressObject("consumer-0", 0), rendezvous.Progress{})
	want(1)
	r.put(rendezvous.ProgressObject("producer-0", 1), rendezvous.Progress{Snapshot: measure.Snapshot{Second: 7}})
	r.put(rendezvous.ProgressObject("consumer-0", 1), rendezvous.Progress{Snapshot: measure.Snapshot{Second: 1}})
	if _, err := rendezvous.Seconds(t.Context(), r.bucket, "r1", -1); err == nil {
		t.Error("Seconds() of snapshots that contradict their names = nil, want an error")
	}
}

func TestLoadStart(t *testing.T) {
	r := newRun(t)
	if at, err := rendezvous.LoadStart(t.Context(), r.bucket, "r1"); err != nil || !at.IsZero() {
		t.Errorf("LoadStart() before Begin() = %v, %v, want the zero time", at, err)
	}
	step, err := r.server.Begin(t.Context(), time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if at, err := rendezvous.LoadStart(t.Context(), r.bucket, "r1"); err != nil || !at.Equal(step.Start) {
		t.Errorf("LoadStart() = %v, %v, want %v", at, err, step.Start)
	}
	if at, err := rendezvous.LoadStart(t.Context(), r.bucket, "r2"); err != nil || !at.IsZero() {
		t.Errorf("LoadStart() of another run = %v, %v, want the zero time", at, err)
	}
}
