package store

import (
	"context"
	"fmt"

	"dec.local/dec/internal/experiment"
)

// cursorAudit begins the cursors of the audit log.
const cursorAudit = "a-"

// Audit adds an entry to the audit log, which gets its id and, unless it has one,
// the time now.
func (s *Store) Audit(ctx context.Context, e experiment.AuditEntry) error {
	return s.write(ctx, "write the audit log", func(t *tx) error {
		at := nanos(e.At)
		if at == 0 {
			at = t.now
		}
		_, err := t.ExecContext(ctx, `INSERT INTO audit (at, who, action, object, status, remote) VALUES ($1, $2, $3, $4, $5, $6)`,
			at, clean(e.By), clean(e.Action), clean(e.Object), e.Status, clean(e.Remote))
		return err
	})
}

// ListAudit returns a page of the audit log, the newest entry first, and the
// cursor of the next page, "" on the last.
func (s *Store) ListAudit(ctx context.Context, after string, limit int) ([]experiment.AuditEntry, string, error) {
	var c conditions
	if after != "" {
		id, err := position(cursorAudit, after)
		if err != nil {
			return nil, "", fmt.Errorf("list the audit log: %w", err)
		}
		c.add("id < ?", id)
	}
	limit = pageSize(limit)
	rows, err := s.db.QueryContext(ctx, `SELECT id, at, who, action, object, status, remote FROM audit`+c.where()+
		fmt.Sprintf(` ORDER BY id DESC LIMIT %d`, limit+1), c.args...)
	entries, err := collect(rows, err, func(r row) (e experiment.AuditEntry, err error) {
		var at int64
		err = r.Scan(&e.ID, &at, &e.By, &e.Action, &e.Object, &e.Status, &e.Remote)
		e.At = fromNanos(at)
		return e, err
	})
	if err != nil {
		return nil, "", fmt.Errorf("list the audit log: %w", err)
	}
	if len(entries) <= limit {
		return entries, "", nil
	}
	return entries[:limit], cursor(cursorAudit, entries[limit-1].ID), nil
}
