package orchestrator_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/orchestrator"
)

// working are the steps of a run before it is torn down, each the name of its
// phase.
var working = []string{"provision", "prepare", "load", "collect"}

func TestRunsGoThroughAllPhases(t *testing.T) {
	bubble(t, func(t *testing.T, f *fixture) {
		p := plan(3)
		runs := f.drive(f.engine(), p)
		f.settled()
		var variants []string
		for i, run := range runs {
			variants = append(variants, run.Variant)
			equal(t, "phases of "+run.ID, phases(run),
				[]string{"queued", "provision", "prepare", "load", "collect", "destroy", "verify", "ended"})
			if run.Outcome != experiment.Succeeded || !run.Validity.OK || run.Order != i || run.Reason != "" || run.Extra {
				t.Errorf("run %d = %+v, want a valid success", i, run)
			}
			if i > 0 && run.StartedAt.Before(runs[i-1].EndedAt) {
				t.Errorf("run %d began at %v, before the one before it ended at %v", i, run.StartedAt, runs[i-1].EndedAt)
			}
		}
		equal(t, "variants in order", variants, experiment.Order(p))
		stored, err := f.store.Events(t.Context(), experiment.EventQuery{})
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "published events", f.events, stored)
		equal(t, "halts", f.count("halt"), 0)
		equal(t, "stops", f.count("stop"), 0)
	})
}

// A fault in any phase before destroy ends the run with the right outcome and
// reason, and the run is destroyed and verified.
func TestFaultsInEveryPhase(t *testing.T) {
	type fault struct {
		inject  func(f *fixture, e *orchestrator.Engine, cancelDrive func(), run string) step
		outcome experiment.Outcome
		reason  string // %p is the phase
	}
	faults := map[string]fault{
		"an error": {outcome: experiment.Failed, reason: "%p: no luck",
			inject: func(*fixture, *orchestrator.Engine, func(), string) step {
				return func(context.Context, string, int) error { return errors.New("no luck") }
			}},
		"a panic": {outcome: experiment.Failed, reason: "%p: panic: out of luck",
			inject: func(*fixture, *orchestrator.Engine, func(), string) step {
				return func(context.Context, string, int) error { panic("out of luck") }
			}},
		"a cancelled run": {outcome: experiment.Cancelled, reason: "changed my mind",
			inject: func(f *fixture, e *orchestrator.Engine, _ func(), _ string) step {
				return func(ctx context.Context, run string, n int) error {
					if err := e.Cancel(context.WithoutCancel(ctx), run, "changed my mind"); err != nil {
						f.broken("Cancel(%s): %v", run, err)
					}
					return f.block(ctx, run, n)
				}
			}},
		"a cancelled experiment": {outcome: experiment.Cancelled, reason: "all of it",
			inject: func(f *fixture, e *orchestrator.Engine, _ func(), experimentID string) step {
				return func(ctx context.Context, run string, n int) error {
					if err := e.Cancel(context.WithoutCancel(ctx), experimentID, "all of it"); err != nil {
						f.broken("Cancel(%s): %v", experimentID, err)
					}
					return f.block(ctx, run, n)
				}
			}},
		"a cancel by another process": {outcome: experiment.Cancelled, reason: "from afar",
			inject: func(f *fixture, _ *orchestrator.Engine, _ func(), _ string) step {
				return func(ctx context.Context, run string, n int) error {
					if err := f.engine().Cancel(context.WithoutCancel(ctx), run, "from afar"); err != nil {
						f.broken("Cancel(%s): %v", run, err)
					}
					return f.block(ctx, run, n)
				}
			}},
		"an interrupted drive": {outcome: experiment.Cancelled, reason: "interrupted by the user",
			inject: func(f *fixture, _ *orchestrator.Engine, cancelDrive func(), _ string) step {
				return func(ctx context.Context, run string, n int) error {
					cancelDrive()
					return f.block(ctx, run, n)
				}
			}},
		"the end of the time to live": {outcome: experiment.Failed, reason: "the time to live of 1h expired in phase %p: ",
			inject: func(f *fixture, _ *orchestrator.Engine, _ func(), _ string) step { return f.block }},
	}
	for name, fault := range faults {
		for _, phase := range working {
			t.Run(name+" in "+phase, func(t *testing.T) {
				bubble(t, func(t *testing.T, f *fixture) {
					e := f.engine()
					p := single()
					p.Variants[0].Label = "a"
					id := f.submit(e, p)
					ctx, cancel := context.WithCancel(t.Context())
					defer cancel()
					failing := fault.inject(f, e, cancel, id)
					first := true
					f.on(phase, func(ctx context.Context, run string, n int) error {
						if first {
							first = false
							return failing(ctx, run, n)
						}
						return f.pause(ctx, took) // an extra run goes well
					})
					err := e.Drive(ctx, id)
					if interrupted := ctx.Err() != nil; interrupted != errors.Is(err, context.Canceled) || !interrupted && err != nil {
						t.Errorf("Drive() = %v", err)
					}
					f.settled()
					run := f.runs(id)[0]
					reason := strings.ReplaceAll(fault.reason, "%p", phase)
					if run.Outcome != fault.outcome || !strings.HasPrefix(run.Reason, reason) {
						t.Errorf("run = %s, %q, want %s, %q", run.Outcome, run.Reason, fault.outcome, reason)
					}
					if extras := len(f.runs(id)) - 1; (extras == 1) != (fault.outcome == experiment.Failed) {
						t.Errorf("%d extra runs after a run that %s", extras, fault.outcome)
					}
					loading := phase == "prepare" || phase == "load"
					if stops := f.count("stop"); (stops == 1) != loading {
						t.Errorf("the load was stopped %d times after a fault in %s", stops, phase)
					}
				})
			})
		}
	}
}

