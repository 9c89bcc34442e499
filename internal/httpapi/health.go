package httpapi

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"
)

// probeTime is how long the database may take to say that it is there.
const probeTime = 3 * time.Second

// servePlain serves what is beside the API: health, metrics and the page.
func (s *server) servePlain() error {
	for _, path := range []string{"/livez", "/healthz"} {
		s.plain.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) { say(w, http.StatusOK, "ok") })
	}
	s.plain.HandleFunc("GET /readyz", s.ready)
	s.plain.Handle("GET /metrics", s.metrics.handler(s))
	return s.serveUI()
}

// ready says whether the server takes part: not while it drains, nor without its
// database.
func (s *server) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), probeTime)
	defer cancel()
	if err := s.Store.Ping(ctx); err != nil {
		s.logger().WarnContext(r.Context(), "the database does not answer", slog.Any("error", err))
		say(w, http.StatusServiceUnavailable, "the database does not answer")
		return
	}
	drain, err := s.Store.Drain(ctx)
	switch {
	case err != nil:
		s.logger().WarnContext(r.Context(), "the drain state cannot be read", slog.Any("error", err))
		say(w, http.StatusServiceUnavailable, "the database does not answer")
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
