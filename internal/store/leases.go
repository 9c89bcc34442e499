package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"dec.local/dec/internal/experiment"
)

// SetSlots says how many runs may be midway on a target at once; 1 when never
// said.
func (s *Store) SetSlots(ctx context.Context, target string, n int) error {
	_, err := s.write(ctx, fmt.Sprintf("give target %s %d slots", target, n), func(t *tx) error {
		_, err := t.ExecContext(ctx, `INSERT INTO slots (target, capacity) VALUES ($1, $2)
			ON CONFLICT (target) DO UPDATE SET capacity = excluded.capacity`, target, n)
		return err
	})
	return err
}

// The claim statement, and whom it takes. A slot is taken by each run that left
// the queue and has not ended, and by each that was claimed in the queue.
const (
	claim = `UPDATE runs SET lease_owner = $1, lease_expires_at = $2, lease_no = lease_no + 1
		WHERE lease_expires_at < $3 AND id = (%s) RETURNING ` + runColumns + `, lease_no`
	queuedRun = `SELECT r.id FROM runs r JOIN experiments e ON e.id = r.experiment JOIN slots s ON s.target = r.target
		WHERE r.phase = 'queued' AND r.lease_expires_at < $3 AND r.wake_at <= $3
		AND (SELECT COUNT(*) FROM runs b WHERE b.target = r.target AND b.phase <> 'ended'
			AND (b.phase <> 'queued' OR b.lease_expires_at >= $3)) < s.capacity
		ORDER BY e.seq, r.position LIMIT 1`
	abandonedRun = `SELECT r.id FROM runs r
		WHERE r.phase <> 'queued' AND (r.phase <> 'ended' OR r.teardown = 'leaked') AND r.lease_expires_at < $3 AND r.wake_at <= $3
		ORDER BY CASE WHEN r.phase = 'ended' THEN 1 ELSE 0 END, r.started_at, r.id LIMIT 1`
)

// Claim leases the next queued run whose target has a free slot to owner, first
// in first out by experiment and then by order, for ttl. It returns the number
// of the lease, or [experiment.ErrNotFound] when there is none.
func (s *Store) Claim(ctx context.Context, owner string, ttl time.Duration) (experiment.Run, int64, error) {
	return s.lease(ctx, queuedRun, owner, ttl)
}

// Adopt leases a run that was left midway, or that leaked and is due for another
// try, to owner for ttl. It returns the number of the lease, or
// [experiment.ErrNotFound] when there is none.
func (s *Store) Adopt(ctx context.Context, owner string, ttl time.Duration) (experiment.Run, int64, error) {
	return s.lease(ctx, abandonedRun, owner, ttl)
}

func (s *Store) lease(ctx context.Context, whom, owner string, ttl time.Duration) (experiment.Run, int64, error) {
	var run experiment.Run
	var lease int64
	_, err := s.write(ctx, "claim a run", func(t *tx) error {
		if s.dialect.lockSlots != "" {
			if _, err := t.ExecContext(ctx, s.dialect.lockSlots); err != nil {
				return err
			}
		}
		var err error
		run, err = scanRun(t.QueryRowContext(ctx, fmt.Sprintf(claim, whom), owner, t.now+ttl.Nanoseconds(), t.now), &lease)
		return missing(err)
	})
	return run, lease, err
}

// Renew prolongs a lease to ttl from now and returns why the run shall be
// cancelled, "" when nobody asked for that.
func (s *Store) Renew(ctx context.Context, run string, lease int64, ttl time.Duration) (string, error) {
	var cancel string
	_, err := s.write(ctx, "renew lease of run "+run, func(t *tx) error {
		err := t.QueryRowContext(ctx, `UPDATE runs SET lease_expires_at = $1 WHERE id = $2 AND lease_no = $3 RETURNING cancel_reason`,
			t.now+ttl.Nanoseconds(), run, lease).Scan(&cancel)
		if errors.Is(err, sql.ErrNoRows) {
			return experiment.ErrFenced
		}
		return err
	})
	return cancel, err
}

// Release gives a lease back at once, so that the run can be claimed again.
func (s *Store) Release(ctx context.Context, run string, lease int64) error {
	_, err := s.write(ctx, "release run "+run, func(t *tx) error {
		return t.fenced(ctx, `UPDATE runs SET lease_owner = '', lease_expires_at = 0 WHERE id = $1 AND lease_no = $2`, run, lease)
	})
	return err
}

// Reclaim ends the leases that an earlier process with the same owner left, and
// makes leaked runs due for another try. Call it only when no such process can
// be alive: the owner of a data folder holds its lock.
func (s *Store) Reclaim(ctx context.Context, owner string) error {
	_, err := s.write(ctx, "reclaim the leases of "+owner, func(t *tx) error {
		if _, err := t.ExecContext(ctx, `UPDATE runs SET lease_expires_at = 0 WHERE lease_owner = $1`, owner); err != nil {
			return err
		}
		_, err := t.ExecContext(ctx, `UPDATE runs SET wake_at = 0 WHERE teardown = 'leaked'`)
		return err
	})
	return err
}

// leaseKey finds in a context the lease under which its work is done.
type leaseKey struct{}

// held is the lease that [Store.Leased] puts into a context.
type held struct {
	run string
	no  int64
}

// Leased returns a context under which the attempts of the run are recorded only
// while the lease is held; it spares those who write them from knowing of
// leases.
func (s *Store) Leased(ctx context.Context, run string, lease int64) context.Context {
	return context.WithValue(ctx, leaseKey{}, held{run, lease})
}

// guard returns [experiment.ErrFenced] when ctx carries a lease of the run that
// is no longer held.
func (t *tx) guard(ctx context.Context, run string) error {
	lease, ok := ctx.Value(leaseKey{}).(held)
	if !ok || lease.run != run {
		return nil
	}
	// An update and not a query: it holds the row until the commit.
	return t.fenced(ctx, `UPDATE runs SET lease_no = lease_no WHERE id = $1 AND lease_no = $2`, run, lease.no)
}
