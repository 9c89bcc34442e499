package httpapi

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"dec.local/dec/internal/experiment"
)

// probeTime is how long the database may take to say that it is there.
const probeTime = 3 * time.Second

// healthStore reports whether the server can do its work.
type healthStore interface {
	// Ping returns an error when the database cannot be used.
	Ping(ctx context.Context) error
	Drain(ctx context.Context) (experiment.Drain, error)
}

// health serves the probes of those who watch the process.
type health struct {
	store healthStore
	log   *slog.Logger
}

// live says that the process runs.
func (h health) live(w http.ResponseWriter, _ *http.Request) { say(w, http.StatusOK, "ok") }

// ready reports whether the server takes part: not while it drains, nor without its
// database.
func (h health) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), probeTime)
	defer cancel()
	if err := h.store.Ping(ctx); err != nil {
		h.log.WarnContext(r.Context(), "the database does not respond", slog.Any("error", err))
		say(w, http.StatusServiceUnavailable, "the database does not respond")
		return
	}
	drain, err := h.store.Drain(ctx)
	switch {
	case err != nil:
		h.log.WarnContext(r.Context(), "the drain state cannot be read", slog.Any("error", err))
		say(w, http.StatusServiceUnavailable, "the database does not respond")
	case drain.InForce():
		say(w, http.StatusServiceUnavailable, "draining")
	default:
		say(w, http.StatusOK, "ready")
	}
}

// say answers with a line of text.
func say(w http.ResponseWriter, status int, line string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	fmt.Fprintln(w, line)
}
