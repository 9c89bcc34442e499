package store

import (
	"context"
	"fmt"
)

// SaveState keeps one version of the OpenTofu state of attempt n. Versions are
// only ever added: one that is there already is left as it is.
func (s *Store) SaveState(ctx context.Context, run string, n int, serial int64, state []byte) error {
	return s.write(ctx, fmt.Sprintf("save state %d of attempt %d of run %s", serial, n, run), func(t *tx) error {
		if err := t.guard(ctx, run); err != nil {
			return err
		}
		_, err := t.ExecContext(ctx, `INSERT INTO states (run, attempt, serial, at, state) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (run, attempt, serial) DO NOTHING`, run, n, serial, t.now, state)
		return err
	})
}
