package store

import (
	"context"
	"fmt"
	"strings"

	"dec.local/dec/internal/experiment"
)

// kind is what lists of runs filter by. There are few that differ, whatever the
// number of runs.
type kind struct {
	phase      experiment.Phase
	outcome    experiment.Outcome
	teardown   experiment.Teardown
	technology string
	target     string
}

// tallied is what is counted of one run.
type tallied struct {
	experiment string
	kind       kind
	valid      bool
}

// counts returns the part of one run in those of its experiment.
func (r tallied) counts() experiment.RunCounts {
	c := experiment.RunCounts{Planned: 1}
	switch r.kind.phase {
	case experiment.PhaseQueued:
		c.Queued = 1
		return c
	case experiment.PhaseEnded:
		c.Ended = 1
	default:
		c.Active = 1
		return c
	}
	switch r.kind.outcome {
	case experiment.Succeeded:
		c.Succeeded = 1
		if r.valid {
			c.Valid = 1
		}
	case experiment.Failed:
		c.Failed = 1
	case experiment.Cancelled:
		c.Cancelled = 1
	}
	if r.kind.teardown == experiment.TeardownLeaked {
		c.Leaked = 1
	}
	return c
}

// hold keeps the row of a run until the commit, if its lease is held still, and
// returns what is counted of it.
func (t *tx) hold(ctx context.Context, run string, lease int64) (tallied, error) {
	var r tallied
	err := t.QueryRowContext(ctx, `UPDATE runs SET lease_no = lease_no WHERE id = $1 AND lease_no = $2
		RETURNING experiment, phase, outcome, teardown, technology, target, valid`, run, lease).
		Scan(&r.experiment, &r.kind.phase, &r.kind.outcome, &r.kind.teardown, &r.kind.technology, &r.kind.target, &r.valid)
	if missing(err) == experiment.ErrNotFound {
		return r, experiment.ErrFenced
	}
	return r, err
}

// recount counts a run as what it is now instead of what it was.
func (t *tx) recount(ctx context.Context, was tallied, run experiment.Run) error {
	is := was
	is.kind.phase, is.kind.outcome, is.kind.teardown, is.valid = run.Phase, run.Outcome, run.Teardown, run.Validity.OK
	if was.kind != is.kind {
		if err := t.count(ctx, was.kind, -1); err != nil {
			return err
		}
		if err := t.count(ctx, is.kind, 1); err != nil {
			return err
		}
	}
	a, b := was.counts(), is.counts()
	_, err := t.ExecContext(ctx, `UPDATE experiments SET
		runs_queued = runs_queued + $1, runs_ended = runs_ended + $2, runs_succeeded = runs_succeeded + $3,
		runs_valid = runs_valid + $4, runs_failed = runs_failed + $5, runs_cancelled = runs_cancelled + $6, runs_leaked = runs_leaked + $7,
		started_at = CASE WHEN started_at = 0 THEN $8 ELSE started_at END,
		ended_at = CASE WHEN ended_at < $9 THEN $9 ELSE ended_at END WHERE id = $10`,
		b.Queued-a.Queued, b.Ended-a.Ended, b.Succeeded-a.Succeeded, b.Valid-a.Valid, b.Failed-a.Failed, b.Cancelled-a.Cancelled, b.Leaked-a.Leaked,
		nanos(run.StartedAt), nanos(run.EndedAt), is.experiment)
	return err
}

// count changes the number of runs of a kind.
func (t *tx) count(ctx context.Context, k kind, by int) error {
	_, err := t.ExecContext(ctx, `INSERT INTO kinds (phase, outcome, teardown, technology, target, n) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (phase, outcome, teardown, technology, target) DO UPDATE SET n = kinds.n + excluded.n`,
		k.phase, k.outcome, k.teardown, k.technology, k.target, by)
	return err
}

// total counts something that happened. It is the last that a transaction does.
func (t *tx) total(ctx context.Context, name string) error {
	_, err := t.ExecContext(ctx, `INSERT INTO totals (name, n) VALUES ($1, 1) ON CONFLICT (name) DO UPDATE SET n = totals.n + 1`, name)
	return err
}

// The names of totals begin with what they count.
const (
	totalOutcome = "outcome "
	totalAttempt = "attempt "
)

// Totals returns what an operator wants to watch. Outcomes and attempts count
// those of removed experiments as well.
func (s *Store) Totals(ctx context.Context) (experiment.Totals, error) {
	all := experiment.Totals{Runs: map[experiment.Phase]int{}, Outcomes: map[experiment.Outcome]int64{}, Attempts: map[string]int64{}}
	kinds, err := s.kinds(ctx, conditions{})
	if err != nil {
		return all, fmt.Errorf("read totals: %w", err)
	}
	for k, n := range kinds {
		if k.phase != experiment.PhaseEnded {
			all.Runs[k.phase] += n
		} else if k.teardown == experiment.TeardownLeaked {
			all.Leaked += n
		}
	}
	rows, err := s.db.QueryContext(ctx, `SELECT name, n FROM totals`)
	_, err = collect(rows, err, func(r row) (struct{}, error) {
		var name string
		var n int64
		err := r.Scan(&name, &n)
		if outcome, ok := strings.CutPrefix(name, totalOutcome); ok {
			all.Outcomes[experiment.Outcome(outcome)] = n
		} else if attempt, ok := strings.CutPrefix(name, totalAttempt); ok {
			all.Attempts[attempt] = n
		}
		return struct{}{}, err
	})
	if err != nil {
		return all, fmt.Errorf("read totals: %w", err)
	}
	if all.OldestQueue, err = s.oldestQueued(ctx); err != nil {
		return all, fmt.Errorf("read totals: %w", err)
	}
	all.LastEvent, err = s.LastEvent(ctx)
	return all, err
}

// kinds returns how many runs are of each kind that fits; none without any.
func (s *Store) kinds(ctx context.Context, c conditions) (map[kind]int, error) {
	c.add("n > 0")
	rows, err := s.db.QueryContext(ctx, `SELECT phase, outcome, teardown, technology, target, n FROM kinds`+c.where(), c.args...)
	all := map[kind]int{}
	_, err = collect(rows, err, func(r row) (struct{}, error) {
		var k kind
		var n int
		err := r.Scan(&k.phase, &k.outcome, &k.teardown, &k.technology, &k.target, &n)
		all[k] = n
		return struct{}{}, err
	})
	return all, err
}
