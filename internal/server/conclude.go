package server

import (
	"context"
	"log/slog"
	"time"

	"dec.local/dec/internal/comparison"
	"dec.local/dec/internal/experiment"
)

// archive has ended experiments.
type archive interface {
	Experiment(ctx context.Context, id string) (experiment.Experiment, error)
	Runs(ctx context.Context, experimentID string) ([]experiment.Run, error)
	Run(ctx context.Context, id string) (experiment.Run, error) // with its receipt and result
	Unconcluded(ctx context.Context) ([]string, error)          // ended, without a verdict
	SetVerdict(ctx context.Context, experimentID string, v experiment.Verdict) error
}

// concluder keeps the verdict of each experiment that has ended, so that lists
// need not compute it.
type concluder struct {
	store  archive
	logger *slog.Logger
	wake   chan struct{} // an experiment may have ended
	ended  func(experiment.Experiment, experiment.Verdict)
}

// concludeEvery is how often ended experiments are looked for, unless woken.
const concludeEvery = time.Minute

// nudge says that an experiment may have ended. It never blocks.
func (c *concluder) nudge() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// run concludes experiments until ctx ends.
func (c *concluder) run(ctx context.Context) {
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

func (c *concluder) concludeAll(ctx context.Context) {
	ids, err := c.store.Unconcluded(ctx)
	if err != nil {
		if ctx.Err() == nil {
			c.logger.Warn("experiments without a verdict cannot be listed, trying again", "error", err)
		}
		return
	}
	for _, id := range ids {
		if err := c.conclude(ctx, id); err != nil && ctx.Err() == nil {
			c.logger.Warn("an experiment has no verdict yet, trying again", "experiment", id, "error", err)
		}
	}
}

func (c *concluder) conclude(ctx context.Context, id string) error {
	e, err := c.store.Experiment(ctx, id)
	if err != nil {
		return err
	}
	runs, err := c.store.Runs(ctx, id)
	if err != nil {
		return err
	}
	for i := range runs {
		if runs[i], err = c.store.Run(ctx, runs[i].ID); err != nil {
			return err
		}
	}
	set, err := comparison.NewSet(e, runs)
	if err != nil {
		return err
	}
	found, err := comparison.New(set, comparing())
	if err != nil {
		return err
	}
	verdict := found.Verdict()
	if err := c.store.SetVerdict(ctx, id, verdict); err != nil {
		return err
	}
	c.logger.Info("experiment concluded", "experiment", id, "verdict", found.Stats.Sentence)
	c.ended(e, verdict)
	return nil
}
