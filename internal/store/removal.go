package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"dec.local/dec/internal/experiment"
)

// Delete removes an ended experiment with all that is stored of it, and returns
// its runs. While a run of it has not ended, or an obligation is open, it is
// [experiment.ErrBusy].
func (s *Store) Delete(ctx context.Context, experimentID string) ([]experiment.Run, error) {
	var runs []experiment.Run
	// It records no event, but counts like those who do: all write in one order.
	_, err := s.tell(ctx, "delete experiment "+experimentID, func(t *tx) (err error) {
		runs, err = t.remove(ctx, experimentID)
		return err
	})
	return runs, err
}

// pruneAtOnce is how many experiments one transaction removes: writers wait for
// it.
const pruneAtOnce = 10

// Prune removes, as [Store.Delete] does, the experiments that ended longer ago
// than keep and of which no obligation is open, and returns their runs, also
// when an error ends it early.
func (s *Store) Prune(ctx context.Context, keep time.Duration) ([]experiment.Run, error) {
	now, err := s.now(ctx, s.db)
	if err != nil {
		return nil, err
	}
	var removed []experiment.Run
	for {
		rows, err := s.db.QueryContext(ctx, fmt.Sprintf(`SELECT id FROM experiments
			WHERE ended_at > 0 AND ended_at < $1 AND state = 'ended' AND runs_leaked = 0
			ORDER BY ended_at LIMIT %d`, pruneAtOnce), now-keep.Nanoseconds())
		ids, err := collect(rows, err, scanOne[string])
		if err != nil {
			return removed, fmt.Errorf("prune: %w", err)
		}
		runs, err := s.prune(ctx, ids)
		if err != nil || len(runs) == 0 {
			return removed, err
		}
		removed = append(removed, runs...)
	}
}

// prune removes those of some experiments that are over.
func (s *Store) prune(ctx context.Context, ids []string) ([]experiment.Run, error) {
	var runs []experiment.Run
	_, err := s.tell(ctx, "prune", func(t *tx) error {
		runs = nil
		for _, id := range ids {
			some, err := t.remove(ctx, id)
			if err != nil && !errors.Is(err, experiment.ErrBusy) && !errors.Is(err, experiment.ErrNotFound) {
				return err
			}
			runs = append(runs, some...)
		}
		return nil
	})
	return runs, err
}

// remove removes an experiment that is over.
func (t *tx) remove(ctx context.Context, id string) ([]experiment.Run, error) {
	var seq int64
	var open int
	var state experiment.State
	if err := t.QueryRowContext(ctx, `SELECT seq, state, (SELECT COUNT(*) FROM obligations o JOIN runs r ON r.id = o.run
		WHERE r.experiment = e.id AND o.discharged_at = 0) FROM experiments e WHERE id = $1`, id).Scan(&seq, &state, &open); err != nil {
		return nil, missing(err)
	}
	if state != experiment.Ended || open > 0 {
		return nil, experiment.ErrBusy
	}
	runs, err := readRuns(ctx, t, id)
	if err != nil {
		return nil, err
	}
	if err := t.uncount(ctx, id); err != nil {
		return nil, err
	}
	for _, table := range []string{"states", "intents", "attempts", "results", "obligations", "events"} {
		if _, err := t.ExecContext(ctx, `DELETE FROM `+table+` WHERE run IN (SELECT id FROM runs WHERE experiment = $1)`, id); err != nil {
			return nil, fmt.Errorf("%s: %w", table, err)
		}
	}
	for _, table := range []string{"runs", "submissions", "secrets"} {
		if _, err := t.ExecContext(ctx, `DELETE FROM `+table+` WHERE experiment = $1`, id); err != nil {
			return nil, fmt.Errorf("%s: %w", table, err)
		}
	}
	if _, err := t.ExecContext(ctx, `DELETE FROM experiments WHERE id = $1`, id); err != nil {
		return nil, err
	}
	_, err = t.ExecContext(ctx, `INSERT INTO removals (seq) VALUES ($1)`, seq)
	return runs, err
}

// uncount takes the runs of an experiment out of the counts by kind.
func (t *tx) uncount(ctx context.Context, id string) error {
	rows, err := t.QueryContext(ctx, `SELECT phase, outcome, teardown, technology, target FROM runs WHERE experiment = $1`, id)
	all, err := collect(rows, err, func(r row) (k kind, err error) {
		return k, r.Scan(&k.phase, &k.outcome, &k.teardown, &k.technology, &k.target)
	})
	if err != nil {
		return err
	}
	fewer := map[kind]int{}
	for _, k := range all {
		fewer[k]--
	}
	for k, n := range fewer {
		if err := t.count(ctx, k, n); err != nil {
			return err
		}
	}
	return nil
}
