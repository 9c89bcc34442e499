package store

import (
	"context"
	"fmt"
	"time"

	"dec.local/dec/internal/experiment"
)

// tx is a writing transaction with the time at its start.
type tx struct {
	querier
	dialect dialect
	now     int64
	tells   bool               // it may record events
	events  []experiment.Event // recorded in it, in order
}

// For how long, and how often, a transaction is tried again of which nothing
// happened because the database could not be reached: long enough for a
// database that is started again.
const (
	patience = 15 * time.Second
	pause    = 250 * time.Millisecond
)

// write runs do in a transaction that is durable when write returns nil. do may
// be called again when nothing of it happened.
func (s *Store) write(ctx context.Context, what string, do func(*tx) error) error {
	_, err := s.transact(ctx, what, false, do)
	return err
}

// tell is write for a do that records events, and returns them. Such
// transactions wait for each other, so that the ids of events become visible in
// their order: who has read event n will never find one below n that is new.
// Nobody who waits here holds a row that another such transaction wants.
func (s *Store) tell(ctx context.Context, what string, do func(*tx) error) ([]experiment.Event, error) {
	return s.transact(ctx, what, true, do)
}

func (s *Store) transact(ctx context.Context, what string, tells bool, do func(*tx) error) ([]experiment.Event, error) {
	for until := time.Now().Add(patience); ; {
		events, done, err := s.try(ctx, tells, do)
		if err == nil {
			return events, nil
		}
		if done || s.dialect.transient == nil || !s.dialect.transient(err) || time.Now().After(until) {
			return nil, fmt.Errorf("%s: %w", what, err)
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("%s: %w", what, err)
		case <-time.After(pause):
		}
	}
}

// try is one try of a transaction; done says that it may have happened in spite
// of an error.
func (s *Store) try(ctx context.Context, tells bool, do func(*tx) error) (events []experiment.Event, done bool, err error) {
	if s.writers != nil {
		select {
		case s.writers <- struct{}{}:
			defer func() { <-s.writers }()
		case <-ctx.Done():
			return nil, false, ctx.Err()
		}
	}
	begun, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return nil, false, err
	}
	defer begun.Rollback() // does nothing after the commit
	t := &tx{querier: begun, dialect: s.dialect, tells: tells}
	if tells {
		if err := t.lock(ctx, s.dialect.lockEvents); err != nil {
			return nil, false, err
		}
	}
	if t.now, err = s.now(ctx, begun); err != nil {
		return nil, false, err
	}
	if err := do(t); err != nil {
		return nil, false, err
	}
	if len(t.events) > 0 {
		if err := t.lock(ctx, s.dialect.notify); err != nil {
			return nil, false, err
		}
	}
	return t.events, true, begun.Commit()
}

// lock executes a fragment of the dialect, which may be "".
func (t *tx) lock(ctx context.Context, statement string) error {
	if statement == "" {
		return nil
	}
	_, err := t.ExecContext(ctx, statement)
	return err
}

// fenced runs a statement that must change exactly the row of a run whose lease
// is still held, and returns [experiment.ErrFenced] when it changed none.
func (t *tx) fenced(ctx context.Context, query string, args ...any) error {
	return t.must(ctx, experiment.ErrFenced, query, args...)
}

// must runs a statement and returns the error none when it changed no row.
func (t *tx) must(ctx context.Context, none error, query string, args ...any) error {
	result, err := t.ExecContext(ctx, query, args...)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil {
		return err
	} else if n == 0 {
		return none
	}
	return nil
}
