package supervise_test

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"dec.local/dec/internal/supervise"
	"golang.org/x/sys/unix"
)

func TestKillsInEveryOrder(t *testing.T) {
	t.Parallel()
	orders := [][]string{
		{"parent", "supervisor", "child"}, {"parent", "child", "supervisor"},
		{"supervisor", "parent", "child"}, {"supervisor", "child", "parent"},
		{"child", "parent", "supervisor"}, {"child", "supervisor", "parent"},
	}
	for _, order := range orders {
		t.Run("kill "+strings.Join(order, ", "), func(t *testing.T) {
			t.Parallel()
			parent, p := startBy(t, program(t, "stubborn"))
			waitReady(t, p)
			killed := make(map[string]bool)
			for _, who := range order {
				killed[who] = true
				switch who {
				case "parent":
					parent.kill()
				case "supervisor":
					send(t, supervisor(t, p), unix.SIGKILL)
				case "child":
					send(t, child(t, p), unix.SIGKILL)
				}
				wantAlive := !killed["child"]
				wantSupervisor := wantAlive && !killed["supervisor"] // which ends with its child
				eventually(t, "the locks say who lives", func() bool {
					return alive(t, p) == wantAlive && supervisorAlive(t, p) == wantSupervisor
				})
			}
			exit, err := waitAny(t, p)
			unsupervised := strings.Index(strings.Join(order, " "), "supervisor") < strings.Index(strings.Join(order, " "), "child")
			if unsupervised && !errors.Is(err, supervise.ErrNoExit) {
				t.Errorf("Wait() = %+v, %v, want ErrNoExit", exit, err)
			}
			if !unsupervised && (exit.Signal != "SIGKILL" || exit.Code != -1 || exit.Cause != supervise.CauseExited) {
				t.Errorf("Wait() = %+v, %v, want an end by SIGKILL", exit, err)
			}
			if got := workFile(t, p, "signals"); got != "" {
				t.Errorf("the child got the signals %q, want none", got)
			}
		})
	}
}

func TestAStoppedSupervisorOrChildIsAlive(t *testing.T) {
	t.Parallel()
	p := startReady(t, program(t, "stubborn"))
	for _, id := range []supervise.Identity{child(t, p), supervisor(t, p)} {
		send(t, id, unix.SIGSTOP)
		if !alive(t, p) || !supervisorAlive(t, p) {
			t.Errorf("alive = %t, supervisor alive = %t, want both", alive(t, p), supervisorAlive(t, p))
		}
	}
	// Killed while nobody waits for it, the child is a zombie: it takes signals,
	// but does not live. Its supervisor does.
	send(t, child(t, p), unix.SIGKILL)
	eventually(t, "the child is a zombie", func() bool { return !child(t, p).Alive() })
	if err := child(t, p).Signal(unix.SIGTERM); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("Signal() of a zombie = %v, want os.ErrProcessDone", err)
	}
	if !alive(t, p) {
		t.Error("alive = false, want true: the supervisor is stopped")
	}
	send(t, supervisor(t, p), unix.SIGCONT)
	if exit := wait(t, p); exit.Signal != "SIGKILL" {
		t.Errorf("Wait() = %+v, want an end by SIGKILL", exit)
	}
}

func TestAnIdentityIsMoreThanAPid(t *testing.T) {
	t.Parallel()
	p := startReady(t, program(t, "stubborn"))
	id := child(t, p)
	tests := map[string]supervise.Identity{
		"another start": {PID: id.PID, StartTicks: id.StartTicks + 1, BootID: id.BootID},
		"another boot":  {PID: id.PID, StartTicks: id.StartTicks, BootID: "another"},
		"no process":    {},
	}
	for name, other := range tests {
		if err := other.Signal(unix.SIGTERM); !errors.Is(err, os.ErrProcessDone) || other.Alive() {
			t.Errorf("%s: Signal() = %v, Alive() = %t, want os.ErrProcessDone, false", name, err, other.Alive())
		}
	}
	if !id.Alive() {
		t.Errorf("%+v.Alive() = false, want true", id)
	}
}

