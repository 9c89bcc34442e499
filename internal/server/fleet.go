package server

import (
	"context"
	"fmt"
	"sync"

	"dec.local/dec/internal/tofu"
)

// fleet runs OpenTofu in the folder of each run: its own data folder, or that of
// another server of this machine whose run it took over.
type fleet struct {
	own     *tofu.Runner
	options tofu.Options // of own
	field   *Field       // knows where runs are

	mu     sync.Mutex // protects the following
	others map[home]*tofu.Runner
}

func newFleet(o tofu.Options, field *Field) (*fleet, error) {
	own, err := tofu.New(o)
	return &fleet{own: own, options: o, field: field, others: map[home]*tofu.Runner{}}, err
}

// of returns what runs OpenTofu for a run, and the data folder of the run.
func (f *fleet) of(ctx context.Context, run string) (*tofu.Runner, home, error) {
	h, here, err := f.field.homeOf(ctx, run)
	switch {
	case err != nil:
		return nil, home{}, err
	case !here:
		return nil, home{}, fmt.Errorf("run %s is on another machine; only a server there can destroy it", run)
	case h == f.field.folders.home():
		return f.own, h, nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if runner, ok := f.others[h]; ok {
		return runner, h, nil
	}
	o := f.options
	o.Dir, o.Mirror, o.Install = h.runs(), h.mirror(), h.data
	runner, err := tofu.New(o)
	if err != nil {
		return nil, home{}, err
	}
	f.others[h] = runner
	return runner, h, nil
}

// Alive implements [reconcile.Attempts].
func (f *fleet) Alive(ctx context.Context, run string) (bool, error) {
	runner, _, err := f.of(ctx, run)
	if err != nil {
		return false, err
	}
	return runner.Alive(ctx, run)
}
