package orchestrator_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/orchestrator"
)

// outcome gives each run of a variant what happens to its load, in order: "ok",
// "fail", "die", "invalid" or "cancel". After the last everything is ok.
func (f *fixture) outcome(e *orchestrator.Engine, outcomes map[string][]string) {
	next := func(run string) string {
		stored, err := f.store.Run(context.Background(), run)
		if err != nil {
			f.broken("Run(%s): %v", run, err)
			return "ok"
		}
		outcome := "ok"
		if left := outcomes[stored.Variant]; len(left) > 0 {
			outcome, outcomes[stored.Variant] = left[0], left[1:]
		}
		return outcome
	}
	var outcome string
	f.on("load", func(ctx context.Context, run string, n int) error {
		switch outcome = next(run); outcome {
		case "fail":
			return errors.New("no luck")
		case "die":
			return &orchestrator.SystemDied{Err: errors.New("service broker-0 has ended")}
		case "cancel":
			if err := e.Cancel(context.WithoutCancel(ctx), run, "this one"); err != nil {
				f.broken("Cancel(): %v", err)
			}
			return f.block(ctx, run, n)
		}
		return nil
	})
	f.on("collect", func(context.Context, string, int) error {
		if outcome == "invalid" {
			return errInvalid
		}
		return nil
	})
}

func TestExtraRuns(t *testing.T) {
	tests := map[string]struct {
		outcomes map[string][]string
		want     []string // variants of the extra runs, sorted
	}{
		"none when all are valid":                   {map[string][]string{}, nil},
		"one for a failed run":                      {map[string][]string{"a": {"fail"}}, []string{"a"}},
		"one for an invalid run":                    {map[string][]string{"b": {"ok", "invalid"}}, []string{"b"}},
		"none for a cancelled run":                  {map[string][]string{"a": {"cancel"}}, nil},
		"none when the system died":                 {map[string][]string{"a": {"die"}}, nil},
		"two at most, though three failed":          {map[string][]string{"a": {"fail", "fail", "invalid"}}, []string{"a", "a"}},
		"another when the extra run failed":         {map[string][]string{"a": {"ok", "ok", "fail", "fail"}}, []string{"a", "a"}},
		"no third when the second extra run failed": {map[string][]string{"a": {"ok", "ok", "fail", "fail", "fail"}}, []string{"a", "a"}},
		"none for an extra run that was cancelled":  {map[string][]string{"a": {"ok", "ok", "fail", "cancel"}}, []string{"a"}},
		"of both variants when both need them":      {map[string][]string{"a": {"fail", "fail"}, "b": {"fail", "fail"}}, []string{"a", "a", "b", "b"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, f *fixture) {
				e := f.engine()
				f.outcome(e, tt.outcomes)
				runs := f.drive(e, plan(3))
				f.settled()
				var got []string
				rounds := map[string][]int{} // of the runs of a variant that count
				for i, run := range runs {
					if run.Order != i {
						t.Errorf("run %d has order %d", i, run.Order)
					}
					if run.Extra {
						got = append(got, run.Variant)
					}
					if run.Outcome == experiment.Succeeded && run.Validity.OK {
						rounds[run.Variant] = append(rounds[run.Variant], run.Round)
					}
				}
				slices.Sort(got)
				equal(t, "extra runs", got, tt.want)
				if len(got) > 0 && len(runs) == 6+len(got) && len(rounds["a"]) == 3 {
					slices.Sort(rounds["a"])
					equal(t, "rounds of a", rounds["a"], []int{0, 1, 2})
				}
			})
		})
	}
}

// TestExtraRunsComeAnywhere repeats the first run of many experiments: the extra run
// must not always be the last one, when the machine is warm.
func TestExtraRunsComeAnywhere(t *testing.T) {
	places := map[int]bool{}
	for seed := range int64(16) {
		bubble(t, func(t *testing.T, f *fixture) {
			e := f.engine()
			p := plan(2)
			p.Workload.Seed = seed
			first := experiment.Order(p)[0]
			f.outcome(e, map[string][]string{first: {"fail"}})
			for _, run := range f.drive(e, p) {
				if run.Extra {
					places[run.Order] = true
					equal(t, "the extra run", []any{run.Variant, run.Round}, []any{first, 0})
				}
			}
			f.settled()
		})
	}
	for order := 1; order <= 4; order++ {
		if !places[order] {
			t.Errorf("the extra run was never at place %d of 16 experiments; places: %v", order, places)
		}
	}
}

