package agent

import (
	"context"
	"math/bits"
	"sync"
)

// slots bounds the messages of one producer that await their acknowledgement,
// and remembers of each what is needed when it comes. The goroutine that sends takes
// a slot, the acknowledgement gives it back. Memory grows with the most that were
// under way at once.
type slots struct {
	most int
	bits int           // of a token that hold the slot's id; the others hold the sequence number
	came chan struct{} // holds an item when a slot became free that was waited for

	mu      sync.Mutex // protects the following
	all     []slot
	free    []uint32 // ids of the slots of all that are free
	waiting bool     // for a free slot
}

// slot is one message under way.
type slot struct {
	intended int64  // wall ns
	sent     int64  // wall ns
	taken    uint64 // sequence number + 1; 0 when the message was answered
}

func newSlots(n int) *slots {
	return &slots{most: n, bits: bits.Len(uint(n - 1)), came: make(chan struct{}, 1)}
}

// available reports whether a slot is free.
func (s *slots) available() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.free) > 0 || len(s.all) < s.most
}

// empty reports whether no message is under way.
func (s *slots) empty() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.free) == len(s.all)
}

// tryAcquire takes a slot if one is free.
func (s *slots) tryAcquire() (id uint32, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.free)
	switch {
	case n > 0:
		id, s.free = s.free[n-1], s.free[:n-1]
	case len(s.all) < s.most:
		id, s.all = uint32(len(s.all)), append(s.all, slot{})
	default:
		s.waiting = true
		return 0, false
	}
	return id, true
}

// acquire waits for a slot until ctx ends.
func (s *slots) acquire(ctx context.Context) (id uint32, err error) {
	for {
		if id, ok := s.tryAcquire(); ok {
			return id, nil
		}
		select {
		case <-s.came:
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		}
	}
}

// take puts a message into an acquired slot and returns its token.
func (s *slots) take(id uint32, seq uint64, intended, sent int64) (token uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all[id] = slot{intended, sent, seq + 1}
	return seq<<s.bits | uint64(id)
}

// answer returns the message of a token and frees its slot. It is false for a
// token that was answered before.
func (s *slots) answer(token uint64) (seq uint64, intended, sent int64, ok bool) {
	seq = token >> s.bits
	id := token & (1<<s.bits - 1)
	s.mu.Lock()
	defer s.mu.Unlock()
	if id >= uint64(len(s.all)) || s.all[id].taken != seq+1 {
		return seq, 0, 0, false
	}
	one := &s.all[id]
	one.taken = 0
	s.free = append(s.free, uint32(id))
	if s.waiting {
		s.waiting = false
		select {
		case s.came <- struct{}{}:
		default:
		}
	}
	return seq, one.intended, one.sent, true
}
