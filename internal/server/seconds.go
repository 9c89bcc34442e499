package server

import (
	"slices"
	"sync"

	"dec.local/dec/internal/measure"
)

// seconds holds the timelines of the runs that this process drives, from their
// load until they end.
type seconds struct {
	mu   sync.Mutex // protects the following
	runs map[string][]measure.Second
}

func newSeconds() *seconds { return &seconds{runs: map[string][]measure.Second{}} }

// add appends a second. After a restart of the load's follower they come again
// from the first one on.
func (s *seconds) add(run string, second measure.Second) {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := s.runs[run]
	if n := len(known); n > 0 && second.Second <= known[n-1].Second {
		return
	}
	s.runs[run] = append(known, second)
}

// after returns the seconds of a run after the given one, and whether the run is
// driven here.
func (s *seconds) after(run string, after int) ([]measure.Second, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	known, ok := s.runs[run]
	i, _ := slices.BinarySearchFunc(known, after+1, func(second measure.Second, n int) int { return second.Second - n })
	return slices.Clone(known[i:]), ok
}

// forget drops what a run that has ended left: its result has it.
func (s *seconds) forget(run string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.runs, run)
}
