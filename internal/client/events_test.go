package client_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dec.local/dec/internal/client"
)

// send writes one server-sent event.
func send(w http.ResponseWriter, id int64, event, data string) {
	if id > 0 {
		fmt.Fprintf(w, "id: %d\n", id)
	}
	fmt.Fprintf(w, "event: %s\ndata: %s\n\n", event, data)
	w.(http.Flusher).Flush()
}

// stored is the data of a stored event.
func stored(id int64) string {
	return fmt.Sprintf(`{"id": %d, "run": "r1", "kind": "phase", "phase": "load"}`, id)
}

func TestStreamThatBreaksGoesOnWithoutGapOrDuplicate(t *testing.T) {
	const last = 20
	c := serve(t, map[string]http.HandlerFunc{"GET /api/v1/events": func(w http.ResponseWriter, r *http.Request) {
		after, err := strconv.ParseInt(r.URL.Query().Get("after"), 10, 64)
		if err != nil || r.URL.Query().Get("run") != "r1" {
			t.Errorf("query = %q, want the filter and where to go on", r.URL.RawQuery)
		}
		// Each connection repeats one event, brings two and breaks in the third.
		for id := max(after, 1); id <= min(after+2, last); id++ {
			send(w, id, "event", stored(id))
		}
		fmt.Fprint(w, "event: event\ndata: {\"id\":")
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}})
	var ids []int64
	for event, err := range c.Events(t.Context(), client.EventFilter{Run: "r1"}) {
		if err != nil {
			t.Fatal(err)
		}
		if ids = append(ids, event.Stored.ID); event.Stored.ID == last {
			break
		}
	}
	var want []int64
	for id := range int64(last) {
		want = append(want, id+1)
	}
	if diff := cmp.Diff(want, ids); diff != "" {
		t.Errorf("ids (-want +got):\n%s", diff)
	}
}

func TestStreamHasThreeKinds(t *testing.T) {
	c := serve(t, map[string]http.HandlerFunc{"GET /api/v1/events": func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("after") {
			t.Errorf("query = %q, want only what is new", r.URL.RawQuery)
		}
		fmt.Fprint(w, ": a comment\nretry: 100\n\n")
		send(w, 0, "of a later version", `{"x": 1}`)
		send(w, 0, "snapshot", `{"run": "r1", "second": {"second": 7}}`)
		send(w, 0, "beat", `{"version": "v1", "draining": true}`)
		fmt.Fprint(w, "id: 9\r\nevent: event\r\ndata: {\"id\": 9,\r\ndata: \"run\": \"r1\"}\r\n\r\n")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}})
	var got []string
	for event, err := range c.Events(t.Context(), client.EventFilter{After: -1}) {
		switch {
		case err != nil:
			t.Fatal(err)
		case event.Snapshot != nil:
			got = append(got, fmt.Sprintf("second %d of %s", event.Snapshot.Second.Second, event.Snapshot.Run))
		case event.Beat != nil:
			got = append(got, fmt.Sprintf("beat of %s, draining %t", event.Beat.Version, event.Beat.Draining))
		default:
			got = append(got, fmt.Sprintf("event %d of %s", event.Stored.ID, event.Stored.Run))
		}
		if len(got) == 3 {
			break
		}
	}
	if diff := cmp.Diff([]string{"second 7 of r1", "beat of v1, draining true", "event 9 of r1"}, got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func TestSilentStreamIsOpenedAnew(t *testing.T) {
	var connections atomic.Int32
	server := serve(t, map[string]http.HandlerFunc{"GET /api/v1/events": func(w http.ResponseWriter, r *http.Request) {
		if connections.Add(1) == 1 {
			w.(http.Flusher).Flush()
			<-r.Context().Done() // says nothing, until the client has had enough
			return
		}
		send(w, 1, "event", stored(1))
		<-r.Context().Done()
	}})
	c, err := client.New(client.Options{URL: server.URL(), Pause: time.Nanosecond, Silence: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	for event, err := range c.Events(t.Context(), client.EventFilter{}) {
		if err != nil || event.Stored.ID != 1 {
			t.Fatalf("event %+v, %v, want event 1 from another connection", event, err)
		}
		break
	}
}

func TestStreamEndsWithTheReason(t *testing.T) {
	t.Run("the server refuses", func(t *testing.T) {
		c := serve(t, map[string]http.HandlerFunc{"GET /api/v1/events": answer(404, "application/problem+json", `{"detail": "no run r9"}`)})
		if err := lastError(t.Context(), c); err == nil || !strings.Contains(err.Error(), "no run r9") {
			t.Errorf("Events = %v, want the server's words", err)
		}
	})
	t.Run("the server has gone", func(t *testing.T) {
		c := serve(t, map[string]http.HandlerFunc{"GET /api/v1/events": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }})
		if err := lastError(t.Context(), c); !client.Unreachable(err) {
			t.Errorf("Events = %v, want that the server cannot be reached", err)
		}
	})
	t.Run("the caller ends it", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		c := serve(t, map[string]http.HandlerFunc{"GET /api/v1/events": func(w http.ResponseWriter, r *http.Request) {
			cancel()
			<-r.Context().Done()
		}})
		if err := lastError(ctx, c); !errors.Is(err, context.Canceled) {
			t.Errorf("Events = %v, want %v", err, context.Canceled)
		}
	})
}

func lastError(ctx context.Context, c *client.Client) error {
	var last error
	for _, err := range c.Events(ctx, client.EventFilter{}) {
		last = err
	}
	return last
}
