package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"dec.local/dec/internal/experiment"
)

// enqueue inserts runs of e as queued, each with its obligation. The message
// tells in the event why a run was added.
func (t *tx) enqueue(ctx context.Context, e experiment.Experiment, runs []experiment.Run, message string) error {
	for _, run := range runs {
		phases, err := json.Marshal([]experiment.PhaseTime{{Phase: experiment.PhaseQueued, At: fromNanos(t.now)}})
		if err != nil {
			return err
		}
		if _, err := t.ExecContext(ctx, `INSERT INTO runs (id, experiment, target, variant, position, extra, phase, outcome, valid, invalid_reasons,
			teardown, reason, since, started_at, ended_at, expires_at, phases, cancel_reason, lease_owner, lease_expires_at, lease_no, wake_at)
			VALUES ($1, $2, $3, $4, $5, $6, 'queued', '', $7, 'null', 'none', '', $8, 0, 0, 0, $9, '', '', 0, 0, 0)`,
			run.ID, e.ID, e.Plan.Target, run.Variant, run.Order, run.Extra, false, t.now, string(phases)); err != nil {
			return fmt.Errorf("run %s: %w", run.ID, err)
		}
		if err := t.oblige(ctx, run.ID); err != nil {
			return fmt.Errorf("run %s: %w", run.ID, err)
		}
		if err := t.event(ctx, experiment.Event{Experiment: e.ID, Run: run.ID, Variant: run.Variant,
			Kind: experiment.EventPhase, Phase: experiment.PhaseQueued, Message: message}); err != nil {
			return fmt.Errorf("run %s: %w", run.ID, err)
		}
	}
	return nil
}

// runColumns are what [scanRun] reads.
const runColumns = `id, experiment, variant, position, extra, phase, outcome, valid, invalid_reasons, teardown, reason, since, started_at, ended_at, phases`

// scanRun reads a run, followed by what else the query returns.
func scanRun(r row, more ...any) (experiment.Run, error) {
	var run experiment.Run
	var since, started, ended int64
	var invalid, phases string
	err := r.Scan(append([]any{&run.ID, &run.Experiment, &run.Variant, &run.Order, &run.Extra, &run.Phase, &run.Outcome, &run.Validity.OK, &invalid,
		&run.Teardown, &run.Reason, &since, &started, &ended, &phases}, more...)...)
	if err != nil {
		return run, err
	}
	run.Since, run.StartedAt, run.EndedAt = fromNanos(since), fromNanos(started), fromNanos(ended)
	if err := json.Unmarshal([]byte(invalid), &run.Validity.Reasons); err != nil {
		return run, fmt.Errorf("validity of run %s: %w", run.ID, err)
	}
	if err := json.Unmarshal([]byte(phases), &run.Phases); err != nil {
		return run, fmt.Errorf("phases of run %s: %w", run.ID, err)
	}
	return run, nil
}

// Run returns the run with the given id, its receipt and result included, or
// [experiment.ErrNotFound].
func (s *Store) Run(ctx context.Context, id string) (experiment.Run, error) {
	var receipt, result string
	run, err := scanRun(s.db.QueryRowContext(ctx, `SELECT `+runColumns+`,
		(SELECT receipt FROM obligations o WHERE o.run = runs.id),
		COALESCE((SELECT result FROM results x WHERE x.run = runs.id), '')
		FROM runs WHERE id = $1`, id), &receipt, &result)
	if err != nil {
		return run, fmt.Errorf("read run %s: %w", id, missing(err))
	}
	if result != "" {
		run.Result = json.RawMessage(result)
	}
	if run.Receipt, err = decodeReceipt(receipt); err != nil {
		return run, fmt.Errorf("read run %s: %w", id, err)
	}
	return run, nil
}

// Runs returns the runs of an experiment in their order, without receipts and
// results; none when the experiment does not exist.
func (s *Store) Runs(ctx context.Context, experimentID string) ([]experiment.Run, error) {
	return readRuns(ctx, s.db, experimentID)
}

