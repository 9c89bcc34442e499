package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"dec.local/dec/internal/experiment"
)

// RequestDrain begins a drain of all servers of the database, or prolongs the one
// in force, until lapse from now: no run is claimed meanwhile. It is granted when
// no run is active or claimed, and no leaked one is being destroyed.
func (s *Store) RequestDrain(ctx context.Context, by string, lapse time.Duration) (experiment.Drain, error) {
	return s.latch(ctx, "request a drain", func(t *tx, d *experiment.Drain) {
		if !d.InForce() {
			*d = experiment.Drain{By: clean(by), Since: fromNanos(t.now)}
		}
		d.LapsesAt = fromNanos(t.now + lapse.Nanoseconds())
	})
}

// PollDrain prolongs a drain in force, like [Store.RequestDrain], and begins
// none.
func (s *Store) PollDrain(ctx context.Context, lapse time.Duration) (experiment.Drain, error) {
	return s.latch(ctx, "poll the drain", func(t *tx, d *experiment.Drain) {
		if d.InForce() {
			d.LapsesAt = fromNanos(t.now + lapse.Nanoseconds())
		}
	})
}

// EndDrain takes a drain back.
func (s *Store) EndDrain(ctx context.Context) error {
	return s.write(ctx, "end the drain", func(t *tx) error {
		_, err := t.ExecContext(ctx, `DELETE FROM drain`)
		return err
	})
}

// ClearGranted ends a drain that was granted: whoever asked for it has replaced
// the server by the one that calls this at its start. A drain that waits still
// stays in force.
func (s *Store) ClearGranted(ctx context.Context) error {
	return s.write(ctx, "clear a granted drain", func(t *tx) error {
		_, err := t.ExecContext(ctx, `DELETE FROM drain WHERE granted_at > 0`)
		return err
	})
}

// Drain returns the drain in force, or one that is not [experiment.Drain.InForce].
func (s *Store) Drain(ctx context.Context) (experiment.Drain, error) {
	now, err := s.now(ctx, s.db)
	if err != nil {
		return experiment.Drain{}, err
	}
	d, err := readDrain(ctx, s.db, now)
	if err == nil {
		err = fillDrain(ctx, s.db, now, &d)
	}
	return d, err
}

// latch changes the drain. It waits for claims, and they for it, so that nothing
// is claimed after a drain was granted.
func (s *Store) latch(ctx context.Context, what string, change func(*tx, *experiment.Drain)) (d experiment.Drain, err error) {
	err = s.write(ctx, what, func(t *tx) error {
		if err := t.lock(ctx, s.dialect.lockSlots); err != nil {
			return err
		}
		if d, err = readDrain(ctx, t, t.now); err != nil {
			return err
		}
		change(t, &d)
		if err := fillDrain(ctx, t, t.now, &d); err != nil {
			return err
		}
		if !d.InForce() {
			return nil
		}
		if d.GrantedAt.IsZero() && len(d.Active) == 0 {
			d.GrantedAt = fromNanos(t.now)
		}
		_, err := t.ExecContext(ctx, `INSERT INTO drain (id, asked_by, since, lapses_at, granted_at) VALUES (1, $1, $2, $3, $4)
			ON CONFLICT (id) DO UPDATE SET asked_by = excluded.asked_by, since = excluded.since,
				lapses_at = excluded.lapses_at, granted_at = excluded.granted_at`,
			d.By, nanos(d.Since), nanos(d.LapsesAt), nanos(d.GrantedAt))
		return err
	})
	return d, err
}

// readDrain returns the drain that is in force now, without the runs that it
// concerns.
func readDrain(ctx context.Context, q querier, now int64) (experiment.Drain, error) {
	var d experiment.Drain
	var since, lapses, granted int64
	err := q.QueryRowContext(ctx, `SELECT asked_by, since, lapses_at, granted_at FROM drain WHERE lapses_at > $1`, now).
		Scan(&d.By, &since, &lapses, &granted)
	if errors.Is(err, sql.ErrNoRows) {
		return d, nil
	} else if err != nil {
		return d, fmt.Errorf("read the drain: %w", err)
	}
	d.Since, d.LapsesAt, d.GrantedAt = fromNanos(since), fromNanos(lapses), fromNanos(granted)
	return d, nil
}

// fillDrain tells of a drain in force what it waits for, and what is queued.
func fillDrain(ctx context.Context, q querier, now int64, d *experiment.Drain) error {
	if !d.InForce() {
		return nil
	}
	rows, err := q.QueryContext(ctx, `SELECT `+runColumns+` FROM runs b WHERE `+busyActive+`
		UNION ALL SELECT `+runColumns+` FROM (SELECT b.* FROM slots s CROSS JOIN runs b WHERE b.target = s.target AND `+busyClaimed+`) b
		UNION ALL SELECT `+runColumns+` FROM runs b WHERE b.teardown = 'leaked' AND b.lease_expires_at >= $1`, now)
	if d.Active, err = collect(rows, err, func(r row) (experiment.Run, error) { return scanRun(r) }); err != nil {
		return fmt.Errorf("read what the drain waits for: %w", err)
	}
	if err := q.QueryRowContext(ctx, `SELECT COALESCE(SUM(n), 0) FROM kinds WHERE phase = 'queued'`).Scan(&d.Queued); err != nil {
		return fmt.Errorf("read what is queued: %w", err)
	}
	for _, run := range d.Active {
		if run.Phase == experiment.PhaseQueued {
			d.Queued--
		}
	}
	return nil
}
