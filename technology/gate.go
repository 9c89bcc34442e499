package technology

import (
	"sync"
	"sync/atomic"
)

// Gate is how a consumer pauses: its reading goroutine passes the gate before
// each message. The zero value is open.
type Gate struct {
	shut atomic.Bool // read on every message, without the mutex

	mu     sync.Mutex    // protects the following
	opened chan struct{} // closed when the gate opens again; nil while it is open
}

// Shut lets nobody pass until [Gate.Open].
func (g *Gate) Shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.opened == nil {
		g.opened = make(chan struct{})
		g.shut.Store(true)
	}
}

// Open lets everybody pass.
func (g *Gate) Open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.opened != nil {
		close(g.opened)
		g.opened = nil
		g.shut.Store(false)
	}
}

// IsShut reports whether nobody passes.
func (g *Gate) IsShut() bool { return g.shut.Load() }

// Pass waits while the gate is shut. It returns false when done was closed
// meanwhile.
func (g *Gate) Pass(done <-chan struct{}) bool {
	for g.shut.Load() {
		g.mu.Lock()
		opened := g.opened
		g.mu.Unlock()
		if opened == nil {
			continue
		}
		select {
		case <-opened:
		case <-done:
			return false
		}
	}
	return true
}
