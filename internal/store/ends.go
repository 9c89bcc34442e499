package store

import (
	"context"
	"errors"
	"fmt"

	"dec.local/dec/internal/experiment"
)

// Repeats decides which runs an experiment gets in addition, given all it has,
// the one that just ended included. Their ids and orders are set by it; runs that
// have such an order already, and those after them, move back by one.
type Repeats = func(experiment.Experiment, []experiment.Run) []experiment.Run

// End records that a run ended. With a receipt its teardown must be clean or
// none, and the obligation to destroy is discharged; without, it must be leaked,
// and the obligation stays. In the same transaction repeats may add runs to the
// experiment.
func (s *Store) End(ctx context.Context, run *experiment.Run, lease int64, repeats Repeats) ([]experiment.Event, error) {
	changed := *run
	events, err := s.tell(ctx, "end run "+run.ID, func(t *tx) error {
		changed = *run
		return t.end(ctx, &changed, lease, repeats)
	})
	if err == nil {
		*run = changed
	}
	return events, err
}

func (t *tx) end(ctx context.Context, run *experiment.Run, lease int64, repeats Repeats) error {
	if (run.Teardown == experiment.TeardownLeaked) != (run.Receipt == nil) || run.Teardown == experiment.TeardownPending {
		return errors.New("a run ends with a receipt, or leaked and without one")
	}
	if run.Outcome == "" {
		return errors.New("a run ends with an outcome")
	}
	at := fromNanos(t.now)
	run.Phase, run.Since, run.EndedAt = experiment.PhaseEnded, at, at
	run.Phases = append(append([]experiment.PhaseTime(nil), run.Phases...), experiment.PhaseTime{Phase: experiment.PhaseEnded, At: at})
	if err := t.update(ctx, *run, lease); err != nil {
		return err
	}
	if err := t.event(ctx, experiment.Event{Experiment: run.Experiment, Run: run.ID, Variant: run.Variant,
		Kind: experiment.EventOutcome, Phase: experiment.PhaseEnded, Message: outcomeMessage(*run)}); err != nil {
		return err
	}
	if err := t.settle(ctx, *run, lease); err != nil {
		return err
	}
	if err := t.repeat(ctx, run.Experiment, repeats); err != nil {
		return err
	}
	if err := t.forget(ctx, run.Experiment); err != nil {
		return err
	}
	return t.total(ctx, totalOutcome+string(run.Outcome))
}

// outcomeMessage says how a run ended.
func outcomeMessage(run experiment.Run) string {
	message := string(run.Outcome)
	if run.Outcome == experiment.Succeeded && !run.Validity.OK {
		message = "succeeded, but invalid"
	}
	if run.Reason != "" {
		message += ": " + run.Reason
	}
	return message
}

// repeat adds the runs that repeats asks for.
func (t *tx) repeat(ctx context.Context, experimentID string, repeats Repeats) error {
	if repeats == nil {
		return nil
	}
	e, err := readExperiment(ctx, t, experimentID)
	if err != nil {
		return err
	}
	runs, err := readRuns(ctx, t, experimentID)
	if err != nil {
		return err
	}
	added := repeats(e, runs)
	if len(added) == 0 {
		return nil
	}
	var seq int64
	if err := t.QueryRowContext(ctx, `SELECT seq FROM experiments WHERE id = $1`, e.ID).Scan(&seq); err != nil {
		return err
	}
	for _, run := range added {
		if err := t.makeRoom(ctx, e.ID, run.Order); err != nil {
			return fmt.Errorf("run %s: %w", run.ID, err)
		}
		if err := t.enqueue(ctx, e, seq, []experiment.Run{run}, "run added, because one failed or was invalid"); err != nil {
			return err
		}
	}
	return nil
}

// makeRoom moves the runs of an experiment from a position on back by one, the last
// first, because no two may have the same position in between.
func (t *tx) makeRoom(ctx context.Context, experimentID string, position int) error {
	rows, err := t.QueryContext(ctx, `SELECT id FROM runs WHERE experiment = $1 AND position >= $2
		AND EXISTS (SELECT 1 FROM runs there WHERE there.experiment = $1 AND there.position = $2) ORDER BY position DESC`, experimentID, position)
	ids, err := collect(rows, err, func(r row) (id string, err error) { return id, r.Scan(&id) })
	if err != nil {
		return err
	}
	for _, id := range ids {
		if _, err := t.ExecContext(ctx, `UPDATE runs SET position = position + 1, place = place + 1 WHERE id = $1`, id); err != nil {
			return err
		}
	}
	return nil
}

// Cancel asks for the end of one run. A queued run that nobody has claimed ends
// at once, with the receipt; the owner of any other learns of the reason when it
// renews its lease. It does nothing for a run that has ended.
func (s *Store) Cancel(ctx context.Context, id, reason string, receipt experiment.Receipt, repeats Repeats) ([]experiment.Event, error) {
	reason = clean(reason)
	return s.tell(ctx, "cancel run "+id, func(t *tx) error {
		run, err := scanRun(t.QueryRowContext(ctx, `SELECT `+runColumns+` FROM runs WHERE id = $1`, id))
		if err != nil {
			return missing(err)
		}
		if run.Phase == experiment.PhaseEnded {
			return nil
		}
		if _, err := t.ExecContext(ctx, `UPDATE runs SET cancel_reason = $1 WHERE id = $2 AND cancel_reason = ''`, reason, id); err != nil {
			return err
		}
		return t.endQueued(ctx, run, reason, receipt, repeats)
	})
}

// Stop records that no further run of an experiment starts, and why: queued runs
// end as [Store.Cancel] ends them, active ones go on. Of two reasons the first
// stays.
func (s *Store) Stop(ctx context.Context, id, reason string, receipt experiment.Receipt) ([]experiment.Event, error) {
	reason = clean(reason)
	return s.tell(ctx, "stop experiment "+id, func(t *tx) error {
		if _, err := t.ExecContext(ctx, `UPDATE experiments SET reason = $1 WHERE id = $2 AND reason = ''`, reason, id); err != nil {
			return err
		}
		if _, err := t.ExecContext(ctx, `UPDATE runs SET cancel_reason = $1
			WHERE experiment = $2 AND phase = 'queued' AND cancel_reason = ''`, reason, id); err != nil {
			return err
		}
		runs, err := readRuns(ctx, t, id)
		if err != nil {
			return err
		}
		for _, run := range runs {
			if err := t.endQueued(ctx, run, reason, receipt, nil); err != nil {
				return fmt.Errorf("run %s: %w", run.ID, err)
			}
		}
		return nil
	})
}

// endQueued ends a run that is queued and that nobody has claimed; its lease
// number rises, so that nobody who claimed it before can write to it.
func (t *tx) endQueued(ctx context.Context, run experiment.Run, reason string, receipt experiment.Receipt, repeats Repeats) error {
	var lease int64
	err := missing(t.QueryRowContext(ctx, `UPDATE runs SET lease_no = lease_no + 1 WHERE id = $1 AND phase = 'queued' AND lease_expires_at < $2
		RETURNING lease_no`, run.ID, t.now).Scan(&lease))
	if errors.Is(err, experiment.ErrNotFound) {
		return nil
	} else if err != nil {
		return err
	}
	receipt.At = fromNanos(t.now)
	run.Outcome, run.Reason = experiment.Cancelled, reason
	run.Teardown, run.Receipt = experiment.TeardownNone, &receipt
	return t.end(ctx, &run, lease, repeats)
}
