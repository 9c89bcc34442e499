package orchestrator_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/orchestrator"
)

// crash ends the process of an engine as kill -9 does. Attempts that it began go
// on.
func (f *fixture) crash(e *orchestrator.Engine) { f.process(e).crash() }

// Killed in the middle of any step, a run is halted, destroyed and verified by
// the next start, which goes on with what is queued and repeats the run unless it
// was over. A load needs no server: it is followed to its end.
func TestCrashInEveryStep(t *testing.T) {
	tests := map[string]struct {
		outcome experiment.Outcome
		reason  string
	}{
		"lock":      {experiment.Succeeded, ""}, // it was still in the queue
		"provision": {experiment.Failed, "interrupted: the server was killed in phase provision"},
		"prepare":   {experiment.Failed, "interrupted: the server was killed in phase prepare"},
		"load":      {experiment.Succeeded, ""},
		"collect":   {experiment.Succeeded, ""},
		"destroy":   {experiment.Succeeded, ""},
		"verify":    {experiment.Succeeded, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, f *fixture) {
				e := f.engine()
				id := f.submit(e, plan(1))
				f.on(name, func(ctx context.Context, run string, n int) error {
					f.crash(e)
					return f.block(ctx, run, n)
				})
				if err := e.Drive(t.Context(), id); !errors.Is(err, orchestrator.ErrDetached) {
					t.Errorf("Drive() of a killed engine = %v, want %v", err, orchestrator.ErrDetached)
				}
				f.on(name, nil)
				f.live(0, false, func(e *orchestrator.Engine) error { return goOn(t.Context(), e) })
				f.measured(id, 1)
				runs := f.runs(id)
				if run := runs[0]; run.Outcome != tt.outcome || run.Reason != tt.reason {
					t.Errorf("the interrupted run = %s, %q, want %s, %q", run.Outcome, run.Reason, tt.outcome, tt.reason)
				}
				again := slices.ContainsFunc(runs, func(r experiment.Run) bool { return r.Extra && r.Variant == runs[0].Variant })
				if tt.outcome == experiment.Failed && (len(runs) != 3 || !again) {
					t.Errorf("runs = %+v, want the first repeated by an extra one", runs)
				}
				if halts := f.count("halt"); (halts > 0) != (name != "lock" && name != "load" && name != "collect") {
					t.Errorf("the next start halted %d times", halts)
				}
			})
		})
	}
}

// A load that nobody wants, whose time is over, or that another process disturbs by
// now is not followed on.
func TestCrashOfALoadThatCannotGoOn(t *testing.T) {
	tests := map[string]func(t *testing.T, f *fixture, id string){
		"the experiment was stopped": func(t *testing.T, f *fixture, id string) {
			if _, err := f.store.Stop(t.Context(), id, "killed", experiment.Receipt{}); err != nil {
				t.Fatal(err)
			}
		},
		"its time is over": func(t *testing.T, f *fixture, _ string) {
			if err := f.pause(t.Context(), time.Hour); err != nil {
				t.Fatal(err)
			}
		},
		"another process measures": func(t *testing.T, f *fixture, _ string) {
			f.on("lock", func(ctx context.Context, run string, n int) error {
				if f.count("lock") > 2 {
					return nil // for its repeat
				}
				return f.block(ctx, run, n)
			})
		},
	}
	for name, meanwhile := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, f *fixture) {
				e := f.engine()
				id := f.submit(e, single())
				f.on("load", func(ctx context.Context, run string, n int) error {
					f.crash(e)
					return f.block(ctx, run, n)
				})
				if err := e.Drive(t.Context(), id); !errors.Is(err, orchestrator.ErrDetached) {
					t.Errorf("Drive() = %v, want %v", err, orchestrator.ErrDetached)
				}
				f.on("load", nil)
				meanwhile(t, f, id)
				f.live(0, false, func(e *orchestrator.Engine) error { return goOn(t.Context(), e) })
				f.settled()
				run := f.runs(id)[0]
				equal(t, "the run", []any{run.Outcome, run.Reason}, []any{experiment.Failed, "interrupted: the server was killed in phase load"})
			})
		})
	}
}

// A run that somebody wanted to end before the crash is cancelled, not failed.
func TestCrashOfACancelledRun(t *testing.T) {
	bubble(t, func(t *testing.T, f *fixture) {
		e := f.engine()
		id := f.submit(e, single())
		f.on("load", func(ctx context.Context, run string, n int) error {
			f.crash(e)
			if err := f.engine().Cancel(context.WithoutCancel(ctx), run, "no longer wanted"); err != nil {
				f.broken("Cancel(): %v", err)
			}
			return f.block(ctx, run, n)
		})
		if err := e.Drive(t.Context(), id); !errors.Is(err, orchestrator.ErrDetached) {
			t.Errorf("Drive() = %v, want %v", err, orchestrator.ErrDetached)
		}
		synctest.Wait() // until the cancel is recorded
		if err := f.engine().Recover(t.Context()); err != nil {
			t.Fatal(err)
		}
		f.settled()
		run := f.runs(id)[0]
		equal(t, "the run", []any{run.Outcome, run.Reason}, []any{experiment.Cancelled, "no longer wanted"})
	})
}

