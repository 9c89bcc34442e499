package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"dec.local/dec/internal/experiment"
)

// keepKeys is how long an idempotency key is remembered.
const keepKeys = 24 * time.Hour

// Admit stores an experiment with its runs, which become queued, and with each
// run its obligation to destroy, in one transaction. It fills in and returns the
// times and states; ids and the order of the runs are the caller's. sealed holds
// the plan's secrets, encrypted, nil when it has none; see [Store.Secrets].
//
// A submission with a key that the same person used in the last 24 hours admits
// nothing: the experiment of then is returned, which has another id, or
// [experiment.ErrKeyReused] when the key came with another request.
func (s *Store) Admit(
	ctx context.Context,
	e experiment.Experiment, runs []experiment.Run, sealed []byte,
	by experiment.Submission,
) (experiment.Experiment, []experiment.Event, error) {
	by.By = clean(by.By)
	e.By = by.By
	plan, err := json.Marshal(e.Plan)
	if err != nil {
		return e, nil, fmt.Errorf("admit experiment %s: %w", e.ID, err)
	}
	admitted := e
	events, err := s.tell(ctx, "admit experiment "+e.ID, func(t *tx) error {
		admitted = e
		if earlier, err := submitted(ctx, t, t.now, by); err != nil || earlier != "" {
			if err == nil {
				admitted, err = readExperiment(ctx, t, earlier)
			}
			return err
		}
		admitted.CreatedAt, admitted.State = fromNanos(t.now), experiment.Queued
		if _, err := t.ExecContext(ctx, `INSERT INTO slots (target, capacity) VALUES ($1, $2) ON CONFLICT (target) DO NOTHING`,
			e.Plan.Target, max(1, s.options.Slots[e.Plan.Target])); err != nil {
			return err
		}
		var seq int64
		if err := t.QueryRowContext(ctx, `INSERT INTO experiments (id, plan, digest, created_at, reason, submitted_by, target, technologies, search)
			VALUES ($1, $2, $3, $4, '', $5, $6, $7, $8) RETURNING seq`,
			e.ID, string(plan), e.Digest, t.now, by.By, e.Plan.Target, technologies(e.Plan), searchText(e)).Scan(&seq); err != nil {
			return err
		}
		if err := t.keep(ctx, e.ID, sealed, by); err != nil {
			return err
		}
		return t.enqueue(ctx, e, seq, runs, "")
	})
	return admitted, events, err
}

// Submitted returns the id of the experiment that [Store.Admit] would return in
// place of admitting one, "" when it would admit one.
func (s *Store) Submitted(ctx context.Context, by experiment.Submission) (string, error) {
	now, err := s.now(ctx, s.db)
	if err != nil {
		return "", err
	}
	by.By = clean(by.By)
	id, err := submitted(ctx, s.db, now, by)
	if err != nil {
		return "", fmt.Errorf("look for an earlier submission: %w", err)
	}
	return id, nil
}

// submitted returns the experiment that the same submission was admitted as, ""
// when there is none.
func submitted(ctx context.Context, q querier, now int64, s experiment.Submission) (string, error) {
	if s.Key == "" {
		return "", nil
	}
	var digest, id string
	err := missing(q.QueryRowContext(ctx, `SELECT digest, experiment FROM submissions WHERE submitted_by = $1 AND idempotency = $2 AND at > $3`,
		s.By, clean(s.Key), now-keepKeys.Nanoseconds()).Scan(&digest, &id))
	switch {
	case err == experiment.ErrNotFound:
		return "", nil
	case err == nil && digest != s.Digest:
		return "", experiment.ErrKeyReused
	}
	return id, err
}

// keep stores what came with an experiment: its secrets, and the key of its
// submission in place of those that are too old.
func (t *tx) keep(ctx context.Context, id string, sealed []byte, by experiment.Submission) error {
	if sealed != nil {
		if _, err := t.ExecContext(ctx, `INSERT INTO secrets (experiment, sealed) VALUES ($1, $2)`, id, sealed); err != nil {
			return err
		}
	}
	if by.Key == "" {
		return nil
	}
	if _, err := t.ExecContext(ctx, `DELETE FROM submissions WHERE at <= $1`, t.now-keepKeys.Nanoseconds()); err != nil {
		return err
	}
	_, err := t.ExecContext(ctx, `INSERT INTO submissions (submitted_by, idempotency, digest, experiment, at) VALUES ($1, $2, $3, $4, $5)`,
		by.By, clean(by.Key), by.Digest, id, t.now)
	return err
}

// technologies returns those of a plan, each between spaces.
func technologies(p experiment.Plan) string {
	var all []string
	for _, v := range p.Variants {
		all = append(all, v.Technology)
	}
	slices.Sort(all)
	return " " + clean(strings.Join(slices.Compact(all), " ")) + " "
}

// searchText returns what a text is searched in: id, name, and labels and
// technologies of the variants, one a line.
func searchText(e experiment.Experiment) string {
	all := []string{e.ID, e.Plan.Name}
	for _, v := range e.Plan.Variants {
		all = append(all, v.Label, v.Technology)
	}
	return clean(strings.Join(all, "\n"))
}

// experimentColumns are what [scanExperiment] reads.
const experimentColumns = `e.id, e.plan, e.digest, e.submitted_by, e.created_at, e.state, e.reason`

// scanExperiment reads an experiment, followed by what else the query returns.
func scanExperiment(r row, more ...any) (experiment.Experiment, error) {
	var e experiment.Experiment
	var plan string
	var created int64
	if err := r.Scan(append([]any{&e.ID, &plan, &e.Digest, &e.By, &created, &e.State, &e.Reason}, more...)...); err != nil {
		return e, err
	}
	e.CreatedAt = fromNanos(created)
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

// Unfinished returns the experiments of which a run has not ended, the oldest
// first.
func (s *Store) Unfinished(ctx context.Context) ([]experiment.Experiment, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT `+experimentColumns+` FROM experiments e WHERE e.state IN ('queued', 'running') ORDER BY e.seq`)
	list, err := collect(rows, err, func(r row) (experiment.Experiment, error) { return scanExperiment(r) })
	if err != nil {
		return nil, fmt.Errorf("list unfinished experiments: %w", err)
	}
	return list, nil
}
