package stream

import (
	"context"
	"fmt"

	"dec.local/dec/internal/experiment"
)

// Filter picks frames. Zero fields do not filter; beats are for everyone.
type Filter struct {
	Run        string
	Experiment string
	After      int64 // only stored events with greater ids; negative: only what is new
}

// Subscription is one subscriber's place in the stream. Next is for one
// goroutine.
type Subscription struct {
	hub    *Hub
	filter Filter
	wake   chan struct{} // holds one notice that the log has something for it
	cursor int64         // id of the newest stored event that was replayed; fixed once live
	replay []Frame       // read from the source and not yet returned

	live bool   // hub.mu: it reads the log
	pos  uint64 // hub.mu: of the next entry of the log to look at; at an entry that it wants, or at the head
}

// Subscribe returns a subscription that begins after the event with id f.After.
// Events that are stored already come first, then what is new; none is left out
// and none comes twice. It waits until the hub runs. Close the subscription.
func (h *Hub) Subscribe(ctx context.Context, f Filter) (*Subscription, error) {
	select {
	case <-h.ready:
	case <-h.done:
		return nil, ErrEnded
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	s := &Subscription{hub: h, filter: f, wake: make(chan struct{}, 1), cursor: f.After}
	if f.After > h.Last() {
		// Either the hub has not read that far yet, or the id comes from a database
		// that was newer than this one, and whatever comes next is new.
		last, err := h.o.Source.LastEvent(ctx)
		if err != nil {
			return nil, fmt.Errorf("find the newest event: %w", err)
		}
		s.cursor = min(f.After, last)
	}
	if f.After < 0 {
		s.cursor = h.Last()
	}
	if err := s.fill(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// Next returns the next frame. It waits until there is one; the error is the
// cause of the end of ctx, [ErrLagged], [ErrEnded], or why stored events could
// not be read.
func (s *Subscription) Next(ctx context.Context) (Frame, error) {
	for {
		f, ok, err := s.take(ctx)
		if ok || err != nil {
			return f, err
		}
		select {
		case <-s.wake:
		case <-s.hub.done:
			return Frame{}, ErrEnded
		case <-ctx.Done():
			return Frame{}, context.Cause(ctx)
		}
	}
}

// Close ends the subscription.
func (s *Subscription) Close() {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	delete(s.hub.subs, s)
}

// take returns the next frame if there is one. It waits for the source at most.
func (s *Subscription) take(ctx context.Context) (Frame, bool, error) {
	if len(s.replay) == 0 {
		if err := s.fill(ctx); err != nil {
			return Frame{}, false, err
		}
	}
	if len(s.replay) > 0 {
		f := s.replay[0]
		s.replay = s.replay[1:]
		return f, true, nil
	}
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	for log := &s.hub.log; s.pos != log.head; s.pos++ {
		e, ok := log.at(s.pos)
		if !ok {
			return Frame{}, false, ErrLagged
		}
		if s.wants(e) {
			s.pos++
			s.skip()
			return e.Frame, true, nil
		}
	}
	return Frame{}, false, nil
}

// skip moves on to the next entry that the subscriber wants. The caller holds
// hub.mu.
func (s *Subscription) skip() {
	log := &s.hub.log
	for ; s.pos != log.head; s.pos++ {
		if e, ok := log.at(s.pos); !ok || s.wants(e) {
			return
		}
	}
}

// fill reads stored events until there are some to return or none is left, and
// then goes on with the log.
func (s *Subscription) fill(ctx context.Context) error {
	for !s.live && len(s.replay) == 0 {
		newest := s.hub.Last() // before the query, which therefore sees all up to it
		q := experiment.EventQuery{Run: s.filter.Run, Experiment: s.filter.Experiment, After: s.cursor, Limit: pageSize}
		events, err := s.hub.o.Source.Events(ctx, q)
		if err != nil {
			return fmt.Errorf("read events after %d: %w", s.cursor, err)
		}
		for _, e := range events {
			stored, err := storedEntry(e)
			if err != nil {
				return err
			}
			s.replay = append(s.replay, stored.Frame)
			s.cursor = e.ID
		}
		if len(events) < pageSize {
			s.cursor = max(s.cursor, newest)
			s.join()
		}
	}
	return nil
}

// join goes on with the log, if nothing was told in the meantime that the source
// was not asked for.
func (s *Subscription) join() {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	if s.hub.last > s.cursor {
		return
	}
	s.live, s.pos = true, s.hub.log.head
	s.hub.subs[s] = struct{}{}
}

// wants reports whether an entry is for the subscriber. What the log has below
// the cursor was replayed.
func (s *Subscription) wants(e entry) bool {
	if e.ID != 0 && e.ID <= s.cursor {
		return false
	}
	return e.all || (s.filter.Run == "" || s.filter.Run == e.run) &&
		(s.filter.Experiment == "" || s.filter.Experiment == e.experiment)
}

func (s *Subscription) notify() {
	select {
	case s.wake <- struct{}{}:
	default: // it will look anyway
	}
}
