package stream_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/stream"
)

// events is a source in memory. Like a store, it makes ids visible in order.
type events struct {
	mu      sync.Mutex // protects all
	stored  []experiment.Event
	failing error
	after   func() // called once, when a query for one run was answered; may be nil
}

func (s *events) add(all ...experiment.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range all {
		e.ID = int64(len(s.stored) + 1)
		s.stored = append(s.stored, e)
	}
}

func (s *events) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failing = err
}

func (s *events) Events(_ context.Context, q experiment.EventQuery) ([]experiment.Event, error) {
	s.mu.Lock()
	after := s.after
	if q.Run != "" && after != nil {
		s.after = nil
		defer after() // without the lock
	}
	defer s.mu.Unlock()
	if s.failing != nil {
		return nil, s.failing
	}
	var found []experiment.Event
	for _, e := range s.stored[min(int64(len(s.stored)), max(0, q.After)):] {
		if (q.Run == "" || q.Run == e.Run) && (q.Experiment == "" || q.Experiment == e.Experiment) && len(found) < q.Limit {
			found = append(found, e)
		}
	}
	return found, nil
}

func (s *events) LastEvent(context.Context) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return int64(len(s.stored)), s.failing
}

// ids returns the ids of the stored events that a filter picks.
func (s *events) ids(f stream.Filter) []int64 {
	found, _ := s.Events(context.Background(), experiment.EventQuery{Run: f.Run, Experiment: f.Experiment, After: f.After, Limit: len(s.stored)})
	var ids []int64
	for _, e := range found {
		ids = append(ids, e.ID)
	}
	return ids
}

func of(run string) experiment.Event {
	return experiment.Event{Kind: experiment.EventNotice, Run: run, Experiment: "e" + run[:1], Message: "m"}
}

func phase(run string, p experiment.Phase) experiment.Event {
	return experiment.Event{Kind: experiment.EventPhase, Run: run, Experiment: "e" + run[:1], Phase: p}
}

// start runs a hub until the test ends.
func start(t *testing.T, o stream.Options) *stream.Hub {
	t.Helper()
	o.Logger = slog.New(slog.DiscardHandler)
	h := stream.New(o)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- h.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("Run = %v, want the cause of the end of its context", err)
		}
	})
	return h
}

func subscribe(t *testing.T, h *stream.Hub, f stream.Filter) *stream.Subscription {
	t.Helper()
	s, err := h.Subscribe(t.Context(), f)
	if err != nil {
		t.Fatalf("Subscribe(%+v): %v", f, err)
	}
	t.Cleanup(s.Close)
	return s
}

func next(t *testing.T, s *stream.Subscription) stream.Frame {
	t.Helper()
	f, err := s.Next(t.Context())
	if err != nil {
		t.Fatalf("Next: %v", err)
	}
	return f
}

// stored returns the ids of the next n stored events.
func stored(t *testing.T, s *stream.Subscription, n int) []int64 {
	t.Helper()
	var ids []int64
	for len(ids) < n {
		if f := next(t, s); f.Event == api.EventStored {
			ids = append(ids, f.ID)
		}
	}
	return ids
}

func wantIDs(t *testing.T, got []int64, want ...int64) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got events %v, want %v", got, want)
	}
}

func decode[T any](t *testing.T, f stream.Frame) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(f.Data, &v); err != nil {
		t.Fatalf("decode %s %s: %v", f.Event, f.Data, err)
	}
	return v
}
