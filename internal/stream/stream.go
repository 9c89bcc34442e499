// Package stream tells subscribers what happens, as server-sent events: stored
// events by ascending id, which can be resumed, the seconds of runs as they are
// measured, and beats.
//
// The [Hub] is the one reader of new events of its server. It encodes each frame
// once and keeps the newest in a log that all subscribers read at their own
// pace; a subscriber costs a position in it, so neither many of them nor slow
// ones hold up the server.
package stream

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
)

// The reasons why a subscription ends before its subscriber wants it.
var (
	ErrLagged = errors.New("the subscriber is too slow: resume after the last id")
	ErrEnded  = errors.New("the server is shutting down: resume after the last id")
)

// pageSize is how many stored events are read at once.
const pageSize = 500

// wakeGap lies between two readings that wakes ask for, so that a burst costs
// each subscriber a few writes rather than one per event.
const wakeGap = 100 * time.Millisecond

// Source has the stored events. Their ids must become visible in ascending
// order: one that appears below an id that was read already is never told.
type Source interface {
	Events(ctx context.Context, q experiment.EventQuery) ([]experiment.Event, error)
	LastEvent(ctx context.Context) (int64, error)
}

// Options configures a [Hub]. Source is required.
type Options struct {
	Source   Source
	Poll     time.Duration // how often the source is asked without a wake; 500 ms if zero
	Beat     time.Duration // between two beats; 10 s if zero
	Version  string        // of the server, in every beat
	Draining func() bool   // whether no further run starts; never if nil
	Logger   *slog.Logger  // slog.Default() if nil
	// Tail returns the seconds after the given one of a run that another server
	// drives, and none of a run that this server drives itself. Nil when there are
	// no other servers.
	Tail func(ctx context.Context, run string, after int) ([]measure.Second, error)
}

// Hub hands out what happens. Make one with [New].
type Hub struct {
	o     Options
	wake  chan struct{} // holds one wake-up
	ready chan struct{} // closed when last is known
	done  chan struct{} // closed when Run has ended

	mu      sync.Mutex // protects what follows, and the subscriptions' fields that say so
	last    int64      // id of the newest stored event that was read
	log     ring
	subs    map[*Subscription]struct{}
	loading map[string]string // experiments of the runs that are in phase load, by run
}

// New returns a hub that does nothing until [Hub.Run].
func New(o Options) *Hub {
	o.Poll = cmp.Or(o.Poll, 500*time.Millisecond)
	o.Beat = cmp.Or(o.Beat, 10*time.Second)
	o.Logger = cmp.Or(o.Logger, slog.Default())
	if o.Draining == nil {
		o.Draining = func() bool { return false }
	}
	return &Hub{
		o: o, wake: make(chan struct{}, 1), ready: make(chan struct{}), done: make(chan struct{}),
		subs: map[*Subscription]struct{}{}, loading: map[string]string{},
	}
}

// Run tells subscribers what the source newly holds until ctx ends, and returns
// the cause of that; every subscription ends then. A source that fails is asked
// again. Call it once.
func (h *Hub) Run(ctx context.Context) error {
	defer close(h.done)
	if err := h.start(ctx); err != nil {
		return err
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	if h.o.Tail != nil {
		wg.Go(func() { h.tail(ctx) })
	}
	poll, beat := time.NewTicker(h.o.Poll), time.NewTicker(h.o.Beat)
	defer poll.Stop()
	defer beat.Stop()
	wake, rested := h.wake, (<-chan time.Time)(nil) // either is nil
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-beat.C:
			h.beat()
			continue
		case <-rested:
			wake, rested = h.wake, nil
			continue
		case <-poll.C:
		case <-wake:
			wake, rested = nil, time.After(wakeGap)
		}
		if err := h.read(ctx); err != nil && ctx.Err() == nil {
			h.o.Logger.Warn("cannot read new events; trying again", "error", err)
		}
	}
}

// Wake says that something was stored. It never blocks.
func (h *Hub) Wake() {
	select {
	case h.wake <- struct{}{}:
	default: // one is waiting already
	}
}

// Second tells a second of a run that this server drives. It never blocks.
func (h *Hub) Second(run, experiment string, s measure.Second) {
	f, err := newFrame(0, api.EventSnapshot, api.Snapshot{Run: run, Experiment: experiment, Second: s})
	if err != nil {
		h.o.Logger.Error("cannot publish a second", "run", run, "error", err)
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.publish(entry{Frame: f, run: run, experiment: experiment})
}

// Subscribers returns how many subscriptions get what is new.
func (h *Hub) Subscribers() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.subs)
}

// Last returns the id of the newest stored event that was told; 0 before any.
func (h *Hub) Last() int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.last
}

// start finds the place in the source from which on events are new, and the runs
// that are being loaded already.
func (h *Hub) start(ctx context.Context) error {
	for {
		err := h.begin(ctx)
		if err == nil {
			close(h.ready)
			return nil
		}
		if ctx.Err() == nil {
			h.o.Logger.Warn("cannot read stored events; trying again", "error", err)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(h.o.Poll):
		}
	}
}

func (h *Hub) begin(ctx context.Context) error {
	last, err := h.o.Source.LastEvent(ctx)
	if err != nil {
		return err
	}
	recent, err := h.o.Source.Events(ctx, experiment.EventQuery{After: max(0, last-pageSize), Limit: pageSize})
	if err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.last = last
	for _, e := range recent {
		h.note(e)
		h.last = max(h.last, e.ID)
	}
	return nil
}

// read publishes what the source holds after the newest event.
func (h *Hub) read(ctx context.Context) error {
	for {
		events, err := h.o.Source.Events(ctx, experiment.EventQuery{After: h.Last(), Limit: pageSize})
		if err != nil {
			return err
		}
		entries := make([]entry, len(events))
		for i, e := range events {
			if entries[i], err = storedEntry(e); err != nil {
				return err
			}
		}
		h.mu.Lock()
		for i, e := range events {
			h.last = e.ID
			h.note(e)
			h.publish(entries[i])
		}
		h.mu.Unlock()
		if len(events) < pageSize {
			return nil
		}
	}
}

// note keeps the list of runs that are being loaded. The caller holds h.mu.
func (h *Hub) note(e experiment.Event) {
	switch {
	case e.Kind == experiment.EventPhase && e.Phase == experiment.PhaseLoad:
		h.loading[e.Run] = e.Experiment
	case e.Kind == experiment.EventPhase, e.Kind == experiment.EventOutcome:
		delete(h.loading, e.Run)
	}
}

func (h *Hub) beat() {
	f, err := newFrame(0, api.EventBeat, api.Beat{At: time.Now(), Version: h.o.Version, Draining: h.o.Draining()})
	if err != nil {
		h.o.Logger.Error("cannot publish a beat", "error", err)
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.publish(entry{Frame: f, all: true})
}

// publish adds to the log and wakes whom it concerns. The caller holds h.mu.
func (h *Hub) publish(e entry) {
	head := h.log.head
	h.log.add(e)
	for s := range h.subs {
		if s.wants(e) {
			s.notify()
		} else if s.pos == head {
			s.pos = h.log.head // it has read everything: what is not for it must not make it lag
		}
	}
}
