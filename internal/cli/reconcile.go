package cli

import (
	"context"
	"fmt"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
)

// reconcileCmd heals a data folder.
type reconcileCmd struct{}

// Run destroys what interrupted runs left behind, and proves that it is gone.
func (c *reconcileCmd) Run(ctx context.Context, env *Env, f *folders) error {
	p := newProgress(env.Stderr, func(string) (measure.Result, bool) { return measure.Result{}, false })
	s, err := f.open(ctx, env, listener{event: p.event, second: p.second, notice: p.notice})
	if err != nil {
		return err
	}
	defer s.close()
	defer p.end()
	return s.heal(ctx, env)
}

// heal ends every run that an earlier dec left midway, and says so.
func (s *station) heal(ctx context.Context, env *Env) error {
	left, err := s.store.Midway(ctx)
	if err != nil {
		return err
	}
	for _, run := range left {
		fmt.Fprintf(env.Stderr, "run %s (%s) was interrupted in phase %s; destroying what is left of it\n", run.ID, run.Variant, run.Phase)
	}
	if err := s.engine.Recover(ctx); err != nil {
		return err
	}
	for _, run := range left {
		ended, err := s.store.Run(ctx, run.ID)
		if err != nil {
			return err
		}
		if ended.Teardown == experiment.TeardownLeaked {
			fmt.Fprintf(env.Stderr, "run %s: LEAKED: %s\n", run.ID, ended.Reason)
			continue
		}
		if ended.Receipt != nil {
			fmt.Fprintf(env.Stderr, "run %s: %s\n", run.ID, ended.Receipt.Statement)
		}
	}
	return nil
}
