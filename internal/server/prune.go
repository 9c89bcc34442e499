package server

import (
	"context"
	"log/slog"
	"time"

	"dec.local/dec/internal/experiment"
)

// pruner removes experiments that ended long ago.
type pruner struct {
	keep   time.Duration
	prune  func(ctx context.Context, before time.Duration) ([]experiment.Run, error)
	forget func(ctx context.Context, run string) error
	logger *slog.Logger
}

// pruneEvery is how often old experiments are looked for.
const pruneEvery = time.Hour

// run prunes until ctx ends. Nothing is removed when everything is kept.
func (p *pruner) run(ctx context.Context) {
	if p.keep <= 0 {
		return
	}
	ticker := time.NewTicker(pruneEvery)
	defer ticker.Stop()
	for {
		p.once(ctx)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

func (p *pruner) once(ctx context.Context) {
	runs, err := p.prune(ctx, p.keep)
	if err != nil {
		p.logger.Warn("old experiments are not removed, trying again", "error", err)
	}
	for _, run := range runs {
		if err := p.forget(ctx, run.ID); err != nil {
			p.logger.Warn("files of a removed run stay", "run", run.ID, "error", err)
		}
	}
	if len(runs) > 0 {
		p.logger.Info("removed old experiments", "runs", len(runs), "older_than", p.keep)
	}
}
