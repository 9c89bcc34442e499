package orchestrator_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/orchestrator"
)

// outcome gives each run of a variant what happens to its load, in order: "ok",
// "fail", "invalid" or "cancel". After the last everything is ok.
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
		want     []string // sorted extra variants by round
	}{
		"none when all are valid":                         {map[string][]string{}, nil},
		"one for a failed run":                            {map[string][]string{"a": {"fail"}}, []string{"a"}},
		"one for an invalid run":                          {map[string][]string{"b": {"ok", "invalid"}}, []string{"b"}},
		"none for a cancelled run":                        {map[string][]string{"a": {"cancel"}}, nil},
		"two at most, though three failed":                {map[string][]string{"a": {"fail", "fail", "invalid"}}, []string{"a", "a"}},
		"another when the extra run failed":               {map[string][]string{"a": {"fail", "ok", "ok", "fail"}}, []string{"a", "a"}},
		"no third when the second extra run failed":       {map[string][]string{"a": {"fail", "ok", "ok", "fail", "fail"}}, []string{"a", "a"}},
		"none for an extra run that was cancelled":        {map[string][]string{"a": {"fail", "ok", "ok", "cancel"}}, []string{"a"}},
		"interleaved when both variants need them":        {map[string][]string{"a": {"fail", "fail"}, "b": {"fail", "fail"}}, []string{"ab", "ab"}},
		"interleaved, and one needs more than the others": {map[string][]string{"a": {"fail", "fail"}, "b": {"fail"}}, []string{"ab", "a"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, f *fixture) {
				e := f.engine()
				f.outcome(e, tt.outcomes)
				runs := f.drive(e, plan(3))
				f.settled()
				var got []string
				for i, run := range runs {
					if run.Order != i || run.Extra != (i >= 6) {
						t.Errorf("run %d = order %d, extra %v", i, run.Order, run.Extra)
					}
					if !run.Extra {
						continue
					}
					if n := len(got); n > 0 && !strings.Contains(got[n-1], run.Variant) && len(tt.want) >= n && len(tt.want[n-1]) > len(got[n-1]) {
						got[n-1] += run.Variant
					} else {
						got = append(got, run.Variant)
					}
				}
				for i, round := range got {
					letters := strings.Split(round, "")
					slices.Sort(letters)
					got[i] = strings.Join(letters, "")
				}
				equal(t, "extra runs by round", got, tt.want)
			})
		})
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
		equal(t, "outcomes", got, []string{"failed", "failed", "failed", "cancelled", "cancelled", "cancelled", "cancelled", "cancelled"})
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
