package httpapi

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/experiment"
)

// viewExperiment shows an experiment.
func viewExperiment(e experiment.Summary) api.Experiment {
	view := api.Experiment{
		ID: e.ID, Name: e.Plan.Name, State: e.State, Target: e.Plan.Target, Compare: e.Plan.Compare, Variants: []api.VariantName{},
		Digest: e.Digest, By: e.By, CreatedAt: e.CreatedAt.UTC(), StartedAt: e.StartedAt.UTC(), EndedAt: e.EndedAt.UTC(),
		Reason: e.Reason, Runs: e.Runs, Allowed: []api.Action{},
	}
	for _, v := range e.Plan.Variants {
		view.Variants = append(view.Variants, api.VariantName{Label: v.Label, Technology: v.Technology, Stack: v.Stack, Emulator: v.Emulator})
	}
	if e.Verdict != nil {
		verdict := *e.Verdict
		verdict.Sentences, verdict.Caveats = orEmpty(verdict.Sentences), orEmpty(verdict.Caveats)
		view.Verdict = &verdict
	}
	switch {
	case e.State != experiment.Ended:
		view.Allowed = append(view.Allowed, api.ActionCancel)
	case e.Runs.Leaked == 0:
		view.Allowed = append(view.Allowed, api.ActionDelete)
	}
	return view
}

// viewRun shows a run that has this name.
func viewRun(r experiment.Run, name string) api.Run {
	view := api.Run{
		ID: r.ID, Experiment: r.Experiment, Name: name, Variant: r.Variant, Order: r.Order, Round: r.Round, Extra: r.Extra, SystemDied: r.SystemDied,
		Phase: r.Phase, Outcome: r.Outcome, Validity: r.Validity, Teardown: r.Teardown, Reason: r.Reason,
		Since: r.Since.UTC(), StartedAt: r.StartedAt.UTC(), EndedAt: r.EndedAt.UTC(),
		Phases: orEmpty(slices.Clone(r.Phases)), Allowed: []api.Action{},
	}
	if cancellable(r) {
		view.Allowed = append(view.Allowed, api.ActionCancel)
	}
	return view
}

// cancellable reports whether there is anything left to stop.
func cancellable(r experiment.Run) bool {
	switch r.Phase {
	case experiment.PhaseDestroy, experiment.PhaseVerify, experiment.PhaseEnded:
		return false
	}
	return r.Outcome == ""
}

// active reports whether anything of a run may exist.
func active(phase experiment.Phase) bool {
	return phase != experiment.PhaseQueued && phase != experiment.PhaseEnded
}

// expiries tell when everything of a run must have ended.
type expiries interface {
	// Expiry returns [experiment.ErrNotFound] before anything was applied.
	Expiry(ctx context.Context, run string) (time.Time, error)
}

// loadStarts tell when second 0 of a run began; the zero time before.
type loadStarts interface {
	LoadStart(ctx context.Context, run string) (time.Time, error)
}

// liveRuns knows what is told of active runs alone.
type liveRuns struct {
	expiries expiries
	loads    loadStarts
	log      *slog.Logger
}

// fill adds what only an active run has: its stage and when it must have ended.
func (l liveRuns) fill(ctx context.Context, run *api.Run, stages experiment.Stages, now time.Time) error {
	if !active(run.Phase) {
		return nil
	}
	expiry, err := l.expiries.Expiry(ctx, run.ID)
	if err != nil && !errors.Is(err, experiment.ErrNotFound) { // nothing was applied yet
		return err
	}
	run.ExpiresAt = expiry.UTC()
	if run.Phase == experiment.PhaseLoad {
		run.Stage = stageAt(stages, l.loadStart(ctx, run.ID), now)
	}
	return nil
}

// loadStart is when second 0 of a run began; the zero time where that is not
// known, which must not hide the rest of the run.
func (l liveRuns) loadStart(ctx context.Context, run string) time.Time {
	start, err := l.loads.LoadStart(ctx, run)
	if err != nil {
		l.log.WarnContext(ctx, "the start of a load is unknown", slog.String("run", run), slog.Any("error", err))
		return time.Time{}
	}
	return start.UTC()
}

// stageAt is the stage of a load that began at start; "" before.
func stageAt(stages experiment.Stages, start, now time.Time) experiment.Stage {
	since := now.Sub(start)
	switch {
	case start.IsZero() || since < 0:
		return ""
	case since < stages.Warmup.Std():
		return experiment.StageWarmup
	case since < stages.Warmup.Std()+stages.Measure.Std():
		return experiment.StageMeasure
	}
	return experiment.StageDrain
}

// estimator tells how long an accepted plan will take, and what that rests on.
type estimator interface {
	Estimate(ctx context.Context, p experiment.Plan) (d time.Duration, basis string, err error)
}

// remaining is about how many seconds an experiment still takes once it is its
// turn. Active runs count half: they are somewhere between their ends.
func remaining(ctx context.Context, planner estimator, e experiment.Summary) (float64, error) {
	planned := e.Plan.Repeat * len(e.Plan.Variants)
	if planned == 0 {
		return 0, nil
	}
	whole, _, err := planner.Estimate(ctx, e.Plan)
	if err != nil {
		return 0, err
	}
	return whole.Seconds() / float64(planned) * (float64(e.Runs.Queued) + float64(e.Runs.Active)/2), nil
}
