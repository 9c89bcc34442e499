package main

import (
	"sort"
	"time"
)

// window is the part of a run that figures are of.
type window struct{ from, until time.Time }

func (w window) seconds() float64 { return w.until.Sub(w.from).Seconds() }

// series is a total that grows, as seen at moments.
type series struct {
	times  []time.Time
	totals []float64
}

func (s *series) add(at time.Time, total float64) {
	s.times, s.totals = append(s.times, at), append(s.totals, total)
}

// at is the total at a moment, interpolated between the two moments around it.
func (s *series) at(t time.Time) float64 {
	i := sort.Search(len(s.times), func(i int) bool { return !s.times[i].Before(t) })
	switch {
	case len(s.times) == 0:
		return 0
	case i == 0:
		return s.totals[0]
	case i == len(s.times):
		return s.last()
	}
	part := float64(t.Sub(s.times[i-1])) / float64(s.times[i].Sub(s.times[i-1]))
	return s.totals[i-1] + part*(s.totals[i]-s.totals[i-1])
}

// between is by how much the total grew in a window.
func (s *series) between(w window) float64 { return s.at(w.until) - s.at(w.from) }

func (s *series) last() float64 {
	if len(s.totals) == 0 {
		return 0
	}
	return s.totals[len(s.totals)-1]
}
