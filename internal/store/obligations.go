package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"dec.local/dec/internal/experiment"
)

// retryLeaked is how long a leaked run rests before it is destroyed again.
const retryLeaked = 24 * time.Hour

// settle discharges the obligation of a run that has a receipt, postpones that
// of one that has none, and gives the lease back. The obligation to destroy what a
// run creates exists from the transaction that admits the run until then.
func (t *tx) settle(ctx context.Context, run experiment.Run, lease int64) error {
	wake := int64(0)
	if run.Receipt == nil {
		wake = t.now + retryLeaked.Nanoseconds()
		if _, err := t.ExecContext(ctx, `UPDATE obligations SET leaks = leaks + 1, problem = $1 WHERE run = $2`,
			clean(run.Reason), run.ID); err != nil {
			return err
		}
	} else {
		receipt, err := json.Marshal(run.Receipt)
		if err != nil {
			return err
		}
		if err := t.fenced(ctx, `UPDATE obligations SET discharged_at = $1, receipt = $2, problem = '' WHERE run = $3 AND discharged_at = 0`,
			t.now, string(receipt), run.ID); err != nil {
			return fmt.Errorf("obligation: %w", err)
		}
	}
	return t.fenced(ctx, `UPDATE runs SET lease_owner = '', lease_expires_at = 0, wake_at = $1 WHERE id = $2 AND lease_no = $3`, wake, run.ID, lease)
}

// Settle records what another try to destroy a leaked run came to: clean with a
// receipt, or leaked still and without one.
func (s *Store) Settle(ctx context.Context, run *experiment.Run, lease int64) ([]experiment.Event, error) {
	return s.tell(ctx, "settle run "+run.ID, func(t *tx) error {
		if run.Phase != experiment.PhaseEnded || (run.Teardown == experiment.TeardownLeaked) != (run.Receipt == nil) {
			return errors.New("only a run that ended is settled, with a receipt or as leaked")
		}
		if err := t.update(ctx, *run, lease); err != nil {
			return err
		}
		message := "no longer leaked: a receipt proves that nothing is left"
		if run.Receipt == nil {
			message = "still leaked: " + run.Reason
		}
		if err := t.event(ctx, experiment.Event{Experiment: run.Experiment, Run: run.ID, Variant: run.Variant,
			Kind: experiment.EventNotice, Phase: run.Phase, Message: message}); err != nil {
			return err
		}
		if err := t.settle(ctx, *run, lease); err != nil {
			return err
		}
		return t.forget(ctx, run.Experiment)
	})
}

// decodeReceipt reads a receipt as [tx.settle] writes it, nil when there is none.
func decodeReceipt(text string) (*experiment.Receipt, error) {
	if text == "" {
		return nil, nil
	}
	var receipt experiment.Receipt
	if err := json.Unmarshal([]byte(text), &receipt); err != nil {
		return nil, fmt.Errorf("receipt: %w", err)
	}
	return &receipt, nil
}
