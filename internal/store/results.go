package store

import (
	"context"
	"encoding/json"
	"fmt"

	"dec.local/dec/internal/experiment"
)

// SaveResult stores what a run measured, and whether it is valid. Results are
// kept apart from runs so that lists stay cheap.
func (s *Store) SaveResult(ctx context.Context, run *experiment.Run, lease int64) error {
	// It records no event, but counts like those who do: all write in one order.
	_, err := s.tell(ctx, "save result of run "+run.ID, func(t *tx) error {
		if err := t.update(ctx, *run, lease); err != nil {
			return err
		}
		_, err := t.ExecContext(ctx, `INSERT INTO results (run, at, result) VALUES ($1, $2, $3)
			ON CONFLICT (run) DO UPDATE SET at = excluded.at, result = excluded.result`, run.ID, t.now, string(run.Result))
		return err
	})
	return err
}

// Result returns what a run measured, or [experiment.ErrNotFound] when nothing
// was collected.
func (s *Store) Result(ctx context.Context, run string) (json.RawMessage, error) {
	var result string
	if err := s.db.QueryRowContext(ctx, `SELECT result FROM results WHERE run = $1`, run).Scan(&result); err != nil {
		return nil, fmt.Errorf("read result of run %s: %w", run, missing(err))
	}
	return json.RawMessage(result), nil
}
