package store

import (
	"context"
	"fmt"

	"dec.local/dec/internal/experiment"
)

// BeginAttempt records an OpenTofu process before it starts and returns its
// number, which counts from 1 within the run and never changes.
func (s *Store) BeginAttempt(ctx context.Context, a experiment.Attempt) (int, error) {
	var n int
	err := s.write(ctx, fmt.Sprintf("begin %s attempt of run %s", a.Kind, a.Run), func(t *tx) error {
		if err := t.guard(ctx, a.Run); err != nil {
			return err
		}
		started := nanos(a.StartedAt)
		if started == 0 {
			started = t.now
		}
		return t.QueryRowContext(ctx, `INSERT INTO attempts (run, n, kind, folder, started_at, ended_at, outcome, error)
			SELECT $1, COALESCE(MAX(n), 0) + 1, $2, $3, CAST($4 AS BIGINT), 0, '', '' FROM attempts WHERE run = $1 RETURNING n`,
			a.Run, a.Kind, a.Folder, started).Scan(&n)
	})
	return n, err
}

// EndAttempt records what became of an attempt. Of two ends the last one stays:
// an attempt thought to be dirty may turn out to have ended well.
func (s *Store) EndAttempt(ctx context.Context, a experiment.Attempt) error {
	return s.write(ctx, fmt.Sprintf("end attempt %d of run %s", a.N, a.Run), func(t *tx) error {
		if err := t.guard(ctx, a.Run); err != nil {
			return err
		}
		ended := nanos(a.EndedAt)
		if ended == 0 {
			ended = t.now
		}
		// Held until the commit, so that two ends are counted as one.
		if err := t.must(ctx, experiment.ErrNotFound, `UPDATE attempts SET error = error WHERE run = $1 AND n = $2`, a.Run, a.N); err != nil {
			return err
		}
		var before int64
		var kind experiment.AttemptKind
		if err := t.QueryRowContext(ctx, `SELECT ended_at, kind FROM attempts WHERE run = $1 AND n = $2`, a.Run, a.N).
			Scan(&before, &kind); err != nil {
			return err
		}
		if _, err := t.ExecContext(ctx, `UPDATE attempts SET ended_at = $1, outcome = $2, error = $3,
			folder = CASE WHEN $4 = '' THEN folder ELSE $4 END WHERE run = $5 AND n = $6`,
			ended, a.Outcome, clean(a.Error), a.Folder, a.Run, a.N); err != nil {
			return err
		}
		if before != 0 {
			return nil
		}
		return t.total(ctx, fmt.Sprintf("%s%s %s", totalAttempt, kind, a.Outcome))
	})
}
