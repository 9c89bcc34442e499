package pacing_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"dec.local/dec/internal/pacing"
)

func TestThreadNeverWakesEarly(t *testing.T) {
	thread, err := pacing.Lock(pacing.NewAnchor())
	if err != nil {
		t.Fatalf("Lock() = %v, want a thread", err)
	}
	defer thread.Close()
	start := thread.Now()
	for i := range int64(200) {
		at := start + i*100_000
		if now, err := thread.SleepUntil(t.Context(), at); err != nil || now < at {
			t.Fatalf("SleepUntil(%d) = %d, %v, want no earlier", at, now, err)
		}
	}
	at := thread.Now() + int64(120*time.Millisecond) // more than one slice
	if now, err := thread.SleepUntil(t.Context(), at); err != nil || now < at {
		t.Errorf("SleepUntil(%d) = %d, %v, want no earlier", at, now, err)
	}
	if now, err := thread.SleepUntil(t.Context(), start); err != nil || now < start {
		t.Errorf("SleepUntil(a past moment) = %d, %v, want the present", now, err)
	}
}

func TestSleepEndsWithItsContext(t *testing.T) {
	stop := errors.New("the run was stopped")
	thread, err := pacing.Lock(pacing.NewAnchor())
	if err != nil {
		t.Fatalf("Lock() = %v, want a thread", err)
	}
	defer thread.Close()
	timer := pacing.Timer{Anchor: pacing.NewAnchor()}
	for name, sleep := range map[string]func(context.Context, int64) (int64, error){
		"thread": thread.SleepUntil, "timer": timer.SleepUntil,
	} {
		ctx, cancel := context.WithCancelCause(t.Context())
		go cancel(stop)
		if _, err := sleep(ctx, timer.Now()+int64(time.Hour)); !errors.Is(err, stop) {
			t.Errorf("%s: SleepUntil(an hour) = %v, want %v", name, err, stop)
		}
	}
}

func TestTimerInVirtualTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		timer := pacing.Timer{Anchor: pacing.NewAnchor()}
		at := timer.Now() + int64(time.Hour)
		if now, err := timer.SleepUntil(t.Context(), at); err != nil || now != at {
			t.Errorf("SleepUntil(%d) = %d, %v, want that moment", at, now, err)
		}
	})
}

// lateClock wakes up a fixed time late.
type lateClock struct {
	now, late int64
}

func (c *lateClock) Now() int64 { return c.now }

func (c *lateClock) SleepUntil(_ context.Context, at int64) (int64, error) {
	c.now = max(c.now, at+c.late)
	return c.now, nil
}

func TestSelfChecksFindTheLateness(t *testing.T) {
	c := &lateClock{late: 70_000}
	var got []int64
	err := pacing.CheckLateness(t.Context(), c, 1000, 2*time.Second, func(ns int64) { got = append(got, ns) })
	if err != nil || len(got) != 2000 {
		t.Fatalf("CheckLateness(1000/s for 2 s) gives %d wake-ups, %v, want 2000", len(got), err)
	}
	for _, ns := range got {
		if ns != c.late {
			t.Fatalf("CheckLateness(…) gives %d ns, want %d", ns, c.late)
		}
	}
	if ns, err := pacing.CheckDelay(t.Context(), c, time.Millisecond, 5); err != nil || ns != c.late {
		t.Errorf("CheckDelay(1 ms) = %d, %v, want %d", ns, err, c.late)
	}
}
