package orchestrator

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"dec.local/dec/internal/experiment"
)

const (
	defaultTTL  = time.Hour
	maxMargin   = 2 * time.Minute // the part of the time to live that is kept for destroying, at most
	watchGrace  = time.Second     // a phase may tell its own side of a service's death for so long
	marginShare = 5               // the margin is at most this part of the time to live
)

// fromQueue takes a claimed run from the queue to its end.
func (x *execution) fromQueue(work, held context.Context) error {
	var e experiment.Experiment
	err := x.try(held, func(ctx context.Context) (err error) {
		e, err = x.e.Store.Experiment(ctx, x.run.Experiment)
		return err
	})
	if err != nil {
		return err
	}
	release, lockErr := x.lockMeasuring(work, e.Plan.Target)
	if lockErr == nil {
		defer release()
	}
	reason, err := x.unwanted(held, e)
	switch {
	case err != nil:
		return err
	case reason != "":
		return x.endUnstarted(held, experiment.Cancelled, reason)
	case work.Err() != nil: // this loop ends: others may take the run
		return x.try(held, func(ctx context.Context) error { return x.e.Store.Release(ctx, x.run.ID, x.lease) })
	case lockErr != nil:
		return x.endUnstarted(held, experiment.Failed, "could not get the measuring lock: "+lockErr.Error())
	}
	variant, ok := variantOf(e.Plan, x.run.Variant)
	if !ok {
		return x.endUnstarted(held, experiment.Failed, "the plan has no variant "+x.run.Variant)
	}
	x.as = Assignment{Run: x.run, Plan: e.Plan, Variant: variant}
	if err := x.measure(work, held); err != nil {
		return err
	}
	return x.teardown(held)
}

// lockMeasuring keeps other processes from measuring on the target.
func (x *execution) lockMeasuring(work context.Context, target string) (func(), error) {
	lock := x.e.Measuring[target]
	if lock == nil {
		return func() {}, nil
	}
	return lock.LockMeasuring(work)
}

// unwanted returns why a queued run shall not start, "" if it shall.
func (x *execution) unwanted(held context.Context, e experiment.Experiment) (string, error) {
	var reason string
	var runs []experiment.Run
	var now time.Time
	err := x.try(held, func(ctx context.Context) (err error) {
		if reason, err = x.e.Store.Renew(ctx, x.run.ID, x.lease, x.e.Lease); err != nil {
			return err
		}
		if runs, err = x.e.Store.Runs(ctx, e.ID); err != nil {
			return err
		}
		now, err = x.e.Store.Now(ctx)
		return err
	})
	if err != nil || reason != "" || !wallTimeOver(e.Plan, runs, now) {
		return reason, err
	}
	reason = fmt.Sprintf("limits.max_wall of %s has passed: no further run of the experiment starts", e.Plan.Limits.MaxWall)
	return reason, x.try(held, func(ctx context.Context) error { return x.e.Stop(ctx, e.ID, reason) })
}

// wallTimeOver reports whether the wall time of an experiment, which counts from the
// start of its first run, is over.
func wallTimeOver(p experiment.Plan, runs []experiment.Run, now time.Time) bool {
	var first time.Time
	for _, run := range runs {
		if !run.StartedAt.IsZero() && (first.IsZero() || run.StartedAt.Before(first)) {
			first = run.StartedAt
		}
	}
	wall := p.Limits.MaxWall.Std()
	return wall > 0 && !first.IsZero() && !now.Before(first.Add(wall))
}

func variantOf(p experiment.Plan, label string) (experiment.Variant, bool) {
	for _, v := range p.Variants {
		if v.Label == label {
			return v, true
		}
	}
	return experiment.Variant{}, false
}

// endUnstarted ends a run that never left the queue.
func (x *execution) endUnstarted(held context.Context, outcome experiment.Outcome, reason string) error {
	var now time.Time
	err := x.try(held, func(ctx context.Context) (err error) {
		now, err = x.e.Store.Now(ctx)
		return err
	})
	if err != nil {
		return err
	}
	receipt := neverStarted()
	receipt.At = now
	x.run.Outcome, x.run.Reason = outcome, reason
	x.run.Teardown, x.run.Receipt = experiment.TeardownNone, &receipt
	return x.end(held)
}

// measure takes the run through the phases up to collect. It leaves the outcome
// in x.run; the error is one of the store.
func (x *execution) measure(work, held context.Context) error {
	ttl := cmp.Or(x.as.Plan.Limits.TTL, experiment.Duration(defaultTTL))
	err := x.try(held, func(ctx context.Context) (err error) {
		x.as.ExpiresAt, err = x.e.Store.SetExpiry(ctx, x.run.ID, x.lease, ttl.Std())
		return err
	})
	if err != nil {
		return err
	}
	x.run.Teardown = experiment.TeardownPending
	work, stop := context.WithTimeoutCause(work, ttl.Std()-margin(ttl), &expired{ttl})
	defer stop()
	return x.through(work, held, x.steps(work, held))
}

// margin is the part of a time to live that is kept for destroying.
func margin(ttl experiment.Duration) time.Duration { return min(maxMargin, ttl.Std()/marginShare) }

// step is a phase that measures, or makes ready for it.
type step struct {
	phase experiment.Phase
	do    func() error
}

// steps are those of a run in their order.
func (x *execution) steps(work, held context.Context) []step {
	var endpoints json.RawMessage
	return []step{
		{experiment.PhaseProvision, func() (err error) {
			endpoints, err = x.e.Provisioner.Provision(work, x.as, x.reporter(held))
			return err
		}},
		{experiment.PhasePrepare, func() error {
			return x.watched(work, func(ctx context.Context) error { return x.e.Workload.Prepare(ctx, x.as, endpoints) })
		}},
		{experiment.PhaseLoad, func() error {
			return x.watched(work, func(ctx context.Context) error { return x.e.Workload.Load(ctx, x.as) })
		}},
		{experiment.PhaseCollect, func() error { return x.collect(work) }},
	}
}

