package orchestrator

import (
	"cmp"
	"context"
	"errors"
	"time"

	"dec.local/dec/internal/experiment"
)

// reasonInterrupted is why runs are cancelled when nobody gave a better reason.
const reasonInterrupted = "interrupted by the user"

// scope says what a loop does and when it is over.
type scope struct {
	queued bool                                               // claims queued runs, not only those left active
	resume bool                                               // goes on with loads that an earlier process left
	done   func(ctx context.Context, idle bool) (bool, error) // idle: nothing could be claimed and nothing is being worked on
}

// Run executes what is queued, and what was left active, until ctx ends: a load
// that an earlier process left is followed to its end, all else is destroyed. Then
// the runs it works on are cancelled, destroyed and verified; queued ones stay
// queued. It returns the cause of the end of ctx, [ErrDetached], or why the
// store could not be used.
func (e *Engine) Run(ctx context.Context) error {
	return e.loop(ctx, scope{queued: true, resume: true, done: func(context.Context, bool) (bool, error) { return false, nil }})
}

// Recover cleans up after an earlier process with the same owner that did not
// end well. Call it first, and only when no such process can be alive. Every run
// that was active is halted, marked as failed with the phase in which it was
// interrupted, destroyed and verified; leaked runs are tried once more. What is
// queued stays queued. It returns when all that is done. An end of ctx does not
// keep a run from being destroyed; its cause is returned afterwards.
func (e *Engine) Recover(ctx context.Context) error {
	interrupted := ctx
	ctx = context.WithoutCancel(ctx)
	if err := e.Reclaim(ctx); err != nil {
		return err
	}
	err := e.loop(ctx, scope{done: func(_ context.Context, idle bool) (bool, error) { return idle, nil }})
	return cmp.Or(err, context.Cause(interrupted))
}

// Reclaim makes what an earlier process with the same owner had claimed
// claimable at once. Call it only when no such process can be alive.
func (e *Engine) Reclaim(ctx context.Context) error { return e.Store.Reclaim(ctx, e.Owner) }

// loop claims runs and works on each in a goroutine of its own, until the scope
// is done or ctx ends, and then waits for all of them.
func (e *Engine) loop(ctx context.Context, s scope) error {
	l := &looper{e: e, scope: s, base: context.WithoutCancel(ctx), ended: make(chan error)}
	timer := time.NewTimer(0)
	defer timer.Stop()
	interrupted := ctx.Done()
	for {
		if e.isDetached() {
			return ErrDetached
		}
		if interrupted != nil && ctx.Err() != nil {
			interrupted = nil
			l.interrupt(context.Cause(ctx))
		}
		if !l.closed {
			l.noteClaimError(l.fill())
		}
		if l.closed && l.working == 0 {
			return l.err
		}
		timer.Reset(l.poll())
		select {
		case <-e.detached:
		case <-interrupted:
		case err := <-l.ended:
			l.working--
			l.fail(err)
		case <-e.wake:
		case <-timer.C:
		}
	}
}

// looper is the state of one loop. Only the loop's own goroutine uses it.
type looper struct {
	e       *Engine
	scope   scope
	base    context.Context // of the work; it does not end with the loop's
	ended   chan error      // one for each piece of work
	working int
	failing time.Time // since when the store fails claims; zero while it does not
	closed  bool      // nothing more is claimed
	err     error     // what the loop will return
}

// fill claims all that may be worked on now. It closes the loop when its scope
// is done.
func (l *looper) fill() error {
	for {
		done, err := l.scope.done(l.base, false)
		if err != nil || done {
			l.closed = done
			return err
		}
		run, lease, err := l.e.Store.Adopt(l.base, l.e.Owner, l.e.Host, l.e.Lease)
		if errors.Is(err, experiment.ErrNotFound) && l.scope.queued {
			run, lease, err = l.e.Store.Claim(l.base, l.e.Owner, l.e.Host, l.e.Lease)
		}
		if errors.Is(err, experiment.ErrNotFound) {
			l.closed, err = l.scope.done(l.base, l.working == 0)
			return err
		} else if err != nil {
			return err
		}
		l.working++
		work := l.e.begin(l.base, run, lease, l.scope.resume)
		go func() {
			err := work()
			select {
			case l.ended <- err:
			case <-l.e.detached: // nobody listens any more
			}
		}()
	}
}

// noteClaimError notes whether the store failed a claim; the loop tolerates it for as
// long as [Options.Patience] says.
func (l *looper) noteClaimError(err error) {
	if err == nil {
		l.failing = time.Time{}
		return
	}
	if l.failing.IsZero() {
		l.failing = time.Now()
	}
	if time.Since(l.failing) >= l.e.Patience || errors.Is(err, experiment.ErrNotFound) {
		l.fail(err)
		return
	}
	l.e.Logger.Warn("cannot claim a run; trying again", "error", err)
}

// poll returns when to look at the queue again.
func (l *looper) poll() time.Duration {
	if l.failing.IsZero() {
		return l.e.Poll
	}
	return min(l.e.Poll, lastPause)
}

// fail ends the loop because of an error that concerns more than one run.
func (l *looper) fail(err error) {
	if err == nil || errors.Is(err, ErrDetached) {
		return
	}
	l.err, l.closed = errors.Join(l.err, err), true
	l.e.cancelActive("the store failed: " + err.Error())
}

// interrupt ends the loop because its context has ended.
func (l *looper) interrupt(cause error) {
	l.closed, l.err = true, cmp.Or(l.err, cause)
	l.e.cancelActive(reasonOf(cause))
}

// reasonOf is why runs are cancelled when a context ends with that cause.
func reasonOf(cause error) string {
	if errors.Is(cause, context.Canceled) {
		return reasonInterrupted
	}
	return "interrupted: " + cause.Error()
}

// cancelActive cancels everything that this process works on.
func (e *Engine) cancelActive(reason string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for run, end := range e.active {
		e.Logger.Info("cancelling, destroying and verifying", "run", run, "reason", reason)
		end(&cancelled{reason})
	}
}
