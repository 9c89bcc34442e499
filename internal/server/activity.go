package server

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"time"

	"dec.local/dec/internal/api"
)

// activity knows when a server was called last. Streams of events don't count:
// they last as long as their client wants.
type activity struct {
	mu     sync.Mutex // protects the following
	active int
	last   time.Time // end of the last call
}

func (a *activity) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, api.Prefix+"/events") {
			next.ServeHTTP(w, r)
			return
		}
		a.change(1)
		defer a.change(-1)
		next.ServeHTTP(w, r)
	})
}

func (a *activity) change(by int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.active += by
	a.last = time.Now()
}

// idleSince reports whether no call is active, and none has ended since t.
func (a *activity) idleSince(t time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.active == 0 && a.last.Before(t)
}

// AwaitIdle returns when no call has been active for a second from now: clients that
// watched the last run have read its result. It waits 10 seconds at most.
func (s *Server) AwaitIdle(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for from := time.Now(); ; from = time.Now() {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if s.front.calls.idleSince(from) {
			return
		}
	}
}
