package local_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dec.local/dec/internal/supervise"
	"dec.local/dec/target"
	"dec.local/dec/target/local"
)

func TestWatchTellsTheEndOfAService(t *testing.T) {
	tests := map[string]struct {
		script   string
		lifetime supervise.Lifetime
		want     []string
	}{
		"a service that fails":      {"echo boom; exit 3", supervise.Service, []string{`"broker-0"`, "exit code 3", "boom"}},
		"a service that just ends":  {"exit 0", supervise.Service, []string{`"broker-0"`, "exit code 0"}},
		"a task that fails":         {"echo boom; exit 3", supervise.Task, []string{`"broker-0"`, "exit code 3", "boom"}},
		"a service that was killed": {"kill -9 $$", supervise.Service, []string{`"broker-0"`, "SIGKILL"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			l := mustOpen(t)
			start(t, l, run+"-other", shell("exec sleep 600", supervise.Service))
			gate := filepath.Join(t.TempDir(), "gate")
			start(t, l, run+"-broker-0", shell("until [ -e "+gate+" ]; do sleep 0.02; done; "+tt.script, tt.lifetime))
			watched := make(chan error, 1)
			go func() { watched <- l.Watch(t.Context(), run) }()
			if err := os.WriteFile(gate, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			err := <-watched
			exit, ok := errors.AsType[*supervise.ExitError](err)
			if !ok || exit.Name != "broker-0" {
				t.Fatalf("Watch = %v, want the exit of broker-0", err)
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("Watch = %v, want it to contain %q", err, want)
				}
			}
		})
	}
}

func TestWatchTellsThatAServiceWasRemoved(t *testing.T) {
	l := mustOpen(t)
	// A task that has ended well is watched all the same, and tells us when the
	// watch has begun: it is looked at before the ticker.
	p := start(t, l, run+"-agent", shell("exit 0", supervise.Task))
	if _, err := p.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	watched := make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	seen := &countingContext{Context: ctx, asked: make(chan struct{}, 100)}
	go func() { watched <- l.Watch(seen, run) }()
	<-seen.asked // the first look is over
	if err := l.RemoveProcess(t.Context(), run+"-agent"); err != nil {
		t.Fatal(err)
	}
	if err := <-watched; err == nil || !strings.Contains(err.Error(), "agent was removed") {
		t.Errorf("Watch = %v, want that agent was removed", err)
	}
}

// countingContext tells when somebody waits for its end.
type countingContext struct {
	context.Context
	asked chan struct{}
}

func (c *countingContext) Done() <-chan struct{} {
	select {
	case c.asked <- struct{}{}:
	default:
	}
	return c.Context.Done()
}

func TestWatchIsQuietWhileAllIsWell(t *testing.T) {
	l := mustOpen(t)
	start(t, l, run+"-broker-0", shell("exec sleep 600", supervise.Service))
	task := start(t, l, run+"-agent", shell("exit 0", supervise.Task))
	if _, err := task.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	failed := start(t, l, otherRun+"-agent", shell("exit 1", supervise.Task))
	if _, err := failed.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	seen := &countingContext{Context: ctx, asked: make(chan struct{}, 100)}
	watched := make(chan error, 1)
	go func() { watched <- l.Watch(seen, run) }()
	for range 3 { // looks
		<-seen.asked
	}
	cancel()
	if err := <-watched; !errors.Is(err, context.Canceled) {
		t.Errorf("Watch = %v, want %v", err, context.Canceled)
	}
}

func TestLockMeasuring(t *testing.T) {
	l := mustOpen(t)
	other, err := local.Open(l.Dir())
	if err != nil {
		t.Fatal(err)
	}
	release, err := l.LockMeasuring(t.Context())
	if err != nil {
		t.Fatalf("LockMeasuring = %v", err)
	}

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := other.LockMeasuring(ctx); !errors.Is(err, target.ErrMeasuring) || !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "process ") {
		t.Errorf("LockMeasuring while it is held = %v, want %v with the process that holds it", err, target.ErrMeasuring)
	}

	waiting := &countingContext{Context: t.Context(), asked: make(chan struct{}, 1)}
	locked := make(chan error, 1)
	go func() {
		release, err := other.LockMeasuring(waiting)
		if err == nil {
			release()
		}
		locked <- err
	}()
	<-waiting.asked
	select {
	case err := <-locked:
		t.Fatalf("LockMeasuring while it is held = %v, want it to wait", err)
	default:
	}
	release()
	if err := <-locked; err != nil {
		t.Errorf("LockMeasuring after release = %v, want nil", err)
	}
}