func TestMaxWall(t *testing.T) {
	bubble(t, func(t *testing.T, f *fixture) {
		p := plan(4)
		p.Limits.MaxWall = experiment.Duration(30 * time.Minute)
		f.on("load", func(ctx context.Context, _ string, _ int) error {
			return errors.Join(f.pause(ctx, 10*time.Minute), errors.New("no luck"))
		})
		e := f.engine()
		waited := f.submit(e, p) // the wall time begins with the first run, not in the queue
		if err := f.pause(t.Context(), 24*time.Hour); err != nil {
			t.Fatal(err)
		}
		if err := e.Drive(t.Context(), waited); err != nil {
			t.Fatal(err)
		}
		f.settled()
		var got []string
		for _, run := range f.runs(waited) {
			got = append(got, string(run.Outcome))
		}
		equal(t, "outcomes", got, []string{"failed", "failed", "failed",
			"cancelled", "cancelled", "cancelled", "cancelled", "cancelled", "cancelled", "cancelled"}) // eight planned and two extra ones
		x, err := f.store.Experiment(t.Context(), waited)
		if want := "limits.max_wall of 30m has passed: no further run of the experiment starts"; err != nil || x.Reason != want || f.runs(waited)[5].Reason != want {
			t.Errorf("experiment = %q, %v, want %q", x.Reason, err, want)
		}
	})
}

// When the wall time ends with the last planned run, nothing is repeated.
func TestMaxWallAllowsNoExtraRuns(t *testing.T) {
	bubble(t, func(t *testing.T, f *fixture) {
		p := single()
		p.Limits.MaxWall = experiment.Duration(5 * time.Minute)
		f.on("load", func(ctx context.Context, _ string, _ int) error {
			return errors.Join(f.pause(ctx, 10*time.Minute), errors.New("no luck"))
		})
		equal(t, "number of runs", len(f.drive(f.engine(), p)), 1)
		f.settled()
	})
}

// A drive that is interrupted ends its whole experiment.
func TestInterruptedDrive(t *testing.T) {
	t.Run("in the middle of a run", func(t *testing.T) {
		bubble(t, func(t *testing.T, f *fixture) {
			e := f.engine()
			id := f.submit(e, plan(2))
			ctx, cancel := context.WithCancelCause(t.Context())
			f.on("load", func(ctx context.Context, run string, n int) error {
				cancel(errors.New("signal: interrupt"))
				return f.block(ctx, run, n)
			})
			if err := e.Drive(ctx, id); err == nil || err.Error() != "signal: interrupt" {
				t.Errorf("Drive() = %v, want the cause of the interrupt", err)
			}
			f.settled()
			for _, run := range f.runs(id) {
				equal(t, "run "+run.ID, []any{run.Outcome, run.Reason}, []any{experiment.Cancelled, "interrupted: signal: interrupt"})
			}
			equal(t, "number of runs", len(f.runs(id)), 4)
		})
	})
	t.Run("before anything has begun", func(t *testing.T) {
		bubble(t, func(t *testing.T, f *fixture) {
			e := f.engine()
			id := f.submit(e, plan(2))
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if err := e.Drive(ctx, id); !errors.Is(err, context.Canceled) {
				t.Errorf("Drive() = %v, want %v", err, context.Canceled)
			}
			f.settled()
			equal(t, "provisions", f.count("provision"), 0)
		})
	})
}

// The loop of a server leaves what is queued when it is interrupted.
func TestInterruptedRun(t *testing.T) {
	for _, step := range []string{"load", "lock"} {
		bubble(t, func(t *testing.T, f *fixture) {
			e := f.engine()
			id := f.submit(e, plan(1))
			ctx, cancel := context.WithCancel(t.Context())
			f.on(step, func(ctx context.Context, run string, n int) error {
				cancel()
				return f.block(ctx, run, n)
			})
			if err := e.Run(ctx); !errors.Is(err, context.Canceled) {
				t.Errorf("Run() = %v, want %v", err, context.Canceled)
			}
			var got []experiment.Phase
			for _, run := range f.runs(id) {
				got = append(got, run.Phase)
			}
			want := []experiment.Phase{experiment.PhaseEnded, experiment.PhaseQueued}
			if step == "lock" {
				want[0] = experiment.PhaseQueued
			}
			equal(t, "phases after an interrupt in "+step, got, want)
			f.on(step, nil)
			if err := f.engine().RunUntilIdle(t.Context()); err != nil {
				t.Fatal(err)
			}
			f.settled()
		})
	}
}

// Engines that share a store execute each run exactly once.
func TestEnginesShareAStore(t *testing.T) {
	bubble(t, func(t *testing.T, f *fixture) {
		if err := f.store.SetSlots(t.Context(), "far", 3); err != nil {
			t.Fatal(err)
		}
		p := plan(6)
		p.Target = "far"
		own := func(n int) func(*orchestrator.Options) {
			return func(o *orchestrator.Options) { o.Owner = fmt.Sprint("server ", n) }
		}
		first, second := f.engine(own(1)), f.engine(own(2))
		id := f.submit(first, p)
		done := make(chan error, 1)
		go func() { done <- second.Drive(t.Context(), id) }()
		if err := errors.Join(first.Drive(t.Context(), id), <-done); err != nil {
			t.Fatal(err)
		}
		f.settled()
		equal(t, "provisions", f.count("provision"), 12)
		equal(t, "runs", len(f.runs(id)), 12)
	})
}
