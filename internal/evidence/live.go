package evidence

import (
	"slices"
	"sync"

	"dec.local/dec/internal/measure"
)

// Live holds the timelines of the runs that this process drives, from their load
// until they end.
type Live struct {
	mu   sync.Mutex // protects the following
	runs map[string][]measure.Second
}

// NewLive returns one that holds nothing.
func NewLive() *Live { return &Live{runs: map[string][]measure.Second{}} }

// Add appends a second. After a restart of the load's follower they come again
// from the first one on.
func (s *Live) Add(run string, second measure.Second) {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := s.runs[run]
	if n := len(known); n > 0 && second.Second <= known[n-1].Second {
		return
	}
	s.runs[run] = append(known, second)
}

// After returns the seconds of a run after the given one, and whether the run is
// driven here.
func (s *Live) After(run string, after int) ([]measure.Second, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	known, ok := s.runs[run]
	i, _ := slices.BinarySearchFunc(known, after+1, func(second measure.Second, n int) int { return second.Second - n })
	return slices.Clone(known[i:]), ok
}

// Forget drops what a run that has ended left: its result has it.
func (s *Live) Forget(run string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.runs, run)
}
