package guard_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"testing"

	"dec.local/dec/internal/guard"
)

// counting counts the connections that are open.
type counting struct {
	net.Listener
	open, most atomic.Int64
}

type countedConn struct {
	net.Conn
	closed atomic.Bool
	of     *counting
}

func (l *counting) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if n := l.open.Add(1); n > l.most.Load() {
		l.most.Store(n) // one goroutine accepts
	}
	return &countedConn{Conn: c, of: l}, nil
}

func (c *countedConn) Close() error {
	if !c.closed.Swap(true) {
		c.of.open.Add(-1)
	}
	return c.Conn.Close()
}

// limited starts a guarded server with at most n connections, and a stream at
// /stream that writes a line for each thing that is sent to ticks.
func limited(t *testing.T, n int, ticks <-chan struct{}) (address string, l *counting) {
	t.Helper()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l = &counting{Listener: inner}
	f := guarded(t, nil)
	mux := http.NewServeMux()
	mux.Handle("/", routes(f.guard))
	mux.HandleFunc("GET /stream", func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusOK)
		for http.NewResponseController(w).Flush() == nil {
			select {
			case <-ticks:
				io.WriteString(w, "tick\n")
			case <-r.Context().Done():
				return
			}
		}
	})
	server := guard.Server(f.guard.Wrap(mux))
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(guard.Limit(l, n)) }()
	t.Cleanup(func() { server.Close(); <-ended })
	return inner.Addr().String(), l
}

func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func ask(c net.Conn, path string) {
	fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n\r\n", path, token)
}

// get makes a call by a connection and returns its answer, with the body unread.
func get(t *testing.T, c net.Conn, path string) *http.Response {
	t.Helper()
	ask(c, path)
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatalf("GET %s: %v", path, err)
	}
	return res
}

func TestTenThousandConnectionsDoNotDisturbCallers(t *testing.T) {
	const most = 100
	ticks := make(chan struct{})
	address, l := limited(t, most, ticks)
	stream := get(t, dial(t, address), "/stream")
	lines := bufio.NewReader(stream.Body)
	var untrusted []net.Conn
	for i := range 10_000 {
		c := dial(t, address)
		if untrusted = append(untrusted, c); i >= 2*most {
			cutOff(t, untrusted[i-2*most])
		}
		if i%3 == 0 {
			io.WriteString(c, "POST /read HTTP/1.1\r\nHost: localhost\r\nContent-Le") // a slow one
		}
		if i%500 == 0 {
			if res := get(t, dial(t, address), "/who"); res.StatusCode != http.StatusOK {
				t.Fatalf("with %d unauthenticated clients a call = %s", i, res.Status)
			}
			ticks <- struct{}{}
			if line, err := lines.ReadString('\n'); line != "tick\n" {
				t.Fatalf("with %d unauthenticated clients the stream ended: %q, %v", i, line, err)
			}
		}
	}
	if got := l.most.Load(); got > most+1 { // the new one is open while the evicted one is chosen
		t.Errorf("%d connections were open at once, want at most %d", got, most)
	}
}

// cutOff waits until the server has closed a connection.
func cutOff(t *testing.T, c net.Conn) {
	t.Helper()
	if _, err := c.Read(make([]byte, 1)); err == nil {
		t.Error("a connection got an answer, want it cut off")
	}
	c.Close()
}

func TestCallersGiveWayOnlyWhenIdle(t *testing.T) {
	address, _ := limited(t, 3, nil)
	for range 2 {
		get(t, dial(t, address), "/stream")
	}
	idle := dial(t, address)
	io.Copy(io.Discard, io.LimitReader(get(t, idle, "/who").Body, 1<<10))
	for asked := false; !asked; { // in the place of the idle one, as soon as the server knows that it idles
		c := dial(t, address)
		ask(c, "/stream")
		_, err := http.ReadResponse(bufio.NewReader(c), nil)
		asked = err == nil
	}
	cutOff(t, idle)
	cutOff(t, dial(t, address)) // more than allowed, and nobody idles
}
