package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // the database/sql driver "sqlite"
)

// sqlite's writers exclude each other from the start of their transaction
// (_txlock=immediate), so it needs no locks of its own.
var sqlite = dialect{
	clock: `SELECT CAST(ROUND(unixepoch('subsec') * 1000) AS INTEGER) * 1000000`,
}

// OpenSQLite opens the database in the file path, which it creates when absent,
// readable by its owner only, and brings its schema up to date. A database of a
// newer version is refused with [ErrNewer].
func OpenSQLite(ctx context.Context, path string, opts Options) (*Store, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) // its -wal and -shm files take over the mode
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	if err := file.Close(); err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	query := url.Values{
		"_txlock":       {"immediate"},
		"_busy_timeout": {"60000"}, // ms; the wait is not fair, so a patient one is not starved
		"_pragma":       {"journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)"},
	}
	dsn := url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: query.Encode()}
	db, err := sql.Open("sqlite", dsn.String())
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", path, err)
	}
	db.SetMaxOpenConns(8) // each has a cache of its own
	db.SetMaxIdleConns(4)
	if err := migrate(ctx, db, goose.DialectSQLite3, "migrations/sqlite"); err != nil {
		return nil, errors.Join(fmt.Errorf("open database %s: %w", path, err), db.Close())
	}
	// A writer that finds the database busy sleeps and asks again; within one
	// process, a semaphore avoids that.
	return &Store{db: db, dialect: sqlite, clock: opts.Now, options: opts, writers: make(chan struct{}, 1)}, nil
}

// Backup writes a copy of an SQLite database, as it is at this moment, to a file
// that does not exist yet, while it is in use. Postgres has pg_dump for that.
func (s *Store) Backup(ctx context.Context, path string) error {
	if s.url != "" {
		return errors.New("back up the database: it is Postgres, use pg_dump")
	}
	// It must be there, and empty, to be readable by its owner only.
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("back up the database: %w", err)
	}
	_, err = s.db.ExecContext(ctx, `VACUUM INTO $1`, path)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return errors.Join(fmt.Errorf("back up the database: %w", err), os.Remove(path))
	}
	return nil
}
