package store

import (
	"context"

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