// A cancel that comes when the run is torn down already changes nothing.
func TestCancelWhileTearingDown(t *testing.T) {
	for _, phase := range []string{"destroy", "verify"} {
		t.Run(phase, func(t *testing.T) {
			bubble(t, func(t *testing.T, f *fixture) {
				e := f.engine()
				id := f.submit(e, single())
				f.on(phase, func(ctx context.Context, run string, _ int) error {
					if err := e.Cancel(context.WithoutCancel(ctx), id, "too late"); err != nil {
						f.broken("Cancel(): %v", err)
					}
					return f.pause(ctx, time.Minute) // longer than a heartbeat
				})
				if err := e.Drive(t.Context(), id); err != nil {
					t.Fatal(err)
				}
				f.settled()
				equal(t, "outcome", f.runs(id)[0].Outcome, experiment.Succeeded)
			})
		})
	}
}

func TestDeathOfAService(t *testing.T) {
	death := errors.New("broker-0 was killed by signal 9")
	tests := map[string]struct {
		phase  string
		step   func(f *fixture) step
		reason string
	}{
		"while loading":   {"load", func(f *fixture) step { return f.block }, "load: broker-0 was killed by signal 9"},
		"while preparing": {"prepare", func(f *fixture) step { return f.block }, "prepare: broker-0 was killed by signal 9"},
		"and the load tells its side": {"load", func(f *fixture) step {
			return func(ctx context.Context, _ string, _ int) error {
				return errors.Join(f.pause(ctx, 1500*time.Millisecond), errors.New("no acknowledgement"))
			}
		}, "load: broker-0 was killed by signal 9; no acknowledgement"},
		"just before the load ends": {"load", func(f *fixture) step {
			return func(ctx context.Context, _ string, _ int) error { return f.pause(ctx, 1500*time.Millisecond) }
		}, "load: broker-0 was killed by signal 9"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, f *fixture) {
				hit := tt.step(f)
				f.on(tt.phase, func(ctx context.Context, run string, n int) error {
					if f.count(tt.phase) > 1 {
						return nil // of the extra run
					}
					return hit(ctx, run, n)
				})
				f.on("watch", func(ctx context.Context, run string, n int) error {
					if stored, _ := f.store.Run(t.Context(), run); string(stored.Phase) != tt.phase || stored.Extra {
						return f.block(ctx, run, n)
					}
					if err := f.pause(ctx, time.Second); err != nil {
						return err
					}
					return death
				})
				runs := f.drive(f.engine(), single())
				f.settled()
				if run := runs[0]; run.Outcome != experiment.Failed || run.Reason != tt.reason {
					t.Errorf("run = %s, %q, want it failed with %q", run.Outcome, run.Reason, tt.reason)
				}
			})
		})
	}
}

// A watcher that has nothing to say does not end a load.
func TestSilentWatcher(t *testing.T) {
	bubble(t, func(t *testing.T, f *fixture) {
		f.on("watch", func(context.Context, string, int) error { return nil })
		runs := f.drive(f.engine(), single())
		f.settled()
		equal(t, "outcome", runs[0].Outcome, experiment.Succeeded)
	})
}

