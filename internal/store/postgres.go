package store

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

// postgres's locks are numbers; the first of the pair is ours.
var postgres = dialect{
	clock:      `SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000000 AS BIGINT)`,
	lockSlots:  `SELECT pg_advisory_xact_lock(6579555, 1)`,
	lockEvents: `SELECT pg_advisory_xact_lock(6579555, 2)`,
	notify:     `NOTIFY dec_events`,
	transient:  unreached,
}

// idleLimit is the setting after which Postgres ends a connection that does
// nothing in the middle of a transaction.
const idleLimit = "idle_in_transaction_session_timeout"

// OpenPostgres opens the database that url names and brings its schema up to
// date; any number of servers may do so at once. A database of a newer version
// is refused with [ErrNewer].
func OpenPostgres(ctx context.Context, url string, opts Options) (*Store, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err) // it hides the password
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = 5 * time.Second
	}
	// A server that stands still in the middle of a transaction, stopped or cut
	// off, must not keep the others from theirs.
	if _, set := config.RuntimeParams[idleLimit]; !set {
		config.RuntimeParams[idleLimit] = "3s"
	}
	db := stdlib.OpenDB(*config)
	db.SetMaxOpenConns(16)
	db.SetMaxIdleConns(8)
	db.SetConnMaxIdleTime(5 * time.Minute)
	locker, err := lock.NewPostgresSessionLocker()
	if err == nil {
		err = migrate(ctx, db, goose.DialectPostgres, "migrations/postgres", goose.WithSessionLocker(locker))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open database %s on %s: %w", config.Database, config.Host, err), db.Close())
	}
	return &Store{db: db, dialect: postgres, clock: opts.Now, options: opts, url: url}, nil
}

// idleTooLong is Postgres's code for a transaction that [idleLimit] ended.
const idleTooLong = "25P03"

// unreached reports whether an error is one of the connection, or of two
// transactions that waited for each other: nothing of the transaction happened.
func unreached(err error) bool {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		// Connection exceptions, operator intervention such as a shutdown, transactions
		// rolled back to end a deadlock, and those that stood still.
		return strings.HasPrefix(pg.Code, "08") || strings.HasPrefix(pg.Code, "57P") || strings.HasPrefix(pg.Code, "40") || pg.Code == idleTooLong
	}
	_, refused := errors.AsType[*pgconn.ConnectError](err)
	_, broken := errors.AsType[*net.OpError](err)
	return refused || broken || pgconn.SafeToRetry(err) || strings.Contains(err.Error(), "conn closed") ||
		strings.Contains(err.Error(), "unexpected EOF")
}

// Listen calls wake whenever any server may have committed events, until ctx
// ends; it connects again when the connection is lost. A call may be missed:
// it only wakes those who poll. SQLite tells of nothing.
func (s *Store) Listen(ctx context.Context, wake func()) error {
	for s.dialect.notify != "" && ctx.Err() == nil {
		_ = s.listen(ctx, wake) // polling goes on meanwhile
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
	<-ctx.Done()
	return context.Cause(ctx)
}

// listen listens on one connection until it is lost.
func (s *Store) listen(ctx context.Context, wake func()) error {
	conn, err := pgx.Connect(ctx, s.url)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, `LISTEN dec_events`); err != nil {
		return err
	}
	for {
		wake() // also for what came before
		if _, err := conn.WaitForNotification(ctx); err != nil {
			return err
		}
	}
}
