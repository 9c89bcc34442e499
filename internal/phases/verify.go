package phases

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"

	"dec.local/dec/internal/datadir"
	"dec.local/dec/internal/evidence"
	"dec.local/dec/internal/experiment"
)

// archive keeps what was written about runs.
type archive interface {
	// Include makes it look after another data folder as well.
	Include(h datadir.Home)
}

// cleaner verifies, and forgets the files of a run that is clean.
type cleaner struct {
	archive   archive
	verifiers verifiers
	fleet     *fleet
	logger    *slog.Logger
}

// Verify implements [orchestrator.Verifier].
func (c *cleaner) Verify(ctx context.Context, r experiment.Run) (experiment.Receipt, error) {
	run := r.ID
	receipt, err := c.verifiers.verify(ctx, r)
	if err != nil {
		return receipt, err
	}
	// The infrastructure is gone whether or not the files go where they should.
	runner, home, err := c.fleet.of(ctx, run)
	if err != nil {
		c.logger.Warn("cannot remove the run's folder", "run", run, "error", err)
		return receipt, nil
	}
	c.archive.Include(home)
	if err := evidence.KeepJournals(home, run); err != nil {
		c.logger.Warn("cannot keep OpenTofu's output", "run", run, "error", err)
	}
	if err := runner.Remove(run); err != nil && !errors.Is(err, fs.ErrNotExist) {
		c.logger.Warn("cannot remove the run's folder", "run", run, "error", err)
	}
	return receipt, nil
}
