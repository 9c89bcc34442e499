package supervise_test

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"dec.local/dec/internal/supervise"
	"golang.org/x/sys/unix"
)

func TestReadiness(t *testing.T) {
	t.Parallel()
	freePort := func(t *testing.T, host string) int {
		listener, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
		return listener.Addr().(*net.TCPAddr).Port
	}
	tests := map[string]func(t *testing.T) (spec supervise.Spec, file string){
		"a port that opens": func(t *testing.T) (supervise.Spec, string) {
			port := freePort(t, "127.0.0.1")
			spec := program(t, "listen", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
			spec.Readiness.Log, spec.Readiness.Port = "", port
			return spec, "open"
		},
		"a port of another address": func(t *testing.T) (supervise.Spec, string) {
			port := freePort(t, "127.0.1.7")
			spec := program(t, "listen", net.JoinHostPort("127.0.1.7", strconv.Itoa(port)))
			spec.Readiness = supervise.Readiness{Host: "127.0.1.7", Port: port}
			return spec, "open"
		},
		"a port and a line": func(t *testing.T) (supervise.Spec, string) {
			port := freePort(t, "127.0.0.1")
			spec := program(t, "listen", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
			spec.Readiness.Port = port
			return spec, "open"
		},
		"a whole line on standard error": func(t *testing.T) (supervise.Spec, string) {
			spec := program(t, "speak")
			spec.Readiness.Log = `server is re(ady now)?$`
			return spec, "speak"
		},
	}
	for name, prepare := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			spec, file := prepare(t)
			p := start(t, spec, supervise.Secrets{})
			eventually(t, "the first words are there", func() bool { return p.Tail(1) != "" })
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			if err := p.WaitReady(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Fatalf("WaitReady() before it is = %v, want context.DeadlineExceeded", err)
			}
			if err := os.WriteFile(filepath.Join(p.Folder(), "work", file), []byte("\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			waitReady(t, p)
		})
	}
}

func TestWhatIsNotReadyInTimeIsStopped(t *testing.T) {
	t.Parallel()
	spec := program(t, "graceful")
	spec.Readiness = supervise.Readiness{Log: "never", Timeout: time.Second}
	p := start(t, spec, supervise.Secrets{})
	err := p.WaitReady(t.Context())
	want := `process "graceful" ended before it was ready: it was not ready within 1s: no line of its output matches "never"` + "\nready"
	if _, ok := errors.AsType[*supervise.ExitError](err); !ok || err.Error() != want {
		t.Errorf("WaitReady() = %v, want %s", err, want)
	}
	if exit := wait(t, p); exit.Cause != supervise.CauseUnready || workFile(t, p, "signals") != "SIGTERM\n" {
		t.Errorf("Wait() = %+v after signals %q, want cause unready after SIGTERM", exit, workFile(t, p, "signals"))
	}
}

func TestWaitReadyWithoutASupervisor(t *testing.T) {
	t.Parallel()
	spec := program(t, "stubborn")
	spec.Readiness.Log = "never"
	p := start(t, spec, supervise.Secrets{})
	send(t, supervisor(t, p), unix.SIGKILL)
	if err := p.WaitReady(t.Context()); !errors.Is(err, supervise.ErrNoExit) {
		t.Errorf("WaitReady() = %v, want ErrNoExit: nobody looks any more", err)
	}
}
