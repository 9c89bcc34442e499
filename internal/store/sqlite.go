package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // the database/sql driver "sqlite"
)

//go:embed migrations
var migrations embed.FS

// ErrNewer is returned for a database that a newer version of this program has
// written. Nothing in it was changed.
var ErrNewer = errors.New("the database was written by a newer version")

// sqlite's writers exclude each other from the start of their transaction
// (_txlock=immediate), so claims need no lock of their own.
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
	if err := migrate(ctx, db, goose.DialectSQLite3, "migrations/sqlite"); err != nil {
		return nil, errors.Join(fmt.Errorf("open database %s: %w", path, err), db.Close())
	}
	return &Store{db: db, dialect: sqlite, clock: opts.Now}, nil
}

// migrate brings the schema up to date.
func migrate(ctx context.Context, db *sql.DB, dialect goose.Dialect, folder string) error {
	files, err := fs.Sub(migrations, folder)
	if err != nil {
		return fmt.Errorf("migrations of %s: %w", dialect, err)
	}
	provider, err := goose.NewProvider(dialect, db, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return fmt.Errorf("migrations of %s: %w", dialect, err)
	}
	have, known, err := provider.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("read the version of the schema: %w", err)
	}
	if have > known {
		return fmt.Errorf("%w: its schema is %d and this program knows %d; use the newer program, or another data folder", ErrNewer, have, known)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate from schema %d to %d: %w", have, known, err)
	}
	return nil
}
