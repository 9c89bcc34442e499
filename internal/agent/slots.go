package agent

import (
	"context"
	"math/bits"
	"sync/atomic"
)

// slots bounds the messages of one producer that await their acknowledgement,
// and remembers of each what is needed when it comes. The pacer takes a slot,
// the acknowledgement gives it back.
type slots struct {
	all  []slot
	free chan uint32 // ids of the slots that are free
	bits int         // of a token that hold the slot's id; the others hold the sequence number
}

// slot is one message under way.
type slot struct {
	intended int64         // wall ns
	sent     int64         // wall ns
	taken    atomic.Uint64 // sequence number + 1; 0 when the message was answered
}

func newSlots(n int) *slots {
	s := &slots{all: make([]slot, n), free: make(chan uint32, n), bits: bits.Len(uint(n - 1))}
	for id := range n {
		s.free <- uint32(id)
	}
	return s
}

// tryAcquire takes a slot if one is free.
func (s *slots) tryAcquire() (id uint32, ok bool) {
	select {
	case id = <-s.free:
		return id, true
	default:
		return 0, false
	}
}

// acquire waits for a slot until ctx ends.
func (s *slots) acquire(ctx context.Context) (id uint32, err error) {
	select {
	case id = <-s.free:
		return id, nil
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
}

// take puts a message into an acquired slot and returns its token.
func (s *slots) take(id uint32, seq uint64, intended, sent int64) (token uint64) {
	t := &s.all[id]
	t.intended, t.sent = intended, sent
	t.taken.Store(seq + 1)
	return seq<<s.bits | uint64(id)
}

// answer returns the message of a token and frees its slot. It is false for a
// token that was answered before.
func (s *slots) answer(token uint64) (seq uint64, intended, sent int64, ok bool) {
	seq = token >> s.bits
	id := token & (1<<s.bits - 1)
	if id >= uint64(len(s.all)) || !s.all[id].taken.CompareAndSwap(seq+1, 0) {
		return seq, 0, 0, false
	}
	intended, sent = s.all[id].intended, s.all[id].sent
	s.free <- uint32(id) // has room: the id was not in it
	return seq, intended, sent, true
}
