// Package store keeps what must survive a crash: experiments, runs, their
// obligations to destroy, OpenTofu attempts with their intents and states,
// results and events, and what a server must remember beside them. It decides
// nothing; the orchestrator does.
//
// Two ideas carry it. A change and the event that tells of it are one
// transaction. And every write on behalf of a run carries the number of the
// lease under which its owner works: once another owner has claimed the run, the
// write changes nothing and returns [experiment.ErrFenced].
//
// The SQL is written once for SQLite and Postgres; only migrations and the few
// fragments of a dialect differ. Times are kept as nanoseconds since 1970.
//
// Lists stay quick with a million runs because they never count or sort: what
// they show of an experiment's runs is kept in its row, and [Store.ListRuns] and
// [Store.ListExperiments] tell how they filter.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Options configures a [Store]. The zero value is usable.
type Options struct {
	OneHost []string         // targets whose runs only servers of one host at a time take
	Slots   map[string]int   // runs at once of targets of which [Store.SetSlots] was never told; 1 where not given
	Now     func() time.Time // the clock of leases and records, in tests; the database's own clock if nil
}

// Store is one database. Any number of processes may use the same one.
type Store struct {
	db      *sql.DB
	dialect dialect
	clock   func() time.Time // nil: the database's clock
	options Options
	url     string        // of Postgres, for listening
	writers chan struct{} // held by the one writer of this process; nil where writers need not wait for each other
	found   finder
}

// dialect holds what one kind of database says in its own way.
type dialect struct {
	clock      string           // query for the time now, in nanoseconds since 1970
	lockSlots  string           // makes claims wait for each other; "" when all writers do anyway
	lockEvents string           // makes those who record events commit in the order of the ids; "" likewise
	notify     string           // wakes those who listen for events; "" when nobody can
	transient  func(error) bool // nothing of the transaction happened, and it may succeed if tried again
}

// Open opens the database that url names: postgres://…, or the path of an SQLite
// file. See [OpenPostgres] and [OpenSQLite].
func Open(ctx context.Context, url string, opts Options) (*Store, error) {
	if url == "" {
		return nil, errors.New("open database: give the path of a file, or postgres://user@host/name")
	}
	if strings.HasPrefix(url, "postgres://") || strings.HasPrefix(url, "postgresql://") {
		return OpenPostgres(ctx, url, opts)
	}
	return OpenSQLite(ctx, url, opts)
}

// Close releases the database. Nothing acknowledged is lost without it.
func (s *Store) Close() error {
	if err := s.db.Close(); err != nil {
		return fmt.Errorf("close the database: %w", err)
	}
	return nil
}

// Ping returns an error when the database cannot be used.
func (s *Store) Ping(ctx context.Context) error {
	var targets int
	if err := s.db.QueryRowContext(ctx, `SELECT COUNT(*) FROM slots`).Scan(&targets); err != nil {
		return fmt.Errorf("reach the database: %w", err)
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
