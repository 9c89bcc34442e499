package stream_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"dec.local/dec/internal/measure"
	"dec.local/dec/internal/stream"
)

// handler serves everything of a hub; ended gets why each stream ended.
func handler(h *stream.Hub, ended chan<- error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, err := h.Subscribe(r.Context(), stream.Filter{})
		if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		defer s.Close()
		ended <- stream.Serve(r.Context(), w, s)
	})
}

func TestServeWritesEventStreams(t *testing.T) {
	source := &events{}
	source.add(of("a1"))
	h := start(t, stream.Options{Source: source})
	ended := make(chan error, 1)
	server := httptest.NewServer(handler(h, ended))
	defer server.Close()
	res, err := server.Client().Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	if got := res.Header.Get("Content-Type"); got != "text/event-stream" {
		t.Errorf("Content-Type %q", got)
	}
	lines := bufio.NewReader(res.Body)
	read := func() (event string) {
		for !strings.HasSuffix(event, "\n\n") {
			line, err := lines.ReadString('\n')
			if err != nil {
				t.Fatalf("read the stream after %q: %v", event, err)
			}
			event += line
		}
		return event
	}
	if got := read(); !strings.HasPrefix(got, "id: 1\nevent: event\ndata: {") {
		t.Errorf("first event %q", got)
	}
	h.Second("a1", "ea", measure.Second{Second: 3})
	if got := read(); !strings.HasPrefix(got, "event: snapshot\ndata: {") || !strings.Contains(got, `"second":3`) {
		t.Errorf("second event %q", got)
	}
	res.Body.Close()
	if err := <-ended; err == nil {
		t.Error("Serve for a client that went away = nil, want why it ended")
	}
}

func TestServeCutsOffClientsThatDoNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := start(t, stream.Options{Source: &events{}})
		ended := make(chan error, 1)
		client, conn := net.Pipe() // has no buffers: a write waits for its reader
		server := &http.Server{Handler: handler(h, ended)}
		defer server.Close()
		go server.Serve(&oneConn{conn: conn})
		io.WriteString(client, "GET / HTTP/1.1\r\nHost: dec\r\n\r\n")
		answer := bufio.NewReader(client)
		for line := ""; line != "\r\n"; line, _ = answer.ReadString('\n') {
		}
		began := time.Now()
		if err := <-ended; err == nil || !strings.Contains(err.Error(), "timeout") {
			t.Errorf("Serve = %v, want a timeout", err)
		}
		if took := time.Since(began); took != 25*time.Second {
			t.Errorf("cut off after %s, want 15s after the first beat, which comes after 10s", took)
		}
		client.Close()
	})
}

// oneConn is a listener with one connection.
type oneConn struct {
	net.Listener
	conn net.Conn
}

func (l *oneConn) Accept() (net.Conn, error) {
	if c := l.conn; c != nil {
		l.conn = nil
		return c, nil
	}
	return nil, net.ErrClosed
}

func (l *oneConn) Close() error { return nil }
