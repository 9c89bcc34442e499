package proxy_test

import (
	"io"
	"net"
	"testing"
	"time"

	"dec.local/dec/bench/peers/proxy"
)

// echo starts a server that sends back what it gets, and a proxy in front of it.
func echo(t *testing.T, delay time.Duration) *proxy.Proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_, _ = io.Copy(conn, conn)
			}()
		}
	}()
	p, err := proxy.Listen(t.Context(), "127.0.0.1:0", listener.Addr().String(), delay)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Errorf("Close() = %v", err)
		}
	})
	return p
}

// ask sends a text and returns how long it took to come back.
func ask(t *testing.T, conn net.Conn, text string) time.Duration {
	t.Helper()
	start := time.Now()
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, len(text))
	if _, err := io.ReadFull(conn, answer); err != nil {
		t.Fatal(err)
	}
	if string(answer) != text {
		t.Errorf("the answer to %q is %q", text, answer)
	}
	return time.Since(start)
}

func dial(t *testing.T, p *proxy.Proxy) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", p.Address())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func TestEachDirectionIsHeldForTheDelay(t *testing.T) {
	const delay = 20 * time.Millisecond
	p := echo(t, delay)
	conn := dial(t, p)
	for _, text := range []string{"one", "two", "three"} {
		if took := ask(t, conn, text); took < 2*delay {
			t.Errorf("an answer took %v, want at least %v", took, 2*delay)
		}
	}
	if median, p99 := p.Held(); median < delay || p99 < median {
		t.Errorf("Held() = %v, %v; want at least %v", median, p99, delay)
	}
}

func TestNothingPassesDuringAStall(t *testing.T) {
	p := echo(t, 0)
	conn := dial(t, p)
	ask(t, conn, "before")
	until := time.Now().Add(200 * time.Millisecond)
	p.Stall(time.Now(), until)
	ask(t, conn, "during")
	if now := time.Now(); now.Before(until) {
		t.Errorf("an answer came %v before the end of the stall", until.Sub(now))
	}
	if median, _ := p.Held(); median >= 200*time.Millisecond {
		t.Errorf("the stall counts as delay: %v", median)
	}
}

func TestTheEndOfAConnectionPassesToo(t *testing.T) {
	p := echo(t, time.Millisecond)
	conn := dial(t, p)
	ask(t, conn, "hello")
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if rest, err := io.ReadAll(conn); err != nil || len(rest) > 0 {
		t.Errorf("after the end of the connection: %q, %v", rest, err)
	}
}

func TestAStallCountsAsWorkedOffWhenAllThatWasDueHasPassed(t *testing.T) {
	const stall = 200 * time.Millisecond
	p := echo(t, 0)
	conn := dial(t, p)
	start := time.Now()
	from := start.Add(stall)
	p.Stall(from, from.Add(stall))
	go func() { _, _ = io.Copy(io.Discard, conn) }()
	// What is due by a rate, also while it is held.
	next := time.NewTicker(5 * time.Millisecond)
	defer next.Stop()
	for sent := 0; p.CaughtUp() == 0; <-next.C {
		due := int(time.Since(start).Microseconds())
		if _, err := conn.Write(make([]byte, due-sent)); err != nil {
			t.Fatal(err)
		}
		sent = due
	}
	if !p.Stalled() || time.Now().Before(from.Add(stall)) {
		t.Error("it was worked off before it had ended")
	}
}
