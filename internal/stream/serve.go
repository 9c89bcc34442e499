package stream

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

const (
	writeTimeout = 15 * time.Second // for one write; a client that takes longer is cut off
	flushAt      = 32 << 10         // bytes that are written before they are flushed
)

// Serve answers a request with the frames of a subscription, as
// text/event-stream, until ctx, the subscription or the client ends; the error
// says which. What is at hand is written at once, so that a burst costs a client
// one write.
func Serve(ctx context.Context, w http.ResponseWriter, s *Subscription) error {
	control := http.NewResponseController(w)
	header := w.Header()
	header.Set("Content-Type", "text/event-stream")
	header.Set("Cache-Control", "no-store")
	header.Set("X-Accel-Buffering", "no") // proxies must not collect events
	header.Set("Connection", "close")     // its write deadline would outlive the stream
	w.WriteHeader(http.StatusOK)
	if err := control.Flush(); err != nil {
		return fmt.Errorf("begin to write events: %w", err)
	}
	for {
		f, err := s.Next(ctx)
		if err != nil {
			return err
		}
		if err := control.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
			return fmt.Errorf("set the deadline of a write: %w", err)
		}
		if err := writeAvailable(ctx, w, s, f); err != nil {
			return err
		}
		if err := control.Flush(); err != nil {
			return fmt.Errorf("write events: %w", err)
		}
	}
}

// writeAvailable writes a frame and those behind it that are available at once.
func writeAvailable(ctx context.Context, w http.ResponseWriter, s *Subscription, f Frame) error {
	for written := 0; ; {
		n, err := w.Write(f.text)
		if err != nil {
			return fmt.Errorf("write events: %w", err)
		}
		if written += n; written >= flushAt {
			return nil
		}
		var ok bool
		if f, ok, err = s.take(ctx); !ok || err != nil {
			return err
		}
	}
}
