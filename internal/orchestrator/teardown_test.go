package orchestrator_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/orchestrator"
	"dec.local/dec/internal/store"
)

// failing returns a step that fails the first n times for each run.
func (f *fixture) failing(n int) step {
	return func(ctx context.Context, _ string, call int) error {
		if call <= n {
			return errors.New("it fails")
		}
		return f.pause(ctx, took)
	}
}

func TestFailedTeardownIsRetried(t *testing.T) {
	tests := map[string]struct {
		step               string
		do                 func(f *fixture) step
		destroys, verifies int
	}{
		"destroy fails twice":    {"destroy", func(f *fixture) step { return f.failing(2) }, 3, 1},
		"destroy fails for ever": {"destroy", func(f *fixture) step { return f.failing(99) }, 3, 1}, // verify sweeps
		"destroy panics":         {"destroy", func(*fixture) step { return func(context.Context, string, int) error { panic("p") } }, 3, 1},
		"destroy hangs":          {"destroy", func(f *fixture) step { return f.block }, 3, 1},
		"verify fails twice":     {"verify", func(f *fixture) step { return f.failing(2) }, 1, 3},
		"verify panics once": {"verify", func(f *fixture) step {
			return func(_ context.Context, _ string, n int) error {
				if n == 1 {
					panic("p")
				}
				return nil
			}
		}, 1, 2},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, f *fixture) {
				f.on(tt.step, tt.do(f))
				runs := f.drive(f.engine(), single())
				f.settled()
				equal(t, "outcome", runs[0].Outcome, experiment.Succeeded)
				equal(t, "destroys and verifies", []int{f.count("destroy"), f.count("verify")}, []int{tt.destroys, tt.verifies})
				notices := 0
				for _, e := range f.events {
					if e.Kind == experiment.EventNotice {
						notices++
					}
				}
				if want := tt.destroys + tt.verifies - 2; notices < want {
					t.Errorf("%d notices of %d failed tries", notices, want)
				}
			})
		})
	}
}

// leak drives a plan of two runs of which the first cannot be verified.
func leak(t *testing.T, f *fixture) (id string) {
	t.Helper()
	p := single()
	p.Repeat = 2
	e := f.engine()
	id = f.submit(e, p)
	first := f.runs(id)[0].ID
	f.on("destroy", func(ctx context.Context, run string, _ int) error {
		if run == first {
			return errors.New("it fails")
		}
		return f.pause(ctx, took)
	})
	f.on("verify", func(ctx context.Context, run string, _ int) error {
		if run == first {
			return errors.New("process p is left")
		}
		return f.pause(ctx, took)
	})
	if err := e.Drive(t.Context(), id); err != nil {
		t.Fatalf("Drive(): %v", err)
	}
	runs := f.runs(id)
	if r := runs[0]; r.Teardown != experiment.TeardownLeaked || r.Outcome != experiment.Succeeded || r.Receipt != nil || r.Reason != "leaked: process p is left" {
		t.Errorf("the first run = %+v, want a success that leaked", r)
	}
	if r := runs[1]; r.Teardown != experiment.TeardownClean {
		t.Errorf("the second run = %+v, want it clean: the leaked one gave its slot back", r)
	}
	return id
}

func TestLeakedRuns(t *testing.T) {
	t.Run("are destroyed at the next start", func(t *testing.T) {
		bubble(t, func(t *testing.T, f *fixture) {
			id := leak(t, f)
			if err := f.engine().Recover(t.Context()); err != nil { // still stuck
				t.Fatal(err)
			}
			equal(t, "reason after another try", f.runs(id)[0].Reason, "leaked: process p is left")
			f.on("destroy", nil)
			f.on("verify", nil)
			if err := f.engine().Recover(t.Context()); err != nil {
				t.Fatal(err)
			}
			f.settled()
			run := f.runs(id)[0]
			equal(t, "the run", []any{run.Outcome, run.Reason, run.Receipt.Statement}, []any{experiment.Succeeded, "", "gone"})
			equal(t, "halts before each", f.count("halt") > 0, true)
		})
	})
	t.Run("are tried again each day", func(t *testing.T) {
		bubble(t, func(t *testing.T, f *fixture) {
			leak(t, f)
			start := time.Now()
			f.on("destroy", nil)
			f.on("verify", nil)
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Hour)
			defer cancel()
			hourly := func(o *orchestrator.Options) { o.Poll = time.Hour }
			if err := f.engine(hourly).Run(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Run() = %v, want %v", err, context.DeadlineExceeded)
			}
			f.settled()
			last := f.events[len(f.events)-1]
			if last.Kind != experiment.EventNotice || last.At.Sub(start) < 23*time.Hour {
				t.Errorf("last event = %+v, want a notice a day after %v", last, start)
			}
		})
	})
}

// flakyStore fails a write now and then.
type flakyStore struct {
	*store.Store
	fail func() bool
}

func (m flakyStore) Enter(ctx context.Context, run *experiment.Run, lease int64) ([]experiment.Event, error) {
	if m.fail() {
		return nil, errors.New("disk full")
	}
	return m.Store.Enter(ctx, run, lease)
}

func TestStoreFails(t *testing.T) {
	t.Run("for a moment", func(t *testing.T) {
		bubble(t, func(t *testing.T, f *fixture) {
			n := 0
			e := f.engineOn(flakyStore{f.store, func() bool { n++; return n%3 != 0 }})
			runs := f.drive(e, single())
			f.settled()
			equal(t, "outcome", runs[0].Outcome, experiment.Succeeded)
			equal(t, "phases", phases(runs[0]), []string{"queued", "provision", "prepare", "load", "collect", "destroy", "verify", "ended"})
		})
	})
	t.Run("for good", func(t *testing.T) {
		bubble(t, func(t *testing.T, f *fixture) {
			n := 0
			e := f.engineOn(flakyStore{f.store, func() bool { n++; return n > 2 }})
			id := f.submit(e, single())
			if err := e.Drive(t.Context(), id); err == nil || !strings.Contains(err.Error(), "disk full") {
				t.Errorf("Drive() = %v, want the error of the store", err)
			}
			if len(f.alive) != 1 {
				t.Errorf("infrastructure of %v exists, want that of the run", f.alive)
			}
			if err := goOn(t.Context(), f.engine()); err != nil {
				t.Fatal(err)
			}
			f.settled()
		})
	})
}
