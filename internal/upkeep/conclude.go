// Package upkeep is what a server does beside its runs: it keeps the verdicts of
// experiments that have ended, and removes those that ended long ago.
package upkeep

import (
	"context"
	"log/slog"
	"time"

	"dec.local/dec/internal/comparison"
	"dec.local/dec/internal/experiment"
)

// concluded has ended experiments.
type concluded interface {
	Experiment(ctx context.Context, id string) (experiment.Experiment, error)
	comparison.Archive
	Unconcluded(ctx context.Context) ([]string, error) // ended, without a verdict
	SetVerdict(ctx context.Context, experimentID string, v experiment.Verdict) error
}

// ConcluderOptions configures a [Concluder]. All are required.
type ConcluderOptions struct {
	Store   concluded
	Compare comparison.Options
	Logger  *slog.Logger
	OnEnd   func(experiment.Experiment, experiment.Verdict) // called once a verdict is stored
}

// Concluder keeps the verdict of each experiment that has ended, so that lists
// need not compute it.
type Concluder struct {
	ConcluderOptions
	wake chan struct{}     // an experiment may have ended
	told map[string]string // what was last logged of an experiment that cannot be concluded
}

// NewConcluder returns a concluder.
func NewConcluder(o ConcluderOptions) *Concluder {
	return &Concluder{ConcluderOptions: o, wake: make(chan struct{}, 1), told: map[string]string{}}
}

// concludeEvery is how often ended experiments are looked for, unless woken.
const concludeEvery = time.Minute

// Wake says that an experiment may have ended. It never blocks.
func (c *Concluder) Wake() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// Run concludes experiments until ctx ends.
func (c *Concluder) Run(ctx context.Context) {
	ticker := time.NewTicker(concludeEvery)
	defer ticker.Stop()
	for {
		c.concludeAll(ctx)
		select {
		case <-ctx.Done():
			return
		case <-c.wake:
		case <-ticker.C:
		}
	}
}

func (c *Concluder) concludeAll(ctx context.Context) {
	ids, err := c.Store.Unconcluded(ctx)
	if err != nil {
		if ctx.Err() == nil {
			c.Logger.Warn("cannot list experiments without a verdict; trying again", "error", err)
		}
		return
	}
	for _, id := range ids {
		switch err := c.conclude(ctx, id); {
		case err == nil:
			delete(c.told, id)
		case ctx.Err() == nil && c.told[id] != err.Error(): // a damaged result stays so: it is told once
			c.told[id] = err.Error()
			c.Logger.Warn("cannot compute the verdict of an experiment; trying again every minute", "experiment", id, "error", err)
		}
	}
}

func (c *Concluder) conclude(ctx context.Context, id string) error {
	e, err := c.Store.Experiment(ctx, id)
	if err != nil {
		return err
	}
	_, found, err := comparison.OfExperiment(ctx, c.Store, e, c.Compare)
	if err != nil {
		return err
	}
	verdict := found.Verdict()
	if err := c.Store.SetVerdict(ctx, id, verdict); err != nil {
		return err
	}
	c.Logger.Info("experiment concluded", "experiment", id, "verdict", found.Stats.Sentence)
	c.OnEnd(e, verdict)
	return nil
}
