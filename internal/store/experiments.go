package store

import (
	"context"
	"encoding/json"
	"fmt"

	"dec.local/dec/internal/experiment"
)

// Admit stores an experiment with its runs, which become queued, and with each
// run its obligation to destroy, in one transaction. It fills in and returns the
// times and states; ids and the order of the runs are the caller's.
func (s *Store) Admit(ctx context.Context, e experiment.Experiment, runs []experiment.Run) (experiment.Experiment, []experiment.Event, error) {
	plan, err := json.Marshal(e.Plan)
	if err != nil {
		return e, nil, fmt.Errorf("admit experiment %s: %w", e.ID, err)
	}
	events, err := s.write(ctx, "admit experiment "+e.ID, func(t *tx) error {
		e.CreatedAt, e.State = fromNanos(t.now), experiment.Queued
		if _, err := t.ExecContext(ctx, `INSERT INTO slots (target, capacity) VALUES ($1, 1) ON CONFLICT (target) DO NOTHING`, e.Plan.Target); err != nil {
			return err
		}
		if _, err := t.ExecContext(ctx, `INSERT INTO experiments (id, plan, digest, created_at, reason) VALUES ($1, $2, $3, $4, '')`,
			e.ID, string(plan), e.Digest, t.now); err != nil {
			return err
		}
		return t.enqueue(ctx, e, runs, "")
	})
	return e, events, err
}

// experimentColumns are what [scanExperiment] reads. The state follows from the
// phases of the runs.
const experimentColumns = `e.id, e.plan, e.digest, e.created_at, e.reason,
	(SELECT COUNT(*) FROM runs r WHERE r.experiment = e.id AND r.phase <> 'ended'),
	(SELECT COUNT(*) FROM runs r WHERE r.experiment = e.id AND r.phase <> 'queued')`

func scanExperiment(r row) (experiment.Experiment, error) {
	var e experiment.Experiment
	var plan string
	var created int64
	var open, begun int
	if err := r.Scan(&e.ID, &plan, &e.Digest, &created, &e.Reason, &open, &begun); err != nil {
		return e, err
	}
	e.CreatedAt = fromNanos(created)
	switch {
	case open == 0:
		e.State = experiment.Ended
	case begun == 0:
		e.State = experiment.Queued
	default:
		e.State = experiment.Running
	}
	if err := json.Unmarshal([]byte(plan), &e.Plan); err != nil {
		return e, fmt.Errorf("plan of experiment %s: %w", e.ID, err)
	}
	return e, nil
}

// Experiment returns the experiment with the given id, or
// [experiment.ErrNotFound].
func (s *Store) Experiment(ctx context.Context, id string) (experiment.Experiment, error) {
	return readExperiment(ctx, s.db, id)
}

func readExperiment(ctx context.Context, q querier, id string) (experiment.Experiment, error) {
	e, err := scanExperiment(q.QueryRowContext(ctx, `SELECT `+experimentColumns+` FROM experiments e WHERE e.id = $1`, id))
	if err != nil {
		return e, fmt.Errorf("read experiment %s: %w", id, missing(err))
	}
	return e, nil
}

// Experiments returns up to limit experiments, the newest first, beginning after
// the one with the id before; "" begins with the newest.
func (s *Store) Experiments(ctx context.Context, before string, limit int) ([]experiment.Experiment, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT `+experimentColumns+` FROM experiments e
		WHERE $1 = '' OR e.seq < (SELECT seq FROM experiments WHERE id = $1)
		ORDER BY e.seq DESC LIMIT $2`, before, limit)
	list, err := collect(rows, err, scanExperiment)
	if err != nil {
		return nil, fmt.Errorf("list experiments: %w", err)
	}
	return list, nil
}

// Unfinished returns the experiments of which a run has not ended, the oldest
// first.
func (s *Store) Unfinished(ctx context.Context) ([]experiment.Experiment, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT `+experimentColumns+` FROM experiments e
		WHERE EXISTS (SELECT 1 FROM runs r WHERE r.experiment = e.id AND r.phase <> 'ended') ORDER BY e.seq`)
	list, err := collect(rows, err, scanExperiment)
	if err != nil {
		return nil, fmt.Errorf("list unfinished experiments: %w", err)
	}
	return list, nil
}