func TestExitOfAProcess(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		lifetime supervise.Lifetime
		code     string
		ready    bool   // WaitReady returns nil although it has ended
		want     string // in its error
	}{
		"a task that succeeds":    {supervise.Task, "0", true, ""},
		"a task that fails":       {supervise.Task, "3", false, `process "exit" ended before it was ready: exit code 3`},
		"a service that succeeds": {supervise.Service, "0", false, `process "exit" ended before it was ready: exit code 0`},
		"a service that fails":    {"", "1", false, `process "exit" ended before it was ready: exit code 1`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			spec := program(t, "exit", tt.code)
			spec.Lifetime = tt.lifetime
			p := start(t, spec, supervise.Secrets{})
			err := p.WaitReady(t.Context())
			if tt.ready != (err == nil) {
				t.Errorf("WaitReady() = %v, want nil = %t", err, tt.ready)
			}
			if err != nil && (!strings.HasPrefix(err.Error(), tt.want+"\n") ||
				!strings.Contains(err.Error(), "good bye") || !strings.Contains(err.Error(), "something went wrong")) {
				t.Errorf("WaitReady() = %v, want %s and the output", err, tt.want)
			}
			exit := wait(t, p)
			if got := strconv.Itoa(exit.Code); got != tt.code || exit.Cause != supervise.CauseExited || exit.Signal != "" {
				t.Errorf("Wait() = %+v, want code %s and cause exited", exit, tt.code)
			}
			if exit.StartedAt.IsZero() || exit.EndedAt.Before(exit.StartedAt) {
				t.Errorf("started at %s and ended at %s, want times in order", exit.StartedAt, exit.EndedAt)
			}
			if again, ok, err := p.Exit(); !ok || err != nil || again.Code != exit.Code {
				t.Errorf("Exit() = %+v, %t, %v, want the same as Wait()", again, ok, err)
			}
		})
	}
}

func TestAServiceThatEndsAfterItWasReady(t *testing.T) {
	t.Parallel()
	p := startReady(t, program(t, "graceful"))
	send(t, child(t, p), unix.SIGUSR1)
	wait(t, p)
	err := p.WaitReady(t.Context())
	if failed, ok := errors.AsType[*supervise.ExitError](err); !ok || !failed.Ready || !strings.HasPrefix(err.Error(), `process "graceful" ended: exit code 0`) {
		t.Errorf("WaitReady() = %v, want that it has ended", err)
	}
}

func TestExpiry(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		mode string
		stop bool // the supervisor sleeps through the moment
		want string
	}{
		"a process ends at its time":                    {"graceful", false, ""},
		"one that does not listen is killed":            {"stubborn", false, "SIGKILL"},
		"a supervisor that was stopped makes up for it": {"graceful", true, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			spec := program(t, tt.mode)
			if tt.mode == "stubborn" {
				spec.Grace = shortGrace
			}
			spec.ExpiresAt = time.Now().Add(2 * time.Second)
			p := start(t, spec, supervise.Secrets{})
			if tt.stop {
				waitReady(t, p)
				send(t, supervisor(t, p), unix.SIGSTOP)
				eventually(t, "its time is over", func() bool { return time.Now().After(spec.ExpiresAt) })
				send(t, supervisor(t, p), unix.SIGCONT)
			}
			exit := wait(t, p)
			if exit.Cause != supervise.CauseExpired || exit.Message == "" || exit.EndedAt.Before(spec.ExpiresAt) {
				t.Errorf("Wait() = %+v, want cause expired, not before %s", exit, spec.ExpiresAt)
			}
			if !tt.stop { // a slow machine may not have come as far as its handlers
				return
			}
			if got := workFile(t, p, "signals"); exit.Signal != tt.want || got != "SIGTERM\n" {
				t.Errorf("ended by %q after signals %q, want %q after SIGTERM", exit.Signal, got, tt.want)
			}
		})
	}
}

func TestAProcessPastItsTimeIsNotStarted(t *testing.T) {
	t.Parallel()
	spec := program(t, "idle")
	spec.ExpiresAt = time.Now().Add(-time.Hour)
	p := start(t, spec, supervise.Secrets{})
	if exit := wait(t, p); exit.Cause != supervise.CauseExpired || exit.Message != "expired before it was started" {
		t.Errorf("Wait() = %+v, want that it expired before it was started", exit)
	}
}

func TestMemoryLimit(t *testing.T) {
	t.Parallel()
	spec := program(t, "use-memory")
	spec.Limits.MemoryBytes = 300 << 20 // two of them take 256 MiB each
	p := start(t, spec, supervise.Secrets{})
	exit := wait(t, p)
	if exit.Cause != supervise.CauseMemory || exit.Signal != "SIGKILL" || !strings.Contains(exit.Message, "the limit is 314.6 MB") {
		t.Errorf("Wait() = %+v, want cause memory", exit)
	}
	if exit.Usage.RSSBytes <= spec.Limits.MemoryBytes || exit.Usage.Processes != 2 {
		t.Errorf("usage = %+v, want more than the limit, in 2 processes", exit.Usage)
	}
}