func readRuns(ctx context.Context, q querier, experimentID string) ([]experiment.Run, error) {
	rows, err := q.QueryContext(ctx, `SELECT `+runColumns+` FROM runs WHERE experiment = $1 ORDER BY position`, experimentID)
	runs, err := collect(rows, err, func(r row) (experiment.Run, error) { return scanRun(r) })
	if err != nil {
		return nil, fmt.Errorf("list runs of experiment %s: %w", experimentID, err)
	}
	return runs, nil
}

// Midway returns the runs that have left the queue and have not ended, without
// receipts and results.
func (s *Store) Midway(ctx context.Context) ([]experiment.Run, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT `+runColumns+` FROM runs WHERE phase <> 'queued' AND phase <> 'ended' ORDER BY started_at, id`)
	runs, err := collect(rows, err, func(r row) (experiment.Run, error) { return scanRun(r) })
	if err != nil {
		return nil, fmt.Errorf("list midway runs: %w", err)
	}
	return runs, nil
}

// Expiry returns when everything of a run ends by itself, the zero time before
// it was decided.
func (s *Store) Expiry(ctx context.Context, run string) (time.Time, error) {
	var at int64
	if err := s.db.QueryRowContext(ctx, `SELECT expires_at FROM runs WHERE id = $1`, run).Scan(&at); err != nil {
		return time.Time{}, fmt.Errorf("read expiry of run %s: %w", run, missing(err))
	}
	return fromNanos(at), nil
}

// SetExpiry decides that everything of a run ends ttl from now, and returns that
// time.
func (s *Store) SetExpiry(ctx context.Context, run string, lease int64, ttl time.Duration) (time.Time, error) {
	var at int64
	_, err := s.write(ctx, "set expiry of run "+run, func(t *tx) error {
		at = t.now + ttl.Nanoseconds()
		return t.fenced(ctx, `UPDATE runs SET expires_at = $1 WHERE id = $2 AND lease_no = $3`, at, run, lease)
	})
	return fromNanos(at), err
}

// Enter records that a run enters run.Phase, which it fills in with the time,
// together with the outcome, validity, teardown and reason that run now has, and
// the event that tells of it, in one transaction. It is called before the phase
// does anything.
func (s *Store) Enter(ctx context.Context, run *experiment.Run, lease int64) ([]experiment.Event, error) {
	changed := *run
	events, err := s.write(ctx, fmt.Sprintf("run %s enters %s", run.ID, run.Phase), func(t *tx) error {
		changed.Since = fromNanos(t.now)
		if changed.StartedAt.IsZero() {
			changed.StartedAt = changed.Since
		}
		changed.Phases = append(append([]experiment.PhaseTime(nil), run.Phases...), experiment.PhaseTime{Phase: run.Phase, At: changed.Since})
		if err := t.update(ctx, changed, lease); err != nil {
			return err
		}
		return t.event(ctx, experiment.Event{Experiment: run.Experiment, Run: run.ID, Variant: run.Variant,
			Kind: experiment.EventPhase, Phase: run.Phase, Message: run.Reason})
	})
	if err == nil {
		*run = changed
	}
	return events, err
}

// update writes what changes in the life of a run.
func (t *tx) update(ctx context.Context, run experiment.Run, lease int64) error {
	invalid, err := json.Marshal(run.Validity.Reasons)
	if err != nil {
		return err
	}
	phases, err := json.Marshal(run.Phases)
	if err != nil {
		return err
	}
	return t.fenced(ctx, `UPDATE runs SET phase = $3, outcome = $4, valid = $5, invalid_reasons = $6, teardown = $7, reason = $8,
		since = $9, started_at = $10, ended_at = $11, phases = $12 WHERE id = $1 AND lease_no = $2`,
		run.ID, lease, run.Phase, run.Outcome, run.Validity.OK, string(invalid), run.Teardown, run.Reason,
		nanos(run.Since), nanos(run.StartedAt), nanos(run.EndedAt), string(phases))
}
