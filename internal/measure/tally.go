package measure

import (
	"sync"

	"dec.local/dec/internal/experiment"
)

// Tally counts what the clients of an agent meet beside their messages. Its methods may be called from several goroutines; the
// zero value is empty.
type Tally struct {
	mu     sync.Mutex // protects the following
	counts map[experiment.Incident]int64
}

// Add counts n more.
func (t *Tally) Add(i experiment.Incident, n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.counts == nil {
		t.counts = map[experiment.Incident]int64{}
	}
	t.counts[i] += int64(n)
}

// Drain moves what was counted into an interval.
func (t *Tally) Drain(into *Interval) {
	t.mu.Lock()
	counts := t.counts
	t.counts = nil
	t.mu.Unlock()
	into.incidents = addTo(into.incidents, counts)
}

// Tell notes which incidents the clients can tell: those that did not happen are zero,
// and not unknown.
func (r *Result) Tell(can []experiment.Incident) {
	for _, i := range can {
		r.Incidents = addTo(r.Incidents, map[experiment.Incident]int64{i: 0})
	}
}

// addTo returns sums with more added to them; nil stays nil when there is
// nothing to add.
func addTo(sums, more map[experiment.Incident]int64) map[experiment.Incident]int64 {
	if sums == nil && len(more) > 0 {
		sums = make(map[experiment.Incident]int64, len(more))
	}
	for i, n := range more {
		sums[i] += n
	}
	return sums
}
