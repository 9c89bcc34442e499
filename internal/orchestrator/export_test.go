package orchestrator

import (
	"cmp"
	"context"

	"dec.local/dec/internal/experiment"
)

// Drive is Run until the experiment has ended; it returns nil then, even when its
// runs failed. When ctx ends, the whole experiment is cancelled, as 'dec run'
// does it: what is queued of it ends first.
func (e *Engine) Drive(ctx context.Context, experimentID string) error {
	inner, end := context.WithCancelCause(context.WithoutCancel(ctx))
	defer end(nil)
	stopped := make(chan error, 1)
	watching := context.AfterFunc(ctx, func() {
		stopped <- e.Stop(inner, experimentID, reasonOf(context.Cause(ctx)))
		end(context.Cause(ctx))
	})
	err := e.loop(inner, scope{
		queued: true, resume: true,
		done: func(ctx context.Context, _ bool) (bool, error) {
			x, err := e.Store.Experiment(ctx, experimentID)
			return x.State == experiment.Ended, err
		},
	})
	if watching() {
		return err
	}
	return cmp.Or(err, <-stopped, context.Cause(ctx))
}

// RunUntilIdle is Run until every experiment of the store has ended.
func (e *Engine) RunUntilIdle(ctx context.Context) error {
	return e.loop(ctx, scope{
		queued: true, resume: true,
		done: func(ctx context.Context, _ bool) (bool, error) {
			open, err := e.Store.Unfinished(ctx)
			return len(open) == 0, err
		},
	})
}
