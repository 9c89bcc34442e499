package proxy

import (
	"sort"
	"time"
)

// passed is how many bytes have passed to the target at a moment.
type passed struct {
	at    time.Time
	total float64
}

// nearly is the share of what was due at which a stall counts as worked off: small
// requests beside the messages grow fewer in it.
const nearly = 0.99

// count notes what has passed to the target.
func (p *Proxy) count(bytes int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	total := float64(bytes)
	if n := len(p.flow); n > 0 {
		total += p.flow[n-1].total
	}
	p.flow = append(p.flow, passed{time.Now(), total})
}

// Stalled reports whether the stall has begun.
func (p *Proxy) Stalled() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.from.IsZero() && time.Now().After(p.from)
}

// CaughtUp returns how long it took from the end of the stall until as much had
// passed to the target as would have without a stall, at the rate of the time before
// it. It is zero without a stall, and when that never came.
func (p *Proxy) CaughtUp() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.from.IsZero() || len(p.flow) == 0 {
		return 0
	}
	length := p.until.Sub(p.from)
	before, begin := p.total(p.from), p.total(p.from.Add(-length))
	rate := (before - begin) / length.Seconds()
	for _, f := range p.flow {
		if !f.at.Before(p.until) && f.total-before >= nearly*rate*f.at.Sub(p.from).Seconds() {
			return f.at.Sub(p.until)
		}
	}
	return 0
}

// total is what had passed at a moment. Called with the mutex held.
func (p *Proxy) total(at time.Time) float64 {
	i := sort.Search(len(p.flow), func(i int) bool { return p.flow[i].at.After(at) })
	if i == 0 {
		return 0
	}
	return p.flow[i-1].total
}
