package phases

import (
	"context"
	"fmt"
	"sync"

	"dec.local/dec/internal/datadir"
	"dec.local/dec/internal/tofu"
)

// fleet runs OpenTofu in the folder of each run: its own data folder, or that of
// another server of this machine whose run it took over.
type fleet struct {
	own     *tofu.Runner
	home    datadir.Home // of own
	options tofu.Options // of own
	homes   homes

	mu     sync.Mutex // protects the following
	others map[datadir.Home]*tofu.Runner
}

// homes knows where the files of runs are.
type homes interface {
	// HomeOf is false for a run of another machine.
	HomeOf(ctx context.Context, run string) (h datadir.Home, here bool, err error)
}

func newFleet(home datadir.Home, o tofu.Options, h homes) (*fleet, error) {
	own, err := tofu.New(o)
	return &fleet{own: own, home: home, options: o, homes: h, others: map[datadir.Home]*tofu.Runner{}}, err
}

// of returns what runs OpenTofu for a run, and the data folder of the run.
func (f *fleet) of(ctx context.Context, run string) (*tofu.Runner, datadir.Home, error) {
	h, here, err := f.homes.HomeOf(ctx, run)
	switch {
	case err != nil:
		return nil, "", err
	case !here:
		return nil, "", fmt.Errorf("run %s is on another machine; only a server there can destroy it", run)
	case h == f.home:
		return f.own, h, nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if runner, ok := f.others[h]; ok {
		return runner, h, nil
	}
	o := f.options
	o.Dir, o.Mirror, o.Install = h.Runs(), h.Mirror(), string(h)
	runner, err := tofu.New(o)
	if err != nil {
		return nil, "", err
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