// live is one life of a process, which may be killed at a write; it reports how
// many writes it made. When it returns, nothing of the process is left.
func (f *fixture) live(at int, after bool, do func(*orchestrator.Engine) error) int {
	f.t.Helper()
	e := f.engine()
	m := f.process(e)
	m.at, m.after = at, after
	if err := do(e); err != nil && !m.process.dead() {
		f.t.Errorf("a process that was not killed ended with %v", err)
	}
	m.crash() // the end of a process that was not killed
	synctest.Wait()
	f.fakeInfra.mu.Lock()
	defer f.fakeInfra.mu.Unlock()
	if m.process.busy > 0 {
		f.t.Errorf("%d calls of an ended process are under way, want none", m.process.busy)
	}
	return m.writes
}

// Killed before or after any of its writes, and the next start killed at one of
// its own as well, nothing is lost: the start after that brings everything to its
// end, and repeats what the kills have cost.
func TestCrashAtEveryWrite(t *testing.T) {
	writes := crashes(t, crash{})
	if writes < 30 {
		t.Fatalf("two runs took %d writes, want them all counted", writes)
	}
	for first := 1; first <= writes; first++ {
		for i, after := range []bool{false, true} {
			once := crash{at: first, after: after}
			t.Run(once.String(), func(t *testing.T) {
				left := crashes(t, once, crash{})
				twice := crash{at: 1 + (first*7+i*3)%left, after: first%2 == 0} // spread over the writes of that start
				t.Run(twice.String(), func(t *testing.T) { crashes(t, once, twice, crash{}) })
			})
		}
	}
}

// crash is when a process is killed: before or after a write is durable, counted
// from 1. The zero value lives.
type crash struct {
	at    int
	after bool
}

func (c crash) String() string { return fmt.Sprintf("write %d, after=%v", c.at, c.after) }

// crashes runs an experiment of one run per variant in one life after another, of
// which all but the last are killed, checks that it comes to its end, and returns
// how many writes the last life made.
func crashes(t *testing.T, lives ...crash) (writes int) {
	t.Helper()
	bubble(t, func(t *testing.T, f *fixture) {
		id := f.submit(f.engine(), plan(1))
		for _, c := range lives {
			writes = f.live(c.at, c.after, func(e *orchestrator.Engine) error { return goOn(t.Context(), e) })
		}
		f.measured(id, len(lives)-1)
	})
	return writes
}

// measured checks that an experiment of one run per variant came to its end in
// spite of some kills: each variant was measured once, the runs that a kill
// has cost are all that failed, and each run ended once.
func (f *fixture) measured(id string, kills int) {
	f.t.Helper()
	f.settled()
	runs := f.runs(id)
	succeeded, failed := map[string]int{}, 0
	for _, run := range runs {
		switch {
		case run.Outcome == experiment.Succeeded:
			succeeded[run.Variant]++
		case run.Outcome == experiment.Failed && strings.HasPrefix(run.Reason, "interrupted: the server was killed in phase "):
			failed++
		default:
			f.t.Errorf("run %s = %s, %q, want it to succeed or to be interrupted", run.ID, run.Outcome, run.Reason)
		}
		ends := 0
		for _, e := range f.stored(run.ID) {
			if e.Kind == experiment.EventOutcome {
				ends++
			}
		}
		if ends != 1 {
			f.t.Errorf("run %s ended %d times, want once", run.ID, ends)
		}
	}
	equal(f.t, "successes by variant", succeeded, map[string]int{"a": 1, "b": 1})
	if failed > kills {
		f.t.Errorf("%d kills cost %d runs", kills, failed)
	}
}

// The end of the context does not keep Recover from destroying.
func TestInterruptedRecover(t *testing.T) {
	bubble(t, func(t *testing.T, f *fixture) {
		e := f.engine()
		id := f.submit(e, single())
		f.on("load", func(ctx context.Context, run string, n int) error {
			f.crash(e)
			return f.block(ctx, run, n)
		})
		if err := e.Drive(t.Context(), id); !errors.Is(err, orchestrator.ErrDetached) {
			t.Errorf("Drive() = %v, want %v", err, orchestrator.ErrDetached)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := f.engine().Recover(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("Recover() = %v, want %v", err, context.Canceled)
		}
		run := f.runs(id)[0]
		equal(t, "the run", []any{run.Phase, run.Teardown}, []any{experiment.PhaseEnded, experiment.TeardownClean})
		equal(t, "what exists", f.alive, map[string]bool{})
	})
}

// A detached engine returns at once, interrupts nothing and writes nothing.
func TestDetach(t *testing.T) {
	bubble(t, func(t *testing.T, f *fixture) {
		e := f.engine()
		id := f.submit(e, single())
		var at time.Time
		interrupted := false
		f.on("load", func(ctx context.Context, run string, _ int) error {
			at = time.Now()
			e.Detach()
			err := f.pause(ctx, 10*time.Minute)
			interrupted = ctx.Err() != nil
			return err
		})
		if err := e.Drive(t.Context(), id); !errors.Is(err, orchestrator.ErrDetached) {
			t.Errorf("Drive() = %v, want %v", err, orchestrator.ErrDetached)
		}
		if took := time.Since(at); took != 0 {
			t.Errorf("Drive() took %s to return after Detach()", took)
		}
		before := f.runs(id)
		if err := f.pause(t.Context(), 30*time.Minute); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		equal(t, "runs half an hour later", f.runs(id), before)
		if interrupted {
			t.Error("the load was interrupted by Detach()")
		}
		f.crash(e) // its process exits
		f.on("load", nil)
		if err := goOn(t.Context(), f.engine()); err != nil {
			t.Fatal(err)
		}
		f.settled()
	})
}
