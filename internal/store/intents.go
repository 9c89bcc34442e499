package store

import (
	"context"
	"fmt"

	"dec.local/dec/internal/experiment"
)

// RecordIntents records what attempt n of a run is about to create or delete,
// before it does. Recorded again, the new list counts.
func (s *Store) RecordIntents(ctx context.Context, run string, n int, intents []experiment.Intent) error {
	return s.write(ctx, fmt.Sprintf("record intents of attempt %d of run %s", n, run), func(t *tx) error {
		if err := t.guard(ctx, run); err != nil {
			return err
		}
		if _, err := t.ExecContext(ctx, `DELETE FROM intents WHERE run = $1 AND attempt = $2`, run, n); err != nil {
			return err
		}
		for i, intent := range intents {
			if _, err := t.ExecContext(ctx, `INSERT INTO intents (run, attempt, n, address, action, kind, id) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
				run, n, i, intent.Address, intent.Action, intent.Kind, intent.ID); err != nil {
				return err
			}
		}
		return nil
	})
}

// Created returns everything that any attempt of the run ever meant to create.
func (s *Store) Created(ctx context.Context, run string) ([]experiment.Intent, error) {
	return s.intents(ctx, run, "create")
}

// Deleted returns everything that any attempt of the run ever meant to delete.
func (s *Store) Deleted(ctx context.Context, run string) ([]experiment.Intent, error) {
	return s.intents(ctx, run, "delete")
}

func (s *Store) intents(ctx context.Context, run, action string) ([]experiment.Intent, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT address, action, kind, id FROM intents
		WHERE run = $1 AND action = $2 ORDER BY attempt, n`, run, action)
	list, err := collect(rows, err, func(r row) (experiment.Intent, error) {
		var i experiment.Intent
		err := r.Scan(&i.Address, &i.Action, &i.Kind, &i.ID)
		return i, err
	})
	if err != nil {
		return nil, fmt.Errorf("list what run %s meant to %s: %w", run, action, err)
	}
	return list, nil
}
