package cli

import (
	"context"
	"errors"

	"dec.local/dec/internal/orchestrator"
)

// errInterrupted is why a first Ctrl-C ends the work.
var errInterrupted = errors.New("interrupted by Ctrl-C")

// interruptible returns a context that the first interrupt ends, so that what
// is midway is destroyed. The second one detaches: dec leaves at once, and what
// runs goes on until its time to live.
func interruptible(parent context.Context, env *Env, engine *orchestrator.Engine, p *progress) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(parent)
	over := make(chan struct{})
	go func() {
		select {
		case <-env.Interrupts:
		case <-over:
			return
		}
		p.notice("Ctrl-C: cancelling; what is midway is being destroyed. Once more to leave at once.")
		cancel(errInterrupted)
		select {
		case <-env.Interrupts:
		case <-over:
			return
		}
		engine.Detach()
	}()
	return ctx, func() {
		close(over)
		cancel(nil)
	}
}

// detachedOr says how to come back after leaving at once; any other error stays.
func detachedOr(err error) error {
	if !errors.Is(err, orchestrator.ErrDetached) {
		return err
	}
	return &exitError{code: exitInterrupted, err: errors.New(
		"left at once. What still runs ends at its time to live by itself; 'dec reconcile', or the next 'dec run', destroys it now")}
}
