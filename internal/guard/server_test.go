package guard_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"dec.local/dec/internal/guard"
)

// pipes is a listener in memory: a write waits for its reader, and deadlines
// follow the clock of the test.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { close(p.done); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

func (p *pipes) dial() net.Conn {
	client, server := net.Pipe()
	p.conns <- server
	return client
}

// inMemory runs a test against a server of h in virtual time.
func inMemory(t *testing.T, h http.Handler, test func(*testing.T, *pipes)) {
	synctest.Test(t, func(t *testing.T) {
		p := &pipes{conns: make(chan net.Conn), done: make(chan struct{})}
		server := guard.Server(h)
		server.ErrorLog = nil
		go server.Serve(p)
		defer server.Close()
		test(t, p)
	})
}

// writeSlowly writes one byte a second until the connection ends, and returns how many
// seconds that took.
func writeSlowly(c net.Conn) int {
	for s := 0; ; s++ {
		if _, err := c.Write([]byte("x")); err != nil {
			return s
		}
		time.Sleep(time.Second)
	}
}

func TestSlowHeadersEnd(t *testing.T) {
	inMemory(t, guarded(t, nil).handler, func(t *testing.T, p *pipes) {
		c := p.dial()
		io.WriteString(c, "GET / HTTP/1.1\r\nHost: dec\r\nX-Slow: ")
		go io.Copy(io.Discard, c)
		if s := writeSlowly(c); s < 9 || s > 12 {
			t.Errorf("a client that sends its headers slowly was cut off after %d s, want 10", s)
		}
	})
}

func TestSlowBodiesEnd(t *testing.T) {
	inMemory(t, guarded(t, nil).handler, func(t *testing.T, p *pipes) {
		c := p.dial()
		fmt.Fprintf(c, "POST /read HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Length: 1000\r\n\r\n", token)
		status := make(chan string, 1)
		go func() {
			line, _ := bufio.NewReader(c).ReadString('\n')
			status <- line
			io.Copy(io.Discard, c)
		}()
		if s := writeSlowly(c); s < 29 || s > 33 {
			t.Errorf("a client that sends its body slowly was cut off after %d s, want 30", s)
		}
		if line := <-status; !strings.Contains(line, "408") {
			t.Errorf("the answer is %q, want 408 of the handler", line)
		}
	})
}

func TestSlowBodiesWithoutATokenEnd(t *testing.T) {
	inMemory(t, guarded(t, nil).handler, func(t *testing.T, p *pipes) {
		c := p.dial()
		io.WriteString(c, "POST /read HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n")
		go io.Copy(io.Discard, c)
		if s := writeSlowly(c); s > 33 {
			t.Errorf("a client without a token that sends its body slowly was cut off after %d s, want at most 30", s)
		}
	})
}

func TestLargeBodiesAreRefusedUnread(t *testing.T) {
	for name, tt := range map[string]struct {
		head string
		most int // bytes that may be read
	}{
		"of known length":   {"Content-Length: 104857600\r\n\r\n", 64 << 10},
		"of unknown length": {"Transfer-Encoding: chunked\r\n\r\n6400000\r\n", maxBody + 512<<10},
	} {
		t.Run(name, func(t *testing.T) {
			inMemory(t, guarded(t, nil).handler, func(t *testing.T, p *pipes) {
				c := p.dial()
				fmt.Fprintf(c, "POST /read HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n%s", token, tt.head)
				status := make(chan string, 1)
				go func() {
					line, _ := bufio.NewReader(c).ReadString('\n')
					status <- line
					io.Copy(io.Discard, c)
				}()
				var taken int
				for chunk := make([]byte, 32<<10); taken < 100<<20; {
					n, err := c.Write(chunk)
					if taken += n; err != nil {
						break
					}
				}
				if taken > tt.most {
					t.Errorf("the server took %d bytes, want at most %d", taken, tt.most)
				}
				if line := <-status; !strings.Contains(line, "413") {
					t.Errorf("the answer is %q, want 413", line)
				}
			})
		})
	}
}

func TestUnreadAnswersEnd(t *testing.T) {
	var ended chan time.Duration // of the bubble, or waiting for it would stop the clock
	endless := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		began := time.Now()
		for chunk := make([]byte, 32<<10); ; {
			if _, err := w.Write(chunk); err != nil {
				ended <- time.Since(began)
				return
			}
		}
	})
	inMemory(t, endless, func(t *testing.T, p *pipes) {
		ended = make(chan time.Duration, 1)
		c := p.dial()
		defer c.Close()
		io.WriteString(c, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
		if took := <-ended; took != 2*time.Minute {
			t.Errorf("the answer ended after %s, want 2m", took)
		}
	})
}

// The deadline of a body must not end what comes after it: the server goes on
// reading, to see whether the client is still there.
func TestLongAnswersOutliveTheDeadlineOfTheBody(t *testing.T) {
	long := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		select {
		case <-r.Context().Done():
			w.WriteHeader(http.StatusTeapot)
		case <-time.After(100 * time.Second):
		}
	})
	inMemory(t, long, func(t *testing.T, p *pipes) {
		client := &http.Client{Transport: &http.Transport{
			DialContext: func(context.Context, string, string) (net.Conn, error) { return p.dial(), nil },
		}}
		defer client.CloseIdleConnections()
		for range 2 { // on one connection, which is not spoiled by the first
			res, err := client.Post("http://localhost/", "text/plain", strings.NewReader("body"))
			if err != nil || res.StatusCode != http.StatusOK {
				t.Fatalf("a long answer = %v, %v; want 200", res, err)
			}
			res.Body.Close()
		}
	})
}

// TestTheAnswerToALargeBodyArrives posts over TCP, where closing a connection with
// unread data would take the answer away from the client.
func TestTheAnswerToALargeBodyArrives(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := guard.Server(guarded(t, nil).handler)
	go server.Serve(guard.Limit(l, 10))
	defer server.Close()
	body := strings.Repeat("x", 10<<20)
	for range 20 {
		request, err := http.NewRequestWithContext(t.Context(), "POST", "http://"+l.Addr().String()+"/read", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+token)
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("a body of 10 MB is answered with %s, want 413", answer.Status)
		}
	}
}
