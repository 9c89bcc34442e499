package stream_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
	"dec.local/dec/internal/stream"
)

func TestStoredEventsComeFirstThenNewOnes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &events{}
		source.add(of("a1"), of("b1"), of("a1"), of("a2"))
		h := start(t, stream.Options{Source: source})
		all := subscribe(t, h, stream.Filter{})
		resumed := subscribe(t, h, stream.Filter{After: 3})
		run := subscribe(t, h, stream.Filter{Run: "a1"})
		whole := subscribe(t, h, stream.Filter{Experiment: "ea"})
		fresh := subscribe(t, h, stream.Filter{After: -1})
		source.add(of("a1"), of("b1"), of("a2"))
		wantIDs(t, stored(t, all, 7), 1, 2, 3, 4, 5, 6, 7)
		wantIDs(t, stored(t, resumed, 4), 4, 5, 6, 7)
		wantIDs(t, stored(t, run, 3), 1, 3, 5)
		wantIDs(t, stored(t, whole, 5), 1, 3, 4, 5, 7)
		wantIDs(t, stored(t, fresh, 3), 5, 6, 7)
	})
}

func TestEventsBetweenTheQueryAndTheLogAreNotMissed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &events{}
		source.add(of("a1"))
		h := start(t, stream.Options{Source: source})
		subscribe(t, h, stream.Filter{}) // the hub has started
		source.after = func() {
			source.add(of("a1"))
			h.Wake()
			synctest.Wait()
			if h.Last() != 2 {
				t.Errorf("the hub is at event %d, want 2", h.Last())
			}
		}
		s := subscribe(t, h, stream.Filter{Run: "a1"})
		source.add(of("a1"))
		wantIDs(t, stored(t, s, 3), 1, 2, 3)
	})
}

func TestWakeSparesTheWaitForThePoll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &events{}
		h := start(t, stream.Options{Source: source, Poll: time.Hour})
		s := subscribe(t, h, stream.Filter{})
		began := time.Now()
		source.add(of("a1"))
		h.Wake()
		wantIDs(t, stored(t, s, 1), 1)
		if waited := time.Since(began); waited != 0 {
			t.Errorf("the event came after %s, want at once", waited)
		}
	})
}

func TestBurstsOfWakesAreReadTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &events{}
		h := start(t, stream.Options{Source: source, Poll: time.Hour})
		s := subscribe(t, h, stream.Filter{})
		go func() {
			for range 100 { // in one second
				source.add(of("a1"))
				h.Wake()
				time.Sleep(10 * time.Millisecond)
			}
		}()
		arrivals := map[time.Time]bool{}
		for range 100 {
			next(t, s)
			arrivals[time.Now()] = true
		}
		if n := len(arrivals); n < 8 || n > 12 {
			t.Errorf("100 events in a second came at %d times, want about 10", n)
		}
	})
}

func TestPollFindsEventsWithoutAWake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &events{}
		h := start(t, stream.Options{Source: source})
		s := subscribe(t, h, stream.Filter{})
		source.add(of("a1"))
		wantIDs(t, stored(t, s, 1), 1)
	})
}

func TestIDsBeyondTheHub(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &events{}
		source.add(of("a1"), of("a1"))
		h := start(t, stream.Options{Source: source, Poll: time.Hour})
		subscribe(t, h, stream.Filter{}) // the hub has started
		source.add(of("a1"), of("a1"))
		ahead := subscribe(t, h, stream.Filter{After: 3})
		restored := subscribe(t, h, stream.Filter{After: 1000})
		source.add(of("a1"))
		h.Wake()
		wantIDs(t, stored(t, ahead, 2), 4, 5)
		wantIDs(t, stored(t, restored, 1), 5)
	})
}

func TestBeatsTellTimeVersionAndDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		draining := false
		h := start(t, stream.Options{Source: &events{}, Version: "1.2", Draining: func() bool { return draining }})
		s := subscribe(t, h, stream.Filter{Run: "a1"})
		began := time.Now()
		first := decode[api.Beat](t, next(t, s))
		draining = true
		second := decode[api.Beat](t, next(t, s))
		if got := first.At.Sub(began); got != 10*time.Second || first.Version != "1.2" || first.Draining {
			t.Errorf("first beat %+v after %s, want one of version 1.2 after 10s", first, got)
		}
		if !second.Draining {
			t.Errorf("second beat %+v does not tell the drain", second)
		}
	})
}

func TestSecondsReachThoseWhoWatchTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := start(t, stream.Options{Source: &events{}})
		run, whole, other := subscribe(t, h, stream.Filter{Run: "a1"}), subscribe(t, h, stream.Filter{Experiment: "ea"}), subscribe(t, h, stream.Filter{Run: "a2"})
		h.Second("a1", "ea", measure.Second{Second: 7})
		for _, s := range []*stream.Subscription{run, whole} {
			f := next(t, s)
			if got := decode[api.Snapshot](t, f); f.Event != api.EventSnapshot || f.ID != 0 || got.Run != "a1" || got.Experiment != "ea" || got.Second.Second != 7 {
				t.Errorf("got %s %d %+v, want second 7 of a1", f.Event, f.ID, got)
			}
		}
		if f := next(t, other); f.Event != api.EventBeat {
			t.Errorf("a subscriber of another run got %s %s", f.Event, f.Data)
		}
	})
}

