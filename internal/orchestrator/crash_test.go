package orchestrator_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/orchestrator"
	"dec.local/dec/internal/store"
)

// engineOn returns an engine on another store than that of the fixture.
func (f *fixture) engineOn(s orchestrator.Store, change ...func(*orchestrator.Options)) *orchestrator.Engine {
	return f.engine(append(change, func(o *orchestrator.Options) { o.Store = s })...)
}

// crash ends an engine as kill -9 does: it writes nothing more, and the locks of
// its process are free. What it called goes on for a while.
func (f *fixture) crash(e *orchestrator.Engine) {
	e.Detach()
	f.die()
}

// Killed in the middle of any step, a run is halted, destroyed and verified by
// the next start.
func TestCrashInEveryStep(t *testing.T) {
	tests := map[string]struct {
		outcome experiment.Outcome
		reason  string
	}{
		"lock":      {experiment.Cancelled, "interrupted: dec was killed before the experiment had ended; submit it again"},
		"provision": {experiment.Failed, "interrupted: dec was killed in phase provision"},
		"prepare":   {experiment.Failed, "interrupted: dec was killed in phase prepare"},
		"load":      {experiment.Failed, "interrupted: dec was killed in phase load"},
		"collect":   {experiment.Failed, "interrupted: dec was killed in phase collect"},
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
				if err := f.engine().Recover(t.Context()); err != nil {
					t.Fatalf("Recover(): %v", err)
				}
				f.settled()
				runs := f.runs(id)
				if run := runs[0]; run.Outcome != tt.outcome || run.Reason != tt.reason {
					t.Errorf("the interrupted run = %s, %q, want %s, %q", run.Outcome, run.Reason, tt.outcome, tt.reason)
				}
				if run := runs[1]; run.Outcome != experiment.Cancelled || len(runs) != 2 {
					t.Errorf("the queued run = %+v of %d, want it cancelled and no extra run", run, len(runs))
				}
				if halts := f.count("halt"); (halts > 0) != (name != "lock") {
					t.Errorf("the next start halted %d times", halts)
				}
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

// mortal is a store whose process is killed at a given write: before or after
// it is durable. A dead process writes nothing.
type mortal struct {
	orchestrator.Store
	at    int // the write at which it dies, from 1; never if 0
	after bool
	die   func()

	mu     sync.Mutex // protects the following
	writes int
	dead   bool
}

var errDead = errors.New("killed")

// write counts one write and performs it while the process lives.
func (m *mortal) write(do func() error) error {
	m.mu.Lock()
	dead := m.dead
	m.writes++
	last := m.writes == m.at
	m.dead = m.dead || last // it writes no more, once this one is done
	m.mu.Unlock()
	switch {
	case dead:
		return errDead
	case !last:
		return do()
	}
	var err error
	if m.after {
		err = do()
	}
	m.die()
	return errors.Join(err, errDead)
}

// died tells whether the process was killed, and after how many writes.
func (m *mortal) died() (bool, int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.dead, m.writes
}

func (m *mortal) Claim(ctx context.Context, owner string, h experiment.Host, ttl time.Duration) (run experiment.Run, no int64, err error) {
	err = m.write(func() (err error) { run, no, err = m.Store.Claim(ctx, owner, h, ttl); return err })
	return run, no, err
}

func (m *mortal) Adopt(ctx context.Context, owner string, h experiment.Host, ttl time.Duration) (run experiment.Run, no int64, err error) {
	err = m.write(func() (err error) { run, no, err = m.Store.Adopt(ctx, owner, h, ttl); return err })
	return run, no, err
}

func (m *mortal) Reclaim(ctx context.Context, owner string) error {
	return m.write(func() error { return m.Store.Reclaim(ctx, owner) })
}

func (m *mortal) Renew(ctx context.Context, run string, lease int64, ttl time.Duration) (reason string, err error) {
	err = m.write(func() (err error) { reason, err = m.Store.Renew(ctx, run, lease, ttl); return err })
	return reason, err
}

func (m *mortal) SetExpiry(ctx context.Context, run string, lease int64, ttl time.Duration) (at time.Time, err error) {
	err = m.write(func() (err error) { at, err = m.Store.SetExpiry(ctx, run, lease, ttl); return err })
	return at, err
}

func (m *mortal) Enter(ctx context.Context, run *experiment.Run, lease int64) (events []experiment.Event, err error) {
	err = m.write(func() (err error) { events, err = m.Store.Enter(ctx, run, lease); return err })
	return events, err
}

func (m *mortal) SaveResult(ctx context.Context, run *experiment.Run, lease int64) error {
	return m.write(func() error { return m.Store.SaveResult(ctx, run, lease) })
}

func (m *mortal) Record(ctx context.Context, e experiment.Event, lease int64) (events []experiment.Event, err error) {
	err = m.write(func() (err error) { events, err = m.Store.Record(ctx, e, lease); return err })
	return events, err
}

func (m *mortal) End(ctx context.Context, run *experiment.Run, lease int64, r store.Repeats) (events []experiment.Event, err error) {
	err = m.write(func() (err error) { events, err = m.Store.End(ctx, run, lease, r); return err })
	return events, err
}

func (m *mortal) Stop(ctx context.Context, id, reason string, receipt experiment.Receipt) (events []experiment.Event, err error) {
	err = m.write(func() (err error) { events, err = m.Store.Stop(ctx, id, reason, receipt); return err })
	return events, err
}

// process is one life of the engine on a store that may die; it reports how many
// writes it made.
func (f *fixture) process(at int, after, resume bool, do func(*orchestrator.Engine) error) int {
	f.t.Helper()
	m := &mortal{Store: f.store, at: at, after: after}
	e := f.engineOn(m, func(o *orchestrator.Options) { o.ResumeQueued = resume })
	m.die = func() { f.crash(e) }
	err := do(e)
	dead, writes := m.died()
	if err != nil && !dead {
		f.t.Errorf("a process that was not killed ended with %v", err)
	}
	synctest.Wait()
	return writes
}

// Killed before or after any of its writes, and the next start killed at any of
// its writes as well, nothing is lost: the start after that cleans up.
func TestCrashAtEveryWrite(t *testing.T) {
	var writes int
	bubble(t, func(t *testing.T, f *fixture) {
		id := f.submit(f.engine(), plan(1))
		writes = f.process(0, false, false, func(e *orchestrator.Engine) error { return e.Drive(t.Context(), id) })
		f.settled()
	})
	if writes < 20 {
		t.Fatalf("two runs took %d writes, want them all counted", writes)
	}
	for first := 1; first <= writes; first++ {
		for _, after := range []bool{false, true} {
			second := 1 + (first*7)%12 // spreads the second kill over the writes of a start
			t.Run(fmt.Sprintf("write %d, after=%v, then write %d", first, after, second), func(t *testing.T) {
				bubble(t, func(t *testing.T, f *fixture) {
					id := f.submit(f.engine(), plan(1))
					f.process(first, after, false, func(e *orchestrator.Engine) error { return e.Drive(t.Context(), id) })
					f.process(second, after, false, func(e *orchestrator.Engine) error { return e.Recover(t.Context()) })
					f.process(0, false, false, func(e *orchestrator.Engine) error { return e.Recover(t.Context()) })
					f.settled()
				})
			})
		}
	}
}

// A server goes on with what is queued; the interrupted run gets an extra one.
func TestResumeQueued(t *testing.T) {
	bubble(t, func(t *testing.T, f *fixture) {
		e := f.engine()
		id := f.submit(e, plan(2))
		f.on("load", func(ctx context.Context, run string, n int) error {
			f.crash(e)
			return f.block(ctx, run, n)
		})
		if err := e.Drive(t.Context(), id); !errors.Is(err, orchestrator.ErrDetached) {
			t.Errorf("Drive() = %v, want %v", err, orchestrator.ErrDetached)
		}
		f.on("load", nil)
		f.process(0, false, true, func(e *orchestrator.Engine) error {
			return errors.Join(e.Recover(t.Context()), e.RunUntilIdle(t.Context()))
		})
		f.settled()
		runs := f.runs(id)
		if len(runs) != 5 || !runs[4].Extra || runs[4].Variant != runs[0].Variant || runs[0].Outcome != experiment.Failed {
			t.Errorf("runs = %+v, want the first failed and repeated by an extra one", runs)
		}
		for _, run := range runs[1:] {
			equal(t, "outcome of "+run.ID, run.Outcome, experiment.Succeeded)
		}
	})
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
		f.settled()
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
		f.die()
		f.on("load", nil)
		if err := f.engine().Recover(t.Context()); err != nil {
			t.Fatal(err)
		}
		f.settled()
	})
}
