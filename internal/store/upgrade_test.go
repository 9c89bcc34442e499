package store_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/pressly/goose/v3"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/store"
)

// old is what the first version of the program wrote: an experiment with a run of
// each outcome, one that is queued, and one that has ended.
const old = `
INSERT INTO slots VALUES ('local', 1);
INSERT INTO experiments (id, plan, digest, created_at, reason) VALUES
	('e1', '{"name":"Flüsse","target":"local","variants":[{"label":"a","technology":"nats","stack":"s"},{"label":"b","technology":"kafka","stack":"s"}]}', 'd1', 1000, ''),
	('e2', '{"name":"queued","target":"local","variants":[{"label":"c","technology":"kafka","stack":"s"}]}', 'd2', 2000, ''),
	('e3', '{"name":"ended","target":"local","variants":[{"label":"c","technology":"kafka","stack":"s"}]}', 'd3', 3000, '');
INSERT INTO runs (id, experiment, target, variant, position, extra, phase, outcome, valid, invalid_reasons, teardown, reason, since, started_at, ended_at, expires_at, phases, cancel_reason, lease_owner, lease_expires_at, lease_no, wake_at) VALUES
	('e1-0', 'e1', 'local', 'a', 0, 0, 'ended', 'succeeded', 1, 'null', 'clean', '', 20, 10, 20, 0, '[]', '', '', 0, 1, 0),
	('e1-1', 'e1', 'local', 'b', 1, 0, 'ended', 'failed', 0, 'null', 'leaked', '', 40, 30, 40, 0, '[]', '', '', 0, 1, 0),
	('e1-2', 'e1', 'local', 'a', 2, 0, 'load', '', 0, 'null', 'pending', '', 50, 50, 0, 0, '[]', '', '', 0, 1, 0),
	('e1-3', 'e1', 'local', 'b', 3, 0, 'queued', '', 0, 'null', 'none', '', 1000, 0, 0, 0, '[]', '', '', 0, 0, 0),
	('e2-0', 'e2', 'local', 'c', 0, 0, 'queued', '', 0, 'null', 'none', '', 2000, 0, 0, 0, '[]', '', '', 0, 0, 0),
	('e3-0', 'e3', 'local', 'c', 0, 0, 'ended', 'succeeded', 1, 'null', 'clean', '', 60, 55, 60, 0, '[]', '', '', 0, 1, 0);
INSERT INTO obligations SELECT id, 5, CASE WHEN teardown = 'clean' THEN ended_at ELSE 0 END, '', 0, '' FROM runs;
INSERT INTO attempts VALUES ('e1-0', 1, 'apply', 'f', 11, 12, 'ok', ''), ('e1-2', 1, 'apply', 'f', 51, 0, '', '');
`

// A database of the first version goes on in this one.
func TestUpgrade(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dec.db")
	first, err := os.ReadFile("migrations/sqlite/00001_init.sql")
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, fstest.MapFS{"00001_init.sql": {Data: first}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(old); err != nil {
		t.Fatal(err)
	}

	s := open(t, path, store.Options{})
	counts := map[string]experiment.RunCounts{
		"e1": {Planned: 4, Queued: 1, Active: 1, Ended: 2, Succeeded: 1, Valid: 1, Failed: 1, Leaked: 1},
		"e2": {Planned: 1, Queued: 1},
		"e3": {Planned: 1, Ended: 1, Succeeded: 1, Valid: 1},
	}
	states := map[string]experiment.State{"e1": experiment.Running, "e2": experiment.Queued, "e3": experiment.Ended}
	for id, want := range counts {
		got, err := s.Summary(t.Context(), id)
		if diff := cmp.Diff(want, got.Runs); err != nil || diff != "" || got.State != states[id] {
			t.Errorf("Summary(%s) = %s, %v (-want +got):\n%s", id, got.State, err, diff)
		}
	}
	for text, want := range map[string][]string{"FLÜS": {"e1"}, "nats": {"e1"}, "kafka": {"e3", "e2", "e1"}} {
		for _, q := range []experiment.ExperimentQuery{{Text: text}, {Technology: text}} {
			page, _, err := s.ListExperiments(t.Context(), q)
			var got []string
			for _, e := range page {
				got = append(got, e.ID)
			}
			if q.Technology != "" && text == "FLÜS" {
				want = nil
			}
			if diff := cmp.Diff(want, got); err != nil || diff != "" {
				t.Errorf("ListExperiments(%+v): %v (-want +got):\n%s", q, err, diff)
			}
		}
	}
	runs, _, err := s.ListRuns(t.Context(), experiment.RunQuery{Technology: "nats"})
	if err != nil || len(runs) != 2 || runs[0].ID != "e1-2" || runs[1].ID != "e1-0" {
		t.Errorf("ListRuns(nats) = %+v, %v, want e1-2 and e1-0", runs, err)
	}
	totals, err := s.Totals(t.Context())
	want := map[string]int64{"apply ok": 1}
	if err != nil || cmp.Diff(want, totals.Attempts) != "" || totals.Outcomes[experiment.Succeeded] != 2 || totals.Leaked != 1 {
		t.Errorf("Totals() = %+v, %v", totals, err)
	}
	adopted, _, err := s.Adopt(t.Context(), "owner", experiment.Host{ID: "machine", Home: "/data"}, 1)
	if err != nil || adopted.ID != "e1-2" {
		t.Errorf("Adopt() = %q, %v, want e1-2: no machine is known, so any may", adopted.ID, err)
	}
	if home, err := s.Home(t.Context(), "e1-2"); err != nil || home.Home != "/data" {
		t.Errorf("Home() = %+v, %v, want that of the adopter", home, err)
	}
}
