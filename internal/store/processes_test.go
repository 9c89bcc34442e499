package store_test

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/store"
	"dec.local/dec/internal/store/pgtest"
)

// onBoth runs a test on each kind of database, given by its URL.
func onBoth(t *testing.T, test func(t *testing.T, url string)) {
	t.Run("SQLite", func(t *testing.T) { test(t, filepath.Join(t.TempDir(), "dec.db")) })
	t.Run("Postgres", func(t *testing.T) { test(t, pgtest.URL(t)) })
}

// open opens a database and closes it at the end of the test.
func open(t *testing.T, path string, o store.Options) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), path, o)
	if err != nil {
		t.Fatalf("Open(%s): %v", path, err)
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
	if _, _, err := s.Admit(t.Context(), experiment.Experiment{ID: "e1", Plan: plan}, runs, nil, experiment.Submission{}); err != nil {
		t.Fatalf("Admit(): %v", err)
	}
}

// start starts the test binary as another process on a database; by is its name.
func start(t *testing.T, what, path, by string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "STORE_TEST_PROCESS="+what, "STORE_TEST_DATABASE="+path, "STORE_TEST_BY="+by)
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
	onBoth(t, func(t *testing.T, url string) {
		open(t, url, store.Options{})
		for round, writes := range []int{1, 7, 1000} {
			by := fmt.Sprint("round ", round)
			cmd, lines := start(t, "writer", url, by)
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
			kept := written(t, open(t, url, store.Options{}), by)
			// The write that was under way when the kill came may be there as well.
			if kept != acknowledged && kept != acknowledged+1 {
				t.Errorf("round %d: %d writes acknowledged, %d kept", round, acknowledged, kept)
			}
		}
	})
}

// written returns how many entries of the audit log a writer wrote, and requires
// that they are 1, 2, 3…
func written(t *testing.T, s *store.Store, by string) int {
	t.Helper()
	var numbers []string
	for cursor := ""; ; {
		page, next, err := s.ListAudit(t.Context(), cursor, 200)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page {
			if e.By == by {
				numbers = append(numbers, e.Object)
			}
		}
		if cursor = next; next == "" {
			break
		}
	}
	for i, n := range numbers {
		if want := fmt.Sprint(len(numbers) - i); n != want {
			t.Fatalf("write %s was kept where %s was expected", n, want)
		}
	}
	return len(numbers)
}

func TestProcessesClaimEachRunOnce(t *testing.T) {
	const runs = 60
	onBoth(t, func(t *testing.T, url string) {
		s := open(t, url, store.Options{})
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
			cmd, lines := start(t, "claimer", url, "")
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
	})
}
