package store_test

import (
	"bufio"
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/store"
	"dec.local/dec/internal/store/storetest"
)

func TestSQLite(t *testing.T) {
	storetest.Run(t, func(t *testing.T, now func() time.Time) *store.Store {
		return open(t, filepath.Join(t.TempDir(), "dec.db"), store.Options{Now: now})
	})
}

// open opens a database and closes it at the end of the test.
func open(t *testing.T, path string, o store.Options) *store.Store {
	t.Helper()
	s, err := store.OpenSQLite(t.Context(), path, o)
	if err != nil {
		t.Fatalf("OpenSQLite(%s): %v", path, err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close(): %v", err)
		}
	})
	return s
}

// admit stores an experiment e1 with runs e1-0, e1-1, …
func admit(t *testing.T, s *store.Store, n int) {
	t.Helper()
	var runs []experiment.Run
	for i := range n {
		runs = append(runs, experiment.Run{ID: fmt.Sprintf("e1-%d", i), Order: i, Variant: "a"})
	}
	plan := experiment.Plan{Target: "local"}
	if _, _, err := s.Admit(t.Context(), experiment.Experiment{ID: "e1", Plan: plan}, runs); err != nil {
		t.Fatalf("Admit(): %v", err)
	}
}

// start starts the test binary as another process on a database.
func start(t *testing.T, what, path string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "STORE_TEST_PROCESS="+what, "STORE_TEST_DATABASE="+path)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if stderr.Len() > 0 {
			t.Errorf("%s said: %s", what, &stderr)
		}
	})
	return cmd, bufio.NewScanner(out)
}

func TestKillLosesNoAcknowledgedWrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dec.db")
	admit(t, open(t, path, store.Options{}), 1)
	for round, writes := range []int{1, 7, 40, 150} {
		cmd, lines := start(t, "writer", path)
		acknowledged := 0
		for lines.Scan() {
			if acknowledged++; acknowledged == writes {
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := cmd.Wait(); err == nil {
			t.Fatal("the writer ended by itself, want it killed")
		}
		if acknowledged < writes {
			t.Fatalf("the writer acknowledged %d writes, want at least %d", acknowledged, writes)
		}
		s := open(t, path, store.Options{})
		state, err := s.State(t.Context(), "e1-0")
		if err != nil {
			t.Fatal(err)
		}
		var kept int
		if _, err := fmt.Sscanf(string(state), "state %d", &kept); err != nil {
			t.Fatalf("the newest state is %q: %v", state, err)
		}
		// The write that was under way when the kill came may be there as well.
		if kept != acknowledged && kept != acknowledged+1 {
			t.Errorf("round %d: %d writes acknowledged, the newest kept is %d", round, acknowledged, kept)
		}
	}
}

func TestProcessesClaimEachRunOnce(t *testing.T) {
	const runs = 60
	path := filepath.Join(t.TempDir(), "dec.db")
	s := open(t, path, store.Options{})
	admit(t, s, runs)
	if err := s.SetSlots(t.Context(), "local", runs); err != nil {
		t.Fatal(err)
	}
	var got []string
	type process struct {
		cmd   *exec.Cmd
		lines *bufio.Scanner
	}
	var all []process
	for range 2 {
		cmd, lines := start(t, "claimer", path)
		all = append(all, process{cmd, lines})
	}
	for _, p := range all {
		for p.lines.Scan() {
			got = append(got, p.lines.Text())
		}
		if err := p.cmd.Wait(); err != nil {
			t.Errorf("claimer: %v", err)
		}
	}
	slices.Sort(got)
	if unique := slices.Compact(slices.Clone(got)); len(got) != runs || len(unique) != runs {
		t.Errorf("two processes claimed %d times, %d different runs, want each of %d once", len(got), len(unique), runs)
	}
}

func TestNewerDatabaseIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dec.db")
	admit(t, open(t, path, store.Options{}), 1)
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, 1)`); err != nil {
		t.Fatal(err)
	}
	_, err = store.OpenSQLite(t.Context(), path, store.Options{})
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
