package store

import (
	"context"
	"fmt"
)

// Secrets returns what was given as the sealed secrets of an experiment, or
// [experiment.ErrNotFound] when it had none or is over: they are removed once
// all runs have ended and every obligation is discharged.
func (s *Store) Secrets(ctx context.Context, experimentID string) ([]byte, error) {
	var sealed []byte
	if err := s.db.QueryRowContext(ctx, `SELECT sealed FROM secrets WHERE experiment = $1`, experimentID).Scan(&sealed); err != nil {
		return nil, fmt.Errorf("read secrets of experiment %s: %w", experimentID, missing(err))
	}
	return sealed, nil
}

// forget removes the secrets of an experiment that needs them no more: those of
// a leaked run are still needed to destroy it.
func (t *tx) forget(ctx context.Context, experimentID string) error {
	_, err := t.ExecContext(ctx, `DELETE FROM secrets WHERE experiment = $1
		AND EXISTS (SELECT 1 FROM experiments e WHERE e.id = $1 AND e.state = 'ended' AND e.runs_leaked = 0)`, experimentID)
	return err
}
