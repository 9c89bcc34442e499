package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"dec.local/dec/internal/experiment"
)

// placeShift is the number of bits that the position of a run has in its place:
// the queue goes by experiment and then by position.
const placeShift = 20

// runsAtOnce is how many rows one statement inserts.
const runsAtOnce = 100

// enqueue inserts runs of e, which has the given seq, as queued, each with its
// obligation. The message tells in the events why they were added.
func (t *tx) enqueue(ctx context.Context, e experiment.Experiment, seq int64, runs []experiment.Run, message string) error {
	if len(runs) == 0 {
		return nil
	}
	technology := map[string]string{}
	for _, v := range e.Plan.Variants {
		technology[v.Label] = clean(v.Technology)
	}
	var events []experiment.Event
	added := map[kind]int{}
	for _, run := range runs {
		events = append(events, experiment.Event{Experiment: e.ID, Run: run.ID, Variant: run.Variant,
			Kind: experiment.EventPhase, Phase: experiment.PhaseQueued, Message: message})
		added[kind{experiment.PhaseQueued, "", experiment.TeardownNone, technology[run.Variant], e.Plan.Target}]++
	}
	for chunk := range slices.Chunk(runs, runsAtOnce) {
		if err := t.insertRuns(ctx, e, seq, chunk, technology); err != nil {
			return err
		}
	}
	if err := t.record(ctx, events); err != nil {
		return err
	}
	for k, n := range added {
		if err := t.count(ctx, k, n); err != nil {
			return err
		}
	}
	_, err := t.ExecContext(ctx, `UPDATE experiments SET runs_planned = runs_planned + $1, runs_queued = runs_queued + $1 WHERE id = $2`,
		len(runs), e.ID)
	return err
}

func (t *tx) insertRuns(ctx context.Context, e experiment.Experiment, seq int64, runs []experiment.Run, technology map[string]string) error {
	phases, err := json.Marshal([]experiment.PhaseTime{{Phase: experiment.PhaseQueued, At: fromNanos(t.now)}})
	if err != nil {
		return err
	}
	var rows, obligations []any
	for _, run := range runs {
		if run.Order < 0 || run.Order >= 1<<placeShift {
			return fmt.Errorf("run %s: an experiment cannot have %d runs", run.ID, run.Order+1)
		}
		rows = append(rows, run.ID, e.ID, e.Plan.Target, run.Variant, run.Order, run.Round, run.Extra, experiment.PhaseQueued, "", false, "null",
			experiment.TeardownNone, "", t.now, 0, 0, 0, string(phases), "", "", 0, 0, 0, seq<<placeShift|int64(run.Order), technology[run.Variant])
		obligations = append(obligations, run.ID, t.now, 0, "", 0, "")
	}
	if _, err := t.ExecContext(ctx, `INSERT INTO runs (id, experiment, target, variant, position, round, extra, phase, outcome, valid,
		invalid_reasons, teardown, reason, since, started_at, ended_at, expires_at, phases, cancel_reason,
		lease_owner, lease_expires_at, lease_no, wake_at, place, technology)
		VALUES `+values(len(runs), 25), rows...); err != nil {
		return fmt.Errorf("runs: %w", err)
	}
	if _, err := t.ExecContext(ctx, `INSERT INTO obligations (run, admitted_at, discharged_at, receipt, leaks, problem)
		VALUES `+values(len(runs), 6), obligations...); err != nil {
		return fmt.Errorf("obligations: %w", err)
	}
	return nil
}

// runColumns are what [scanRun] reads.
const runColumns = `id, experiment, target, variant, position, round, extra, phase, outcome, valid, invalid_reasons,
	teardown, system_died, reason, since, started_at, ended_at, phases`

// scanRun reads a run, followed by what else the query returns.
func scanRun(r row, more ...any) (experiment.Run, error) {
	var run experiment.Run
	var since, started, ended int64
	var invalid, phases string
	columns := []any{
		&run.ID, &run.Experiment, &run.Target, &run.Variant, &run.Order, &run.Round, &run.Extra, &run.Phase, &run.Outcome,
		&run.Validity.OK, &invalid, &run.Teardown, &run.SystemDied, &run.Reason, &since, &started, &ended, &phases,
	}
	err := r.Scan(append(columns, more...)...)
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

// Active returns the runs that have left the queue and have not ended, without
// receipts and results.
func (s *Store) Active(ctx context.Context) ([]experiment.Run, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT `+runColumns+` FROM runs WHERE phase <> 'queued' AND phase <> 'ended' ORDER BY started_at, id`)
	runs, err := collect(rows, err, func(r row) (experiment.Run, error) { return scanRun(r) })
	if err != nil {
		return nil, fmt.Errorf("list active runs: %w", err)
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
	err := s.write(ctx, "set expiry of run "+run, func(t *tx) error {
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
	events, err := s.tell(ctx, fmt.Sprintf("run %s enters %s", run.ID, run.Phase), func(t *tx) error {
		changed = *run
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
	was, err := t.hold(ctx, run.ID, lease)
	if err != nil {
		return err
	}
	if _, err := t.ExecContext(ctx, `UPDATE runs SET phase = $2, outcome = $3, valid = $4, invalid_reasons = $5, teardown = $6, reason = $7,
		since = $8, started_at = $9, ended_at = $10, phases = $11, system_died = $12 WHERE id = $1`,
		run.ID, run.Phase, run.Outcome, run.Validity.OK, string(invalid), run.Teardown, clean(run.Reason),
		nanos(run.Since), nanos(run.StartedAt), nanos(run.EndedAt), string(phases), run.SystemDied); err != nil {
		return err
	}
	return t.recount(ctx, was, run)
}
