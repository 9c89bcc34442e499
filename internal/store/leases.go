package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"dec.local/dec/internal/experiment"
)

// SetSlots says how many runs may be active on a target at once. It lasts until it
// is said again.
func (s *Store) SetSlots(ctx context.Context, target string, n int) error {
	return s.write(ctx, fmt.Sprintf("give target %s %d slots", target, n), func(t *tx) error {
		_, err := t.ExecContext(ctx, `INSERT INTO slots (target, capacity) VALUES ($1, $2)
			ON CONFLICT (target) DO UPDATE SET capacity = excluded.capacity`, target, n)
		return err
	})
}

// Claim leases the next queued run whose target has a free slot to owner, first
// in first out by experiment and then by order, for ttl. It returns the number
// of the lease, or [experiment.ErrNotFound] when there is none, or a drain is in
// force. The run belongs to the host from now on.
func (s *Store) Claim(ctx context.Context, owner string, h experiment.Host, ttl time.Duration) (run experiment.Run, lease int64, err error) {
	err = s.write(ctx, "claim a run", func(t *tx) error {
		if err := t.lock(ctx, s.dialect.lockSlots); err != nil {
			return err
		}
		if d, err := readDrain(ctx, t, t.now); err != nil {
			return err
		} else if d.InForce() {
			return experiment.ErrNotFound
		}
		id, target, err := t.nextQueued(ctx, h, s.options.OneHost)
		if err != nil {
			return err
		}
		if slices.Contains(s.options.OneHost, target) {
			if _, err := t.ExecContext(ctx, `UPDATE slots SET machine = $1 WHERE target = $2`, h.ID, target); err != nil {
				return err
			}
		}
		run, lease, err = t.lease(ctx, id, owner, ttl, `machine = $5, boot = $6, home = $7`, h.ID, h.Boot, h.Home)
		return err
	})
	return run, lease, err
}

// lease leases a run, if nobody has it, and sets what else is given.
func (t *tx) lease(ctx context.Context, id, owner string, ttl time.Duration, set string, args ...any) (run experiment.Run, lease int64, err error) {
	run, err = scanRun(t.QueryRowContext(ctx, `UPDATE runs SET lease_owner = $1, lease_expires_at = $2, lease_no = lease_no + 1, `+set+`
		WHERE lease_expires_at < $3 AND id = $4 RETURNING `+runColumns+`, lease_no`,
		append([]any{owner, t.now + ttl.Nanoseconds(), t.now, id}, args...)...), &lease)
	return run, lease, missing(err)
}

// busyRun is true of runs that hold a slot: those that left the queue and have
// not ended, and those that were claimed in it. The two halves are indexed.
const (
	busyActive  = `b.phase <> 'queued' AND b.phase <> 'ended'`
	busyClaimed = `b.phase = 'queued' AND b.lease_expires_at > 0 AND b.lease_expires_at >= $1`
)

// nextQueued returns the first queued run of those targets that have a slot for
// the host: only servers of one host at a time take slots of oneHost.
func (t *tx) nextQueued(ctx context.Context, h experiment.Host, oneHost []string) (id, target string, err error) {
	type slot struct {
		target, machine string
		capacity, busy  int
	}
	rows, err := t.QueryContext(ctx, `SELECT s.target, s.machine, s.capacity,
		(SELECT COUNT(*) FROM runs b WHERE b.target = s.target AND `+busyActive+`) +
		(SELECT COUNT(*) FROM runs b WHERE b.target = s.target AND `+busyClaimed+`)
		FROM slots s`, t.now)
	slots, err := collect(rows, err, func(r row) (s slot, err error) {
		return s, r.Scan(&s.target, &s.machine, &s.capacity, &s.busy)
	})
	if err != nil {
		return "", "", err
	}
	var first int64
	for _, s := range slots {
		elsewhere := slices.Contains(oneHost, s.target) && s.busy > 0 && s.machine != "" && s.machine != h.ID
		if s.busy >= s.capacity || elsewhere {
			continue
		}
		var run string
		var place int64
		err := t.QueryRowContext(ctx, `SELECT id, place FROM runs WHERE phase = 'queued' AND target = $1 AND lease_expires_at < $2 AND wake_at <= $2
			ORDER BY place LIMIT 1`, s.target, t.now).Scan(&run, &place)
		if errors.Is(err, sql.ErrNoRows) {
			continue
		} else if err != nil {
			return "", "", err
		}
		if id == "" || place < first {
			id, target, first = run, s.target, place
		}
	}
	if id == "" {
		return "", "", experiment.ErrNotFound
	}
	return id, target, nil
}

