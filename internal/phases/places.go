package phases

import (
	"context"
	"errors"
	"fmt"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/orchestrator"
	"dec.local/dec/internal/reconcile"
	"dec.local/dec/internal/rendezvous"
	"dec.local/dec/internal/tofu"
	"dec.local/dec/target"
)

// watcher watches each run on its own target.
type watcher struct{ places target.Places }

// Watch implements [orchestrator.Watcher]. What is no agent is of the system under test.
func (w watcher) Watch(ctx context.Context, a orchestrator.Assignment) error {
	place, err := w.places.Find(a.Run.Target)
	if err != nil {
		return err
	}
	err = place.Watch(ctx, a.Run.ID)
	if ended, ok := errors.AsType[*target.Ended](err); ok {
		if _, isAgent := rendezvous.Shares(a.Plan.Workload)[ended.Service]; !isAgent {
			return &orchestrator.SystemDied{Err: err}
		}
	}
	return err
}

// verifiers prove that nothing of a run is left on its own target.
type verifiers map[string]*reconcile.Verifier

// newVerifiers returns a verifier of each place.
func newVerifiers(places target.Places, o reconcile.Options) (verifiers, error) {
	all := verifiers{}
	for name, place := range places {
		o := o
		o.Inventory, o.Interval = place, place.Facts.SweepInterval
		verifier, err := reconcile.New(o)
		if err != nil {
			return nil, err
		}
		all[name] = verifier
	}
	return all, nil
}

func (v verifiers) verify(ctx context.Context, run experiment.Run) (experiment.Receipt, error) {
	verifier, ok := v[run.Target]
	if !ok {
		return experiment.Receipt{}, fmt.Errorf("verify run %s: this server has no target %q: %w", run.ID, run.Target, experiment.ErrNotFound)
	}
	return verifier.Verify(ctx, run.ID)
}

// measuringLocks are those of the places that have one.
func measuringLocks(places target.Places, notice func(text string)) map[string]orchestrator.Measuring {
	locks := map[string]orchestrator.Measuring{}
	for name, place := range places {
		if exclusive, ok := place.Place.(target.Exclusive); ok {
			locks[name] = &measuringLock{exclusive, notice}
		}
	}
	return locks
}

// tofuTargets are the places as OpenTofu needs them.
func tofuTargets(places target.Places) map[string]tofu.Target {
	targets := map[string]tofu.Target{}
	for name, place := range places {
		t := tofu.Target{Nodes: place.Nodes, Environment: place.Placement().Environment}
		if credentialed, ok := place.Place.(target.Credentialed); ok {
			t.Credentials = func(ctx context.Context, run string) (map[string]string, error) {
				environment, _, err := credentialed.Credentials(ctx, run)
				return environment, err
			}
		}
		targets[name] = t
	}
	return targets
}