// The work of a run ends early enough before its time to live for a destroy.
func TestTimeToLiveLeavesTimeToDestroy(t *testing.T) {
	bubble(t, func(t *testing.T, f *fixture) {
		p := single()
		p.Limits.TTL = experiment.Duration(5 * time.Minute)
		var begun, destroyed time.Time
		f.on("load", f.block)
		f.on("provision", func(context.Context, string, int) error { begun = time.Now(); return nil })
		f.on("stop", func(context.Context, string, int) error { return nil })
		f.on("destroy", func(context.Context, string, int) error { destroyed = time.Now(); return nil })
		f.drive(f.engine(), p)
		f.settled()
		if after := destroyed.Sub(begun); after != 4*time.Minute {
			t.Errorf("destroy began %s after the apply with a time to live of 5m, want 4m", after)
		}
	})
}

func TestMeasuringLock(t *testing.T) {
	t.Run("a run waits for it in the queue and can be cancelled there", func(t *testing.T) {
		bubble(t, func(t *testing.T, f *fixture) {
			e := f.engine()
			id := f.submit(e, single())
			f.on("lock", func(ctx context.Context, run string, n int) error {
				if err := f.pause(ctx, 5*time.Minute); err != nil { // many leases long
					return err
				}
				if err := e.Cancel(context.WithoutCancel(ctx), id, "waited long enough"); err != nil {
					f.broken("Cancel(): %v", err)
				}
				return f.block(ctx, run, n)
			})
			if err := e.Drive(t.Context(), id); err != nil {
				t.Fatal(err)
			}
			f.settled()
			run := f.runs(id)[0]
			equal(t, "run", []any{run.Outcome, run.Reason, phases(run)},
				[]any{experiment.Cancelled, "waited long enough", []string{"queued", "ended"}})
		})
	})
	t.Run("that cannot be had fails the run", func(t *testing.T) {
		bubble(t, func(t *testing.T, f *fixture) {
			f.on("lock", func(context.Context, string, int) error { return errors.New("no such folder") })
			runs := f.drive(f.engine(), single())
			f.settled()
			equal(t, "number of runs", len(runs), 3) // two extra ones
			equal(t, "reason", runs[0].Reason, "could not get the measuring lock: no such folder")
			equal(t, "provisions", f.count("provision"), 0)
		})
	})
}

func TestSubmitAndCancelRefuse(t *testing.T) {
	bubble(t, func(t *testing.T, f *fixture) {
		e := f.engine()
		if _, _, err := e.Submit(t.Context(), experiment.Plan{Target: "local"}, experiment.Submission{}); err == nil {
			t.Error("Submit() of a plan without runs = nil, want an error")
		}
		if err := e.Cancel(t.Context(), "rx", "r"); !errors.Is(err, experiment.ErrNotFound) {
			t.Errorf("Cancel(rx) = %v, want %v", err, experiment.ErrNotFound)
		}
		if _, err := orchestrator.New(orchestrator.Options{Store: f.store}); err == nil {
			t.Error("New() without a provisioner = nil, want an error")
		}
	})
}

func TestCancelInTheQueue(t *testing.T) {
	bubble(t, func(t *testing.T, f *fixture) {
		e := f.engine()
		id := f.submit(e, plan(1))
		if err := e.Cancel(t.Context(), f.runs(id)[0].ID, "not this one"); err != nil {
			t.Fatal(err)
		}
		if err := e.Drive(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		f.settled()
		runs := f.runs(id)
		equal(t, "outcomes", []experiment.Outcome{runs[0].Outcome, runs[1].Outcome}, []experiment.Outcome{experiment.Cancelled, experiment.Succeeded})
		equal(t, "number of runs", len(runs), 2)
		if err := e.Cancel(t.Context(), id, "after the end"); err != nil {
			t.Errorf("Cancel() of an ended experiment: %v", err)
		}
		equal(t, "runs after that", f.runs(id), runs)
	})
}

// The process that works on a run does not wait for its next heartbeat.
func TestCancelTakesEffectAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T, f *fixture) {
		e := f.engine()
		id := f.submit(e, single())
		var asked, stopped time.Time
		f.on("load", func(ctx context.Context, run string, n int) error {
			asked = time.Now()
			if err := e.Cancel(context.WithoutCancel(ctx), id, "changed my mind"); err != nil {
				f.broken("Cancel(): %v", err)
			}
			err := f.block(ctx, run, n)
			stopped = time.Now()
			return err
		})
		if err := e.Drive(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		f.settled()
		if took := stopped.Sub(asked); took > time.Second {
			t.Errorf("the load was stopped %s after Cancel()", took)
		}
	})
}