// abandoned is true of runs that nobody works on and that this machine can look
// after: only there is what exists of them.
const abandoned = `lease_expires_at < $1 AND wake_at <= $1 AND (machine = $2 OR machine = '')`

// Adopt leases a run that was left active, or that leaked and is due for another
// try, to owner for ttl, if it belongs to the machine of the host or to none. It
// returns the number of the lease, or [experiment.ErrNotFound] when there is
// none. While a drain is in force, leaked runs rest.
func (s *Store) Adopt(ctx context.Context, owner string, h experiment.Host, ttl time.Duration) (run experiment.Run, lease int64, err error) {
	err = s.write(ctx, "adopt a run", func(t *tx) error {
		if err := t.lock(ctx, s.dialect.lockSlots); err != nil {
			return err
		}
		d, err := readDrain(ctx, t, t.now)
		if err != nil {
			return err
		}
		var id string
		err = t.QueryRowContext(ctx, `SELECT id FROM runs
			WHERE phase <> 'queued' AND phase <> 'ended' AND `+abandoned+` ORDER BY started_at, id LIMIT 1`,
			t.now, h.ID).Scan(&id)
		if errors.Is(err, sql.ErrNoRows) && !d.InForce() {
			err = t.QueryRowContext(ctx, `SELECT id FROM runs WHERE teardown = 'leaked' AND `+abandoned+` ORDER BY started_at, id LIMIT 1`,
				t.now, h.ID).Scan(&id)
		}
		if err != nil {
			return missing(err)
		}
		run, lease, err = t.lease(ctx, id, owner, ttl, `home = CASE WHEN machine = '' THEN $5 ELSE home END,
			boot = CASE WHEN machine = '' THEN $6 ELSE boot END, machine = CASE WHEN machine = '' THEN $7 ELSE machine END`, h.Home, h.Boot, h.ID)
		return err
	})
	return run, lease, err
}

// Home returns the host that claimed a run, where its files are: the zero one
// when that is not known, [experiment.ErrNotFound] when there is no such run.
func (s *Store) Home(ctx context.Context, run string) (experiment.Host, error) {
	var h experiment.Host
	if err := s.db.QueryRowContext(ctx, `SELECT machine, boot, home FROM runs WHERE id = $1`, run).Scan(&h.ID, &h.Boot, &h.Home); err != nil {
		return h, fmt.Errorf("read host of run %s: %w", run, missing(err))
	}
	return h, nil
}

// Renew prolongs a lease to ttl from now and returns why the run shall be
// cancelled, "" when nobody asked for that.
func (s *Store) Renew(ctx context.Context, run string, lease int64, ttl time.Duration) (string, error) {
	var cancel string
	err := s.write(ctx, "renew lease of run "+run, func(t *tx) error {
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
	return s.write(ctx, "release run "+run, func(t *tx) error {
		return t.fenced(ctx, `UPDATE runs SET lease_owner = '', lease_expires_at = 0 WHERE id = $1 AND lease_no = $2`, run, lease)
	})
}

// Reclaim ends the leases that an earlier process with the same owner left, and
// makes leaked runs due for another try. Call it only when no such process can
// be alive: the owner of a data folder holds its lock.
func (s *Store) Reclaim(ctx context.Context, owner string) error {
	return s.write(ctx, "reclaim the leases of "+owner, func(t *tx) error {
		if _, err := t.ExecContext(ctx, `UPDATE runs SET lease_expires_at = 0 WHERE lease_owner = $1 AND lease_owner <> ''`, owner); err != nil {
			return err
		}
		_, err := t.ExecContext(ctx, `UPDATE runs SET wake_at = 0 WHERE teardown = 'leaked'`)
		return err
	})
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
