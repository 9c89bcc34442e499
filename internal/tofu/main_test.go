package tofu_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/supervise"
	"dec.local/dec/internal/tofu"
)

func TestMain(m *testing.M) {
	supervise.Main(tofu.Sidecars())
	os.Exit(m.Run())
}

// repository returns the folder of go.mod.
func repository(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the working folder")
		}
		dir = filepath.Dir(dir)
	}
}

// binary returns the pinned OpenTofu.
func binary(t testing.TB) string {
	t.Helper()
	name := filepath.Join(repository(t), ".tools", "bin", "tofu")
	if _, err := os.Stat(name); err != nil {
		t.Fatalf("%v: run make setup", err)
	}
	return name
}

// options returns those of a runner of the fake stack on the fake target.
func options(t testing.TB) (tofu.Options, *attemptLog) {
	t.Helper()
	log := &attemptLog{}
	return tofu.Options{
		Dir:      filepath.Join(t.TempDir(), "runs"),
		Binary:   binary(t),
		Stacks:   os.DirFS("testdata/technology"),
		Targets:  map[string]tofu.Target{"fake": {Nodes: os.DirFS("testdata/target/fake/nodes")}},
		Attempts: log,
		Install:  "test",
	}, log
}

// newRunner returns a runner of o.
func newRunner(t testing.TB, o tofu.Options) *tofu.Runner {
	t.Helper()
	r, err := tofu.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// job returns one of the fake stack with the given options.
func job(t testing.TB, options map[string]any) tofu.Job {
	t.Helper()
	raw := map[string]json.RawMessage{}
	for name, value := range options {
		data, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		raw[name] = data
	}
	return tofu.Job{
		Run: "r1", Target: "fake", Technology: "fake", Stack: "plain",
		Options: raw, Logs: t.TempDir(), ExpiresAt: time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC),
	}
}

// attemptLog keeps what the runner records.
type attemptLog struct {
	mu       sync.Mutex // guards all below
	attempts []experiment.Attempt
	intents  map[int][]experiment.Intent
	states   map[int]map[int64]string
}

func (l *attemptLog) BeginAttempt(_ context.Context, a experiment.Attempt) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	a.N = len(l.attempts) + 1
	l.attempts = append(l.attempts, a)
	return a.N, nil
}

func (l *attemptLog) RecordIntents(_ context.Context, _ string, n int, intents []experiment.Intent) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.intents == nil {
		l.intents = map[int][]experiment.Intent{}
	}
	l.intents[n] = intents
	return nil
}

func (l *attemptLog) EndAttempt(_ context.Context, a experiment.Attempt) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	a.StartedAt = l.attempts[a.N-1].StartedAt
	l.attempts[a.N-1] = a
	return nil
}

func (l *attemptLog) SaveState(_ context.Context, _ string, n int, serial int64, state []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.states == nil {
		l.states = map[int]map[int64]string{}
	}
	if l.states[n] == nil {
		l.states[n] = map[int64]string{}
	}
	l.states[n][serial] = string(state)
	return nil
}

// outcomes returns kind and outcome of each attempt.
func (l *attemptLog) outcomes() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var list []string
	for _, a := range l.attempts {
		list = append(list, string(a.Kind)+" "+a.Outcome)
	}
	return list
}

// last returns the newest attempt.
func (l *attemptLog) last() experiment.Attempt {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.attempts[len(l.attempts)-1]
}

// gate is a named pipe that holds the first member of the fake stack.
type gate struct {
	name string
	held chan struct{} // closed when the member is there
	file *os.File      // its writing end, once held
}

// newGate makes one that is opened at the end of the test.
func newGate(t *testing.T) *gate {
	t.Helper()
	g := &gate{name: filepath.Join(t.TempDir(), "gate"), held: make(chan struct{})}
	if err := syscall.Mkfifo(g.name, 0o600); err != nil {
		t.Fatal(err)
	}
	go func() {
		g.file, _ = os.OpenFile(g.name, os.O_WRONLY, 0) // returns when there is a reader
		close(g.held)
	}()
	t.Cleanup(func() {
		reader, err := os.OpenFile(g.name, os.O_RDWR, 0) // lets the writer go if nobody came
		if err != nil {
			t.Error(err)
			return
		}
		g.open(t)
		_ = reader.Close()
	})
	return g
}

// open lets the member go on. It may be called again.
func (g *gate) open(t *testing.T) {
	t.Helper()
	<-g.held
	if err := g.file.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		t.Error(err)
	}
}
