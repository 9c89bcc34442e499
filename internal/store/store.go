// Package store keeps what must survive a crash: experiments, runs, their
// obligations to destroy, OpenTofu attempts with their intents and states,
// results and events. It decides nothing; the orchestrator does.
//
// Two ideas carry it. A change and the event that tells of it are one
// transaction. And every write on behalf of a run carries the number of the
// lease under which its owner works: once another owner has claimed the run, the
// write changes nothing and returns [experiment.ErrFenced].
//
// The SQL is written once for SQLite and Postgres; only migrations and the few
// fragments of a dialect differ. Times are kept as nanoseconds since 1970.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"dec.local/dec/internal/experiment"
)

// Options configures a [Store]. The zero value is usable.
type Options struct {
	Now func() time.Time // the clock of leases and records, in tests; the database's own clock if nil
}

// Store is one database. Any number of processes may use the same one.
type Store struct {
	db      *sql.DB
	dialect dialect
	clock   func() time.Time // nil: the database's clock
}

// dialect holds what one kind of database says in its own way.
type dialect struct {
	clock     string // query for the time now, in nanoseconds since 1970
	lockSlots string // statement that makes claims of queued runs wait for each other; "" when writers exclude each other anyway
}

// Close releases the database. Nothing acknowledged is lost without it.
func (s *Store) Close() error {
	if err := s.db.Close(); err != nil {
		return fmt.Errorf("close the database: %w", err)
	}
	return nil
}

// Now returns the time of the clock that leases and records use.
func (s *Store) Now(ctx context.Context) (time.Time, error) {
	now, err := s.now(ctx, s.db)
	return fromNanos(now), err
}

// querier is a database, or a transaction of one.
type querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// now is the one place where the time comes from.
func (s *Store) now(ctx context.Context, q querier) (int64, error) {
	if s.clock != nil {
		return s.clock().UnixNano(), nil
	}
	var now int64
	if err := q.QueryRowContext(ctx, s.dialect.clock).Scan(&now); err != nil {
		return 0, fmt.Errorf("read the database's clock: %w", err)
	}
	return now, nil
}

// tx is a writing transaction with the time at its start.
type tx struct {
	querier
	now    int64
	events []experiment.Event // recorded in it, in order
}

// write runs do in a transaction, which is durable when write returns nil, and
// returns the events that do recorded.
func (s *Store) write(ctx context.Context, what string, do func(*tx) error) ([]experiment.Event, error) {
	begun, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	defer begun.Rollback() // does nothing after the commit
	t := &tx{querier: begun}
	if t.now, err = s.now(ctx, begun); err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	if err := do(t); err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	if err := begun.Commit(); err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return t.events, nil
}

// fenced runs a statement that must change exactly the row of a run whose lease
// is still held, and returns [experiment.ErrFenced] when it changed none.
func (t *tx) fenced(ctx context.Context, query string, args ...any) error {
	result, err := t.ExecContext(ctx, query, args...)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil {
		return err
	} else if n == 0 {
		return experiment.ErrFenced
	}
	return nil
}

// missing turns the absence of a row into [experiment.ErrNotFound].
func missing(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return experiment.ErrNotFound
	}
	return err
}

// collect reads all rows with scan and closes them.
func collect[T any](rows *sql.Rows, err error, scan func(row) (T, error)) ([]T, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, rows.Err()
}

// row is the current row of a query.
type row interface{ Scan(...any) error }

// nanos returns t as the database keeps it.
func nanos(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

// fromNanos returns the time that [nanos] wrote.
func fromNanos(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}
