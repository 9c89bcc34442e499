package store_test

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dec.local/dec/internal/store"
	"dec.local/dec/internal/store/storetest"
)

func TestSQLite(t *testing.T) {
	storetest.Run(t, func(t *testing.T, now func() time.Time) (*store.Store, *sql.DB) {
		path := filepath.Join(t.TempDir(), "dec.db")
		return open(t, path, store.Options{Now: now, OneHost: []string{"local"}}), openDB(t, "sqlite", path)
	})
}

// openDB opens a database beside the store.
func openDB(t *testing.T, driver, source string) *sql.DB {
	t.Helper()
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func TestNewerDatabaseIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dec.db")
	admit(t, open(t, path, store.Options{}), 1)
	db := openDB(t, "sqlite", path)
	if _, err := db.Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, 1)`); err != nil {
		t.Fatal(err)
	}
	_, err := store.OpenSQLite(t.Context(), path, store.Options{})
	if !errors.Is(err, store.ErrNewer) || !strings.Contains(err.Error(), "schema is 999") {
		t.Errorf("OpenSQLite() of a newer database = %v, want %v with its schema", err, store.ErrNewer)
	}
}

func TestDatabaseFile(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "a folder?with#odd%20characters")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, "dec.db")
	s := open(t, path, store.Options{})
	admit(t, s, 1)
	for _, name := range []string{"dec.db", "dec.db-wal"} {
		info, err := os.Stat(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %o, want 600: states hold secrets", name, info.Mode().Perm())
		}
	}
	// Opened again, it is as it was.
	if runs, err := open(t, path, store.Options{}).Runs(t.Context(), "e1"); err != nil || len(runs) != 1 {
		t.Errorf("Runs() after opening again = %d runs, %v, want 1", len(runs), err)
	}
	if _, err := store.OpenSQLite(t.Context(), filepath.Join(folder, "absent", "dec.db"), store.Options{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("OpenSQLite() in a folder that does not exist = %v, want %v", err, os.ErrNotExist)
	}
}

func TestDatabaseClock(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "dec.db"), store.Options{})
	before := time.Now().Truncate(time.Millisecond)
	now, err := s.Now(t.Context())
	after := time.Now().Add(time.Millisecond)
	if err != nil || now.Before(before) || now.After(after) {
		t.Errorf("Now() = %v, %v, want it between %v and %v", now, err, before, after)
	}
}

func TestPragmas(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dec.db")
	open(t, path, store.Options{})
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var mode string
	if err := db.QueryRow(`PRAGMA journal_mode`).Scan(&mode); err != nil || mode != "wal" {
		t.Errorf("journal_mode = %q, %v, want wal", mode, err)
	}
}

// A backup holds all that was acknowledged, is readable by its owner only, and
// overwrites nothing.
func TestBackup(t *testing.T) {
	folder := t.TempDir()
	s := open(t, filepath.Join(folder, "dec.db"), store.Options{})
	admit(t, s, 3)
	path := filepath.Join(folder, "a copy's name.db")
	if err := s.Backup(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the backup has mode %v, %v, want 600", info.Mode(), err)
	}
	if runs, err := open(t, path, store.Options{}).Runs(t.Context(), "e1"); err != nil || len(runs) != 3 {
		t.Errorf("Runs() of the backup = %d runs, %v, want 3", len(runs), err)
	}
	if err := s.Backup(t.Context(), path); !errors.Is(err, os.ErrExist) {
		t.Errorf("Backup() over a file = %v, want %v", err, os.ErrExist)
	}
}
