package measure

import (
	"math"
	"slices"
	"sync"
	"time"
)

// AllSeconds is after every second.
const AllSeconds = math.MaxInt - 1

// meter counts what several recorders see, in the second in which each thing
// happens, however late that second is read. Every second has histograms of two
// distributions. It is safe for use by several goroutines; each holds the lock for
// some 100 ns.
type meter struct {
	window Window
	names  [2]Distribution

	mu      sync.Mutex // protects the following, and what the recorders keep under it
	open    []*second  // not yet drained, ascending
	spare   []*second  // empty
	drained int        // the last second that was drained
}

// second is what happened in one second of a load.
type second struct {
	number int // from the start of the load
	counts Counts
	groups map[string]int64 // newly received by group, without duplicates
	hist   [2]*Histogram
}

func newMeter(w Window, names ...Distribution) meter {
	return meter{window: w, names: [2]Distribution(names), drained: -1, spare: []*second{newSecond(), newSecond()}}
}

func newSecond() *second {
	return &second{groups: map[string]int64{}, hist: [2]*Histogram{NewHistogram(), NewHistogram()}}
}

// at returns the second of a wall time. What happened in one that was drained
// already belongs to the next. Called with the lock held.
func (m *meter) at(now int64) *second {
	number := max(int((now-m.window.Start)/int64(time.Second)), m.drained+1)
	i := len(m.open)
	for i > 0 && m.open[i-1].number >= number {
		if i--; m.open[i].number == number {
			return m.open[i]
		}
	}
	s := m.empty()
	s.number = number
	m.open = slices.Insert(m.open, i, s)
	return s
}

// empty returns a second in which nothing happened yet. Called with the lock held.
func (m *meter) empty() *second {
	n := len(m.spare)
	if n == 0 {
		return newSecond()
	}
	s := m.spare[n-1]
	m.spare = m.spare[:n-1]
	return s
}

// drain moves the seconds up to a number into an interval, and reports whether any
// later one is left.
func (m *meter) drain(through int, into *Interval) (left bool) {
	m.mu.Lock()
	n := 0
	for n < len(m.open) && m.open[n].number <= through {
		n++
	}
	full := slices.Clone(m.open[:n])
	m.open = slices.Delete(m.open, 0, n)
	m.drained = max(m.drained, through)
	left = len(m.open) > 0
	m.mu.Unlock()
	for _, s := range full {
		into.Counts.Add(s.counts)
		for group, n := range s.groups {
			into.Groups[group] += n
		}
		for i, name := range m.names {
			into.add(name, s.hist[i])
		}
		s.reset()
	}
	m.mu.Lock()
	m.spare = append(m.spare, full...)
	m.mu.Unlock()
	return left
}

func (s *second) reset() {
	s.counts = Counts{}
	clear(s.groups)
	for _, h := range s.hist {
		h.Reset()
	}
}
