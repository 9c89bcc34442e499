// Package storetest is the suite that every database behind [store.Store] must
// pass.
package storetest

import (
	"database/sql"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/store"
)

// Open returns an empty store that uses the given clock, and a connection of its
// own to its database. Both are closed at the end of the test.
type Open func(t *testing.T, now func() time.Time) (*store.Store, *sql.DB)

// Run runs the suite.
func Run(t *testing.T, open Open) {
	suites := map[string]func(*testing.T, *fixture){
		"admission":          testAdmission,
		"lists":              testLists,
		"claims":             testClaims,
		"slots":              testSlots,
		"races":              testRaces,
		"fencing":            testFencing,
		"phases":             testPhases,
		"ends":               testEnds,
		"leaks":              testLeaks,
		"repeats":            testRepeats,
		"repeats in between": testRepeatsInBetween,
		"cancel":             testCancel,
		"stop":               testStop,
		"attempts":           testAttempts,
		"intents":            testIntents,
		"states":             testStates,
		"events":             testEvents,
		"results":            testResults,
		"reclaim":            testReclaim,
		"object ages":        testSeconds,

		"search":         testSearch,
		"cursors":        testCursors,
		"run lists":      testRunLists,
		"counts":         testCounts,
		"attempt totals": testAttemptTotals,
		"submissions":    testSubmissions,
		"drain":          testDrain,
		"drain, leaked":  testDrainLeaked,
		"hosts":          testHosts,
		"sessions":       testSessions,
		"audit":          testAudit,
		"removal":        testRemoval,
		"secrets":        testSecrets,

		"event order":     testEventOrder,
		"submission race": testSubmissionRace,
		"drain race":      testDrainRace,
		"counts hold":     testCountsHold,
	}
	for name, test := range suites {
		t.Run(name, func(t *testing.T) {
			clock := &clock{now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
			s, db := open(t, clock.Now)
			test(t, &fixture{Store: s, db: db, clock: clock})
		})
	}
}

// lease is the time to live of leases in the tests.
const lease = time.Minute

// here is the host of the tests.
var here = experiment.Host{ID: "machine", Boot: "boot", Home: "/data"}

// clock is a clock that stands still until it is moved.
type clock struct {
	mu  sync.Mutex // protects the following
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// fixture is a store with short ways to what the tests need often.
type fixture struct {
	*store.Store
	db    *sql.DB // for what no method of the store returns
	clock *clock
}

// plan returns a plan for a target.
func plan(target string) experiment.Plan {
	return experiment.Plan{Name: "a plan", Target: target, Compare: experiment.DefaultMetric, Repeat: 2,
		Variants: []experiment.Variant{{Label: "a", Technology: "kafka", Stack: "kraft"}, {Label: "b", Technology: "nats", Stack: "jetstream"}},
		Limits:   experiment.Limits{TTL: experiment.Duration(time.Hour)},
		Workload: experiment.Workload{Seed: 7, Load: experiment.Load{Rate: 2000}, Message: experiment.Message{
			Size: experiment.Size{Min: 1024, Max: 1024}, Key: experiment.Key{Kind: experiment.KeyNone}}}}
}

// admit stores an experiment whose n runs are called <id>-0, <id>-1, …
func (f *fixture) admit(t *testing.T, id, target string, n int) experiment.Experiment {
	t.Helper()
	var runs []experiment.Run
	for i := range n {
		runs = append(runs, experiment.Run{ID: fmt.Sprintf("%s-%d", id, i), Experiment: id, Variant: string("ab"[i%2]), Order: i})
	}
	e, _, err := f.Admit(t.Context(), experiment.Experiment{ID: id, Plan: plan(target), Digest: "digest of " + id},
		runs, nil, experiment.Submission{By: "ann"})
	if err != nil {
		t.Fatalf("Admit(%s): %v", id, err)
	}
	return e
}

// claim claims a run and requires that it is the wanted one.
func (f *fixture) claim(t *testing.T, want string) (experiment.Run, int64) {
	t.Helper()
	run, no, err := f.Claim(t.Context(), "owner", here, lease)
	if err != nil || run.ID != want {
		t.Fatalf("Claim() = run %q, %v, want %q", run.ID, err, want)
	}
	return run, no
}

// active claims the wanted run and lets it enter a phase.
func (f *fixture) active(t *testing.T, want string, phase experiment.Phase) (experiment.Run, int64) {
	t.Helper()
	run, no := f.claim(t, want)
	run.Phase, run.Teardown = phase, experiment.TeardownPending
	if _, err := f.Enter(t.Context(), &run, no); err != nil {
		t.Fatalf("Enter(%s, %s): %v", want, phase, err)
	}
	return run, no
}

// read returns a run as it is stored.
func (f *fixture) read(t *testing.T, id string) experiment.Run {
	t.Helper()
	run, err := f.Store.Run(t.Context(), id)
	if err != nil {
		t.Fatalf("Run(%s): %v", id, err)
	}
	return run
}

// events returns all stored events.
func (f *fixture) events(t *testing.T) []experiment.Event {
	t.Helper()
	events, err := f.Events(t.Context(), experiment.EventQuery{})
	if err != nil {
		t.Fatalf("Events(): %v", err)
	}
	return events
}

// open returns the runs with an open obligation.
func (f *fixture) open(t *testing.T) []string {
	t.Helper()
	var runs []string
	f.rows(t, func(scan func(...any) error) error {
		var run string
		err := scan(&run)
		runs = append(runs, run)
		return err
	}, `SELECT run FROM obligations WHERE discharged_at = 0 ORDER BY admitted_at, run`)
	return runs
}

// attempts returns the attempts of a run in their order.
func (f *fixture) attempts(t *testing.T, run string) []experiment.Attempt {
	t.Helper()
	var list []experiment.Attempt
	f.rows(t, func(scan func(...any) error) error {
		a := experiment.Attempt{Run: run}
		var started, ended int64
		err := scan(&a.N, &a.Kind, &a.Folder, &started, &ended, &a.Outcome, &a.Error)
		a.StartedAt = time.Unix(0, started).UTC()
		if ended != 0 {
			a.EndedAt = time.Unix(0, ended).UTC()
		}
		list = append(list, a)
		return err
	}, `SELECT n, kind, folder, started_at, ended_at, outcome, error FROM attempts WHERE run = $1 ORDER BY n`, run)
	return list
}

// rows calls add for every row of a query.
func (f *fixture) rows(t *testing.T, add func(scan func(...any) error) error, query string, args ...any) {
	t.Helper()
	rows, err := f.db.QueryContext(t.Context(), query, args...)
	must(t, err)
	defer rows.Close()
	for rows.Next() {
		must(t, add(rows.Scan))
	}
	must(t, rows.Err())
}

// equal fails the test when got differs from want.
func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s differs (-want +got):\n%s", what, diff)
	}
}

// must fails the test on an error.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// ended gives a run what it needs to end well.
func ended(run experiment.Run) experiment.Run {
	run.Outcome, run.Teardown = experiment.Succeeded, experiment.TeardownClean
	run.Validity.OK = true
	run.Receipt = &experiment.Receipt{At: run.Since, Statement: "gone", QuietSweeps: 2}
	return run
}

// never is the receipt of runs that did not start.
var never = experiment.Receipt{Statement: "never started"}

// noRepeats adds no runs.
func noRepeats(experiment.Experiment, []experiment.Run) []experiment.Run { return nil }
