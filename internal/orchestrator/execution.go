package orchestrator

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"dec.local/dec/internal/experiment"
)

// execution is the work of this process on one run, for as long as it holds the
// lease. Its methods get up to two contexts: held ends only when the lease is
// lost, work also when the run is cancelled or out of time.
type execution struct {
	e     *Engine
	id    string         // of the run
	run   experiment.Run // only the goroutine of the phases uses it
	lease int64
	as    Assignment
	log   *slog.Logger

	resume bool // a load that was left is followed to its end
}

// cancelled is the cause of the end of a run's work when somebody asked for it.
type cancelled struct{ reason string }

func (c *cancelled) Error() string { return c.reason }

// expired is the cause when the time to live is nearly over.
type expired struct{ ttl experiment.Duration }

func (x *expired) Error() string { return "the time to live of " + x.ttl.String() + " expired" }

// begin makes a claimed run known as active, so that it can be cancelled from
// now on, and returns the work on it.
func (e *Engine) begin(base context.Context, run experiment.Run, lease int64, resume bool) func() error {
	held, lose := context.WithCancelCause(e.Store.Leased(base, run.ID, lease))
	work, cancel := context.WithCancelCause(held)
	e.mu.Lock()
	e.active[run.ID] = cancel
	e.mu.Unlock()
	x := &execution{e: e, id: run.ID, run: run, lease: lease, resume: resume, log: e.Logger.With("run", run.ID, "experiment", run.Experiment)}
	return func() error {
		var beats sync.WaitGroup
		beats.Go(func() { x.heartbeat(held, lose, cancel) })
		err := x.live(work, held)
		if err != nil && held.Err() != nil {
			err = experiment.ErrFenced
		}
		e.mu.Lock()
		delete(e.active, run.ID)
		e.mu.Unlock()
		lose(nil)
		beats.Wait()
		if errors.Is(err, experiment.ErrFenced) {
			x.log.Warn("the lease was lost: another server continues the run")
			return nil
		}
		return err
	}
}

// heartbeat renews the lease until held ends. It ends held itself when the lease
// is lost, or will have expired at the next beat because the store cannot be
// reached: the work must stop before somebody else takes it over.
func (x *execution) heartbeat(held context.Context, lose, cancel context.CancelCauseFunc) {
	beat := x.e.Lease / 5
	ticker := time.NewTicker(beat)
	defer ticker.Stop()
	for renewed := time.Now(); ; {
		select {
		case <-held.Done():
			return
		case <-x.e.detached:
			return
		case <-ticker.C:
		}
		asked := time.Now()
		ctx, done := context.WithTimeout(held, beat)
		reason, err := x.e.Store.Renew(ctx, x.id, x.lease, x.e.Lease)
		done()
		switch {
		case err == nil:
			renewed = asked
			if reason != "" {
				cancel(&cancelled{reason})
			}
		case errors.Is(err, experiment.ErrFenced), time.Since(renewed)+beat >= x.e.Lease:
			lose(experiment.ErrFenced)
			return
		default:
			x.log.Warn("cannot renew the lease; trying again", "error", err)
		}
	}
}

// live leads the run from where it is to its end.
func (x *execution) live(work, held context.Context) error {
	switch x.run.Phase {
	case experiment.PhaseQueued:
		return x.fromQueue(work, held)
	case experiment.PhaseEnded:
		return x.destroyLeaked(held)
	default:
		return x.fromCrash(work, held)
	}
}

// The pauses between two tries to reach the store grow from one to the other.
const (
	firstPause = 100 * time.Millisecond
	lastPause  = 2 * time.Second
)

// try calls do, which reads or writes the store, until it succeeds, for as long
// as [Options.Patience] says. It returns [experiment.ErrFenced] when the lease is
// lost and [ErrDetached] after a detach, and calls do no more then.
func (x *execution) try(held context.Context, do func(context.Context) error) error {
	pause := firstPause
	for until := time.Now().Add(x.e.Patience); ; {
		if x.e.isDetached() {
			return ErrDetached
		}
		err := do(held)
		switch {
		case err == nil:
			return nil
		case held.Err() != nil:
			return experiment.ErrFenced
		case errors.Is(err, experiment.ErrFenced), errors.Is(err, experiment.ErrNotFound), !time.Now().Before(until):
			return err
		}
		x.log.Warn("the store failed; trying again", "error", err)
		if err := x.rest(held, pause); err != nil {
			return err
		}
		pause = min(2*pause, lastPause)
	}
}

// write is try for what records events; it publishes them.
func (x *execution) write(held context.Context, do func(context.Context) ([]experiment.Event, error)) error {
	return x.try(held, func(ctx context.Context) error {
		events, err := do(ctx)
		if err == nil {
			x.e.publish(events)
		}
		return err
	})
}

// enter records that the run enters a phase.
func (x *execution) enter(held context.Context, phase experiment.Phase) error {
	was := x.run.Phase
	x.run.Phase = phase
	err := x.write(held, func(ctx context.Context) ([]experiment.Event, error) {
		return x.e.Store.Enter(ctx, &x.run, x.lease)
	})
	if err != nil {
		x.run.Phase = was
		return err
	}
	x.log.Info("phase begins", "phase", phase)
	return nil
}

// notice records something that an operator should read.
func (x *execution) notice(held context.Context, message string) error {
	event := x.event(experiment.EventNotice)
	event.Message = message
	return x.record(held, event)
}

// event returns an event of the run in its phase.
func (x *execution) event(kind experiment.EventKind) experiment.Event {
	return experiment.Event{Kind: kind, Experiment: x.run.Experiment, Run: x.run.ID, Variant: x.run.Variant, Phase: x.run.Phase}
}

func (x *execution) record(held context.Context, event experiment.Event) error {
	return x.write(held, func(ctx context.Context) ([]experiment.Event, error) {
		return x.e.Store.Record(ctx, event, x.lease)
	})
}

// reporter returns what records the life of a resource in the phase that has
// begun; any goroutine may call it. An event that cannot be stored is no reason
// to stop the phase.
func (x *execution) reporter(held context.Context) func(experiment.Resource) {
	event := x.event(experiment.EventResource)
	return func(r experiment.Resource) {
		event := event
		event.Resource = &r
		err := x.record(held, event)
		if err != nil && !errors.Is(err, ErrDetached) {
			x.log.Warn("cannot record an event of a resource", "address", r.Address, "error", err)
		}
	}
}

// guard calls do and returns its panic as an error, so that the run is still
// destroyed.
func (x *execution) guard(do func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			x.log.Error("panic", "phase", x.run.Phase, "panic", p, "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v (a bug; the log has the stack)", p)
		}
	}()
	return do()
}

// rest pauses before another try, and returns why there shall be none.
func (x *execution) rest(held context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-held.Done():
		return experiment.ErrFenced
	case <-x.e.detached:
		return ErrDetached
	case <-timer.C:
		return nil
	}
}
