package e2e

import (
	"bytes"
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	_ "modernc.org/sqlite" // reads what the test lays out

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/experiment"
)

// previous lays out a data folder as the build of 2026-11-23 left it, and returns
// the ids of its experiments: one that has ended and one that is queued.
func (w *installation) previous() (ended, queued string) {
	w.t.Helper()
	script, err := os.ReadFile("testdata/previous.sql")
	if err != nil {
		w.t.Fatal(err)
	}
	if err := os.MkdirAll(w.data(), 0o700); err != nil {
		w.t.Fatal(err)
	}
	db, err := sql.Open("sqlite", filepath.Join(w.data(), "dec.db"))
	if err != nil {
		w.t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(strings.ReplaceAll(string(script), "@DATA@", w.data())); err != nil {
		w.t.Fatalf("lay out the data folder of the previous build: %v", err)
	}
	return "eyt8imnu2f", "e23n9zfw0d"
}

// A data folder of the previous build shows what it holds and finishes what was
// queued.
func TestDataFolderOfThePreviousBuild(t *testing.T) {
	t.Parallel()
	w := newInstallation(t)
	ended, queued := w.previous()
	s := w.serve()

	old := get[api.ExperimentDetail](s, "/experiments/"+ended)
	if old.Name != "of the previous build" || old.State != experiment.Ended || len(old.RunList) != 3 || old.Verdict == nil {
		t.Errorf("the ended experiment = %+v, want its name, its three runs and its verdict", old.Experiment)
	}
	for _, run := range old.RunList {
		detail := get[api.RunDetail](s, "/runs/"+run.ID)
		if !detail.HasResult || detail.Receipt == nil || detail.Teardown != experiment.TeardownClean {
			t.Errorf("run %s = %+v, want a result and a receipt", run.ID, detail)
		}
		for _, of := range []string{"/result", "/timeline", "/histograms", "/log"} {
			if status, body := s.call("GET", api.Prefix+"/runs/"+run.ID+of, "", nil); status != 200 {
				t.Errorf("GET %s of run %s = %d %s", of, run.ID, status, body)
			}
		}
		if timeline := get[api.Timeline](s, "/runs/"+run.ID+"/timeline"); !timeline.Complete || len(timeline.Seconds) == 0 {
			t.Errorf("timeline of run %s = %+v, want its seconds", run.ID, timeline)
		}
		if found := get[api.Histograms](s, "/runs/"+run.ID+"/histograms"); !found.Complete || len(found.Histograms) == 0 {
			t.Errorf("histograms of run %s = %+v, want some", run.ID, found)
		}
	}
	if status, body := s.call("GET", api.Prefix+"/experiments/"+ended+"/comparison.html", "", nil); status != 200 || !bytes.Contains(body, []byte("emulator")) {
		t.Errorf("the report = %d, want one that says emulator: %.200s", status, body)
	}
	if e := s.awaitEnd(queued); e.Runs.Succeeded == 0 {
		t.Errorf("the queued experiment ended with %+v, want a run that succeeded", e.Runs)
	}
	s.stop(syscall.SIGTERM)
	w.assertNothingLeft()
}