func TestUsage(t *testing.T) {
	t.Parallel()
	p := start(t, program(t, "cpu-tree"), supervise.Secrets{})
	waitReady(t, p)
	eventually(t, "the CPU time of an ended process is sampled", func() bool {
		u, err := p.Usage()
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		return u.CPUSeconds >= 0.25 && u.RSSBytes > 1<<20 && u.Processes == 1
	})
	send(t, child(t, p), unix.SIGKILL)
	exit := wait(t, p)
	data, err := os.ReadFile(filepath.Join(p.Folder(), "samples.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	var last supervise.Usage
	for line := range strings.Lines(string(data)) {
		var u supervise.Usage
		if err := json.Unmarshal([]byte(line), &u); err != nil {
			t.Fatalf("sample %q: %v", line, err)
		}
		if u.CPUSeconds < last.CPUSeconds || u.At.Before(last.At) || u.WriteBytes < last.WriteBytes {
			t.Errorf("sample %+v follows %+v, want totals that never fall", u, last)
		}
		last = u
	}
	if exit.Usage.CPUSeconds != last.CPUSeconds || exit.Usage.RSSBytes < 1<<20 {
		t.Errorf("usage in total = %+v, want the last sample %+v and the highest memory", exit.Usage, last)
	}
}

func TestUsageOfAProcessThatHasEndedBetweenSamples(t *testing.T) {
	t.Parallel()
	spec := program(t, "use-cpu")
	spec.Lifetime, spec.Readiness = supervise.Task, supervise.Readiness{}
	if exit := wait(t, start(t, spec, supervise.Secrets{})); exit.Usage.CPUSeconds < 0.25 {
		t.Errorf("usage = %+v, want about 0.3 s of CPU", exit.Usage)
	}
}

func TestLogsAreSaved(t *testing.T) {
	t.Parallel()
	spec := program(t, "exit", "1")
	spec.Logs = filepath.Join(t.TempDir(), "a", "b")
	p := start(t, spec, supervise.Secrets{})
	wait(t, p)
	for _, name := range []string{"stdout.log", "stderr.log", "samples.jsonl", "exit.json", "supervisor.log"} {
		want, err := os.ReadFile(filepath.Join(p.Folder(), name))
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join(spec.Logs, name))
		if err != nil || !strings.HasPrefix(string(want), string(got)) || len(got) == 0 && len(want) > 0 {
			t.Errorf("saved %s = %q, %v, want %q", name, got, err, want)
		}
	}
}

func TestTail(t *testing.T) {
	t.Parallel()
	p := start(t, program(t, "exit", "0"), supervise.Secrets{})
	wait(t, p)
	for name, text := range map[string]string{"stdout.log": "1\n2\n3\n4\n", "stderr.log": "a\r\nb\xff\n\n"} {
		if err := os.WriteFile(filepath.Join(p.Folder(), name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	old := time.Now().Add(-time.Hour)
	for _, tt := range []struct {
		older string
		n     int
		want  string
	}{
		{"stderr.log", 10, "a\r\nb\uFFFD\n1\n2\n3\n4"},
		{"stderr.log", 4, "a\r\nb\uFFFD\n3\n4"},
		{"stdout.log", 4, "3\n4\na\r\nb\uFFFD"},
		{"stdout.log", 1, "b\uFFFD"},
	} {
		for _, name := range []string{"stdout.log", "stderr.log"} {
			at := time.Now()
			if name == tt.older {
				at = old
			}
			if err := os.Chtimes(filepath.Join(p.Folder(), name), at, at); err != nil {
				t.Fatal(err)
			}
		}
		if got := p.Tail(tt.n); got != tt.want {
			t.Errorf("Tail(%d) with %s older = %q, want %q", tt.n, tt.older, got, tt.want)
		}
	}
}

func TestRemove(t *testing.T) {
	t.Parallel()
	p := startReady(t, program(t, "stubborn"))
	if err := p.Remove(); !errors.Is(err, supervise.ErrAlive) {
		t.Errorf("Remove() of a live process = %v, want ErrAlive", err)
	}
	send(t, supervisor(t, p), unix.SIGKILL)
	eventually(t, "the supervisor is gone", func() bool { return !supervisorAlive(t, p) })
	if err := p.Remove(); !errors.Is(err, supervise.ErrAlive) {
		t.Errorf("Remove() without a supervisor = %v, want ErrAlive", err)
	}
	end(t, p)
	for range 2 {
		if err := p.Remove(); err != nil {
			t.Errorf("Remove() after the end = %v, want nil", err)
		}
	}
	if _, err := supervise.Open(p.Folder()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Open() after Remove() = %v, want fs.ErrNotExist", err)
	}
}
