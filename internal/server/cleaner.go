package server

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/reconcile"
)

// cleaner verifies, and forgets the files of a run that is clean.
type cleaner struct {
	archive  *archiver
	verifier *reconcile.Verifier
	fleet    *fleet
	logger   *slog.Logger
}

// Verify implements [orchestrator.Verifier].
func (c *cleaner) Verify(ctx context.Context, run string) (experiment.Receipt, error) {
	receipt, err := c.verifier.Verify(ctx, run)
	if err != nil {
		return receipt, err
	}
	// The infrastructure is gone whether or not the files go where they should.
	runner, home, err := c.fleet.of(ctx, run)
	if err != nil {
		c.logger.Warn("the run's folder stays", "run", run, "error", err)
		return receipt, nil
	}
	c.archive.watch(home)
	if err := home.keepJournals(run); err != nil {
		c.logger.Warn("OpenTofu's output is not kept", "run", run, "error", err)
	}
	if err := runner.Remove(run); err != nil && !errors.Is(err, fs.ErrNotExist) {
		c.logger.Warn("the run's folder stays", "run", run, "error", err)
	}
	return receipt, nil
}

// journals are where OpenTofu's output of a run is staged.
func (h home) journals(run string) string { return filepath.Join(h.staged(run), "tofu") }

// keepJournals copies what OpenTofu said beside the other logs of the run. The
// output of show is left out: it is no log, but the whole plan once more.
func (h home) keepJournals(run string) error {
	attempts, err := os.ReadDir(h.attempts(run))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	if err := os.MkdirAll(h.journals(run), 0o755); err != nil {
		return err
	}
	var errs []error
	for _, attempt := range attempts {
		if !isJournal(attempt.Name()) {
			continue
		}
		for from, to := range map[string]string{"stdout.log": ".jsonl", "stderr.log": ".stderr"} {
			errs = append(errs, copyIfAny(filepath.Join(h.attempts(run), attempt.Name(), from), filepath.Join(h.journals(run), attempt.Name()+to)))
		}
	}
	return errors.Join(errs...)
}

// isJournal reports whether an attempt, such as "0002-apply", says what
// OpenTofu does.
func isJournal(attempt string) bool {
	verb := verbOf(attempt)
	return verb != "" && verb != "show"
}

// copyIfAny copies a file that is there and not empty.
func copyIfAny(from, to string) error {
	in, err := os.Open(from)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	defer in.Close()
	if info, err := in.Stat(); err != nil || info.Size() == 0 {
		return err
	}
	out, err := os.OpenFile(to, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
