package upkeep

import (
	"context"
	"log/slog"
	"time"

	"dec.local/dec/internal/experiment"
)

// Pruner removes experiments that ended long ago.
type Pruner struct {
	Keep   time.Duration                                                             // everything is kept if zero
	Prune  func(ctx context.Context, before time.Duration) ([]experiment.Run, error) // from the database
	Forget func(ctx context.Context, run string) error                               // the files of a run
	Logger *slog.Logger
}

// pruneEvery is how often old experiments are looked for.
const pruneEvery = time.Hour

// Run prunes until ctx ends. Nothing is removed when everything is kept.
func (p *Pruner) Run(ctx context.Context) {
	if p.Keep <= 0 {
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

func (p *Pruner) once(ctx context.Context) {
	runs, err := p.Prune(ctx, p.Keep)
	if err != nil {
		p.Logger.Warn("cannot remove old experiments; trying again", "error", err)
	}
	for _, run := range runs {
		if err := p.Forget(ctx, run.ID); err != nil {
			p.Logger.Warn("cannot remove the files of a removed run", "run", run.ID, "error", err)
		}
	}
	if len(runs) > 0 {
		p.Logger.Info("removed old experiments", "runs", len(runs), "older_than", p.Keep)
	}
}