func TestSubscriberThatLagsIsCutOffAndResumes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &events{}
		h := start(t, stream.Options{Source: source})
		slow, idle := subscribe(t, h, stream.Filter{Run: "a1"}), subscribe(t, h, stream.Filter{Run: "b1"})
		source.add(of("a1"))
		wantIDs(t, stored(t, slow, 1), 1)
		for range 5000 {
			source.add(of("a1"))
		}
		source.add(of("b1"))
		wantIDs(t, stored(t, idle, 1), 5002) // what others get does not make it lag
		if _, err := slow.Next(t.Context()); !errors.Is(err, stream.ErrLagged) {
			t.Fatalf("Next after 5000 unread events = %v, want ErrLagged", err)
		}
		resumed := subscribe(t, h, stream.Filter{Run: "a1", After: 1})
		ids := stored(t, resumed, 5000)
		if ids[0] != 2 || ids[4999] != 5001 {
			t.Errorf("resumed from %d to %d, want 2 to 5001", ids[0], ids[4999])
		}
	})
}

func TestHubOutlivesFailuresOfItsSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &events{}
		source.add(of("a1"))
		source.fail(errors.New("down"))
		h := start(t, stream.Options{Source: source})
		go func() {
			time.Sleep(time.Minute)
			source.fail(nil)
		}()
		s := subscribe(t, h, stream.Filter{}) // waits for the source
		wantIDs(t, stored(t, s, 1), 1)
		source.fail(errors.New("down again"))
		if _, err := h.Subscribe(t.Context(), stream.Filter{}); err == nil {
			t.Error("Subscribe with a source that is down succeeded")
		}
		source.add(of("a1"))
		go func() {
			time.Sleep(time.Minute)
			source.fail(nil)
		}()
		wantIDs(t, stored(t, s, 1), 2)
	})
}

func TestSubscriptionsEndWithTheirContextOrTheHub(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := stream.New(stream.Options{Source: &events{}})
		ctx, stop := context.WithCancel(t.Context())
		go h.Run(ctx)
		s := subscribe(t, h, stream.Filter{})
		impatient, cancel := context.WithTimeoutCause(t.Context(), time.Second, errors.New("enough"))
		defer cancel()
		if _, err := s.Next(impatient); err == nil || err.Error() != "enough" {
			t.Errorf("Next = %v, want the cause of the end of its context", err)
		}
		if got := h.Subscribers(); got != 1 {
			t.Errorf("Subscribers() = %d, want 1", got)
		}
		s.Close()
		if got := h.Subscribers(); got != 0 {
			t.Errorf("Subscribers() after Close = %d, want 0", got)
		}
		stop()
		synctest.Wait()
		if _, err := s.Next(t.Context()); !errors.Is(err, stream.ErrEnded) {
			t.Errorf("Next after the hub's end = %v, want ErrEnded", err)
		}
	})
}

func TestSecondsOfRunsOfOtherServers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &events{}
		source.add(phase("a1", experiment.PhaseLoad)) // before this server began
		began := time.Now()
		asked := map[string]int{}
		tail := func(_ context.Context, run string, after int) ([]measure.Second, error) {
			asked[run]++
			if asked[run] == 2 {
				return nil, errors.New("the bucket is away")
			}
			var newer []measure.Second
			for s := after + 1; s <= 100+int(time.Since(began)/time.Second); s++ {
				newer = append(newer, measure.Second{Second: s})
			}
			return newer, nil
		}
		h := start(t, stream.Options{Source: source, Beat: time.Hour, Tail: tail})
		s := subscribe(t, h, stream.Filter{Experiment: "ea"})
		source.add(phase("b1", experiment.PhaseLoad)) // nobody watches it
		source.add(of("a1"))
		var seconds []int
		for len(seconds) < 13 {
			if f := next(t, s); f.Event == api.EventSnapshot {
				seconds = append(seconds, decode[api.Snapshot](t, f).Second.Second)
			}
		}
		for i, second := range seconds {
			if second != seconds[0]+i {
				t.Fatalf("seconds %v, want no gap and no duplicate", seconds)
			}
		}
		if first := seconds[0]; first != 101-9 {
			t.Errorf("the first second is %d, want the tenth before second 101", first)
		}
		source.add(phase("a1", experiment.PhaseCollect))
		time.Sleep(5 * time.Second)
		before := asked["a1"]
		time.Sleep(5 * time.Second)
		if asked["a1"] != before || asked["b1"] != 0 {
			t.Errorf("asked a1 %d times after its load and b1 %d times, want 0 and 0", asked["a1"]-before, asked["b1"])
		}
	})
}