// through takes the run through steps. It leaves the outcome in x.run; the error
// is one of the store.
func (x *execution) through(work, held context.Context, steps []step) error {
	for _, step := range steps {
		if x.run.Phase != step.phase { // it was entered by whoever left it
			if err := x.enter(held, step.phase); err != nil {
				return err
			}
		}
		err := context.Cause(work)
		if err == nil {
			err = x.guard(step.do)
		}
		if held.Err() != nil {
			return experiment.ErrFenced
		}
		if err != nil {
			x.fail(work, held, err)
			return nil
		}
	}
	x.run.Outcome = experiment.Succeeded
	return x.try(held, func(ctx context.Context) error { return x.e.Store.SaveResult(ctx, &x.run, x.lease) })
}

// lockPatience is how long the measuring lock is waited for to go on with a load:
// whoever holds it disturbs the load by now.
const lockPatience = 2 * time.Second

// followOn goes on with a run that was left in its load, or just after it: agents
// need no server, and what they measure lies in the bucket. It returns false when
// that can't be, because nobody wants the run any more, its time is over, or
// another process measures here by now.
func (x *execution) followOn(work, held context.Context) (bool, error) {
	var e experiment.Experiment
	var expires, now time.Time
	err := x.try(held, func(ctx context.Context) (err error) {
		if e, err = x.e.Store.Experiment(ctx, x.run.Experiment); err != nil {
			return err
		}
		if expires, err = x.e.Store.Expiry(ctx, x.run.ID); err != nil {
			return err
		}
		now, err = x.e.Store.Now(ctx)
		return err
	})
	if err != nil {
		return false, err
	}
	ttl := cmp.Or(e.Plan.Limits.TTL, experiment.Duration(defaultTTL))
	left := expires.Add(-margin(ttl)).Sub(now)
	variant, ok := variantOf(e.Plan, x.run.Variant)
	if !ok || e.Reason != "" || left <= 0 {
		return false, nil
	}
	soon, stop := context.WithTimeout(work, lockPatience)
	release, err := x.lockMeasuring(soon, e.Plan.Target)
	stop()
	if err != nil {
		x.log.Warn("cannot follow an interrupted load", "error", err)
		return false, nil
	}
	defer release()
	followed := fmt.Sprintf("the server was killed in phase %s; the load continued, and the new server follows it", x.run.Phase)
	if err := x.notice(held, followed); err != nil {
		return false, err
	}
	x.as = Assignment{Run: x.run, Plan: e.Plan, Variant: variant, ExpiresAt: expires}
	work, stop = context.WithTimeoutCause(work, left, &expired{ttl})
	defer stop()
	steps := x.steps(work, held)
	for steps[0].phase != x.run.Phase {
		steps = steps[1:]
	}
	if err := x.through(work, held, steps); err != nil {
		return true, err
	}
	return true, x.teardown(held)
}

// collect keeps what was measured in x.run.
func (x *execution) collect(work context.Context) error {
	result, validity, err := x.e.Workload.Collect(work, x.as)
	if err != nil {
		return err
	}
	x.run.Result, x.run.Validity = result, validity
	return nil
}

// fail notes why the run's phase failed, and stops a load that may be under way.
func (x *execution) fail(work, held context.Context, err error) {
	cause := context.Cause(work)
	phase := x.run.Phase
	x.run.Outcome, x.run.Reason = experiment.Failed, fmt.Sprintf("%s: %v", phase, err)
	_, died := errors.AsType[*SystemDied](err)
	x.run.SystemDied = died && phase == experiment.PhaseLoad && cause == nil
	if c, ok := errors.AsType[*cancelled](cause); ok {
		x.run.Outcome, x.run.Reason = experiment.Cancelled, c.reason
	} else if ttl, ok := errors.AsType[*expired](cause); ok {
		x.run.Reason = fmt.Sprintf("%v in phase %s: shorten the stages or raise limits.ttl", ttl, phase)
	}
	x.log.Warn("giving up the run", "phase", phase, "outcome", x.run.Outcome, "reason", x.run.Reason)
	if phase != experiment.PhasePrepare && phase != experiment.PhaseLoad {
		return
	}
	ctx, cancel := context.WithTimeout(held, x.e.Limits.Stop)
	defer cancel()
	if err := x.guard(func() error { return x.e.Workload.Stop(ctx, x.as, x.run.Reason) }); err != nil {
		x.log.Warn("cannot stop the load; destroying its agents", "phase", phase, "error", err)
	}
}

// watched runs do while the services of the run are watched. When one dies, do
// has a moment to say what it knows of it and is then cancelled; the death is
// the error.
func (x *execution) watched(work context.Context, do func(context.Context) error) error {
	watch, stop := context.WithCancel(work)
	defer stop()
	ctx, cancel := context.WithCancelCause(work)
	defer cancel(nil)
	var death error
	watched := x.as
	var watcher sync.WaitGroup
	watcher.Go(func() {
		err := x.guard(func() error { return x.e.Watcher.Watch(watch, watched) })
		if err == nil || watch.Err() != nil {
			return
		}
		death = err
		select {
		case <-watch.Done(): // do ended by itself
		case <-time.After(watchGrace):
			cancel(err)
		}
	})
	err := x.guard(func() error { return do(ctx) })
	stop()
	watcher.Wait()
	switch {
	case death == nil:
		return err
	case err == nil || errors.Is(err, death) || errors.Is(err, context.Canceled):
		return death
	default:
		return fmt.Errorf("%w; %w", death, err)
	}
}
