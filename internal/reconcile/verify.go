package reconcile

import (
	"context"
	"errors"
	"fmt"
	"time"

	"dec.local/dec/internal/experiment"
)

// quietSweeps is how many sweeps in a row must find nothing.
const quietSweeps = 2

// key identifies an object on a target.
type key struct{ kind, id string }

// Verify returns the proof that nothing of the run is left: no attempt alive,
// everything that was ever meant to be created described one by one as gone, and
// two quiet sweeps in a row. What a sweep finds, it removes. It returns
// [ErrAlive], a [*LeakedError], or an error of the target as long as there is no
// such proof.
func (v *Verifier) Verify(ctx context.Context, run string) (experiment.Receipt, error) {
	var none experiment.Receipt
	if err := v.idle(ctx, run); err != nil {
		return none, err
	}
	created, err := v.o.Intents.Created(ctx, run)
	if err != nil {
		return none, fmt.Errorf("verify run %s: %w", run, err)
	}
	swept, err := v.sweep(ctx, run, created)
	if err != nil {
		return none, err
	}
	// An attempt that began while the sweeps were quiet would make them worthless.
	if err := v.idle(ctx, run); err != nil {
		return none, err
	}
	return v.receipt(ctx, run, created, swept)
}

func (v *Verifier) idle(ctx context.Context, run string) error {
	alive, err := v.o.Attempts.Alive(ctx, run)
	if err != nil {
		return fmt.Errorf("verify run %s: %w", run, err)
	}
	if alive {
		return fmt.Errorf("verify run %s: %w", run, ErrAlive)
	}
	return nil
}

// sweep removes what is left until two sweeps in a row find nothing, and returns
// what it removed.
func (v *Verifier) sweep(ctx context.Context, run string, created []experiment.Intent) ([]experiment.Object, error) {
	var swept []experiment.Object
	for quiet, busy := 0, 0; quiet < quietSweeps; {
		if quiet+busy > 0 {
			if err := wait(ctx, v.o.Interval); err != nil {
				return nil, fmt.Errorf("verify run %s: %w", run, err)
			}
		}
		left, err := v.find(ctx, run, created)
		if err != nil {
			return nil, fmt.Errorf("verify run %s: %w", run, err)
		}
		if len(left) == 0 {
			quiet++
			continue
		}
		quiet, busy = 0, busy+1
		removeErr := v.remove(ctx, left)
		swept = append(swept, left...)
		if busy >= v.o.Tries {
			return nil, &LeakedError{Run: run, Objects: left, Err: removeErr}
		}
	}
	return swept, nil
}

// find returns what is left of a run: what carries its tag, and what carries no
// run's tag but is one of the objects that the run meant to create. An object
// with the tag of another run is never touched: a port number may be in use
// again.
func (v *Verifier) find(ctx context.Context, run string, created []experiment.Intent) ([]experiment.Object, error) {
	left, err := v.o.Inventory.List(ctx, run)
	if err != nil {
		return nil, err
	}
	if len(created) == 0 {
		return left, nil
	}
	everything, err := v.o.Inventory.List(ctx, "")
	if err != nil {
		return nil, err
	}
	untagged := make(map[key]experiment.Object)
	for _, o := range everything {
		if o.Run == "" {
			untagged[key{o.Kind, o.ID}] = o
		}
	}
	for _, intent := range created {
		k := key{intent.Kind, intent.ID}
		if o, ok := untagged[k]; ok && intent.ID != "" {
			left = append(left, o)
			delete(untagged, k)
		}
	}
	return left, nil
}

// remove removes objects directly, each whatever becomes of the others.
func (v *Verifier) remove(ctx context.Context, objects []experiment.Object) error {
	var failed []error
	for _, o := range objects {
		v.o.Logger.Warn("sweeping what destroy left", "run", o.Run, "kind", o.Kind, "id", o.ID, "address", o.Address)
		if err := v.o.Inventory.Remove(ctx, o); err != nil {
			failed = append(failed, fmt.Errorf("remove %s %s: %w", o.Kind, o.ID, err))
		}
	}
	return errors.Join(failed...)
}

// wait pauses, or returns why ctx ended.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}

// Reap removes everything whose time to live ended before now, on the word of
// its tags alone: there need not be a database that knows of it. It returns what
// it removed, also when something else could not be.
func (v *Verifier) Reap(ctx context.Context, now time.Time) ([]experiment.Object, error) {
	objects, err := v.o.Inventory.List(ctx, "")
	if err != nil {
		return nil, fmt.Errorf("reap: %w", err)
	}
	var reaped []experiment.Object
	var failed []error
	for _, o := range objects {
		if o.ExpiresAt.IsZero() || !o.ExpiresAt.Before(now) {
			continue
		}
		if err := v.o.Inventory.Remove(ctx, o); err != nil {
			failed = append(failed, fmt.Errorf("reap %s %s: %w", o.Kind, o.ID, err))
			continue
		}
		reaped = append(reaped, o)
	}
	return reaped, errors.Join(failed...)
}
