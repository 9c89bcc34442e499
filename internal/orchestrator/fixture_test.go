package orchestrator_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/orchestrator"
	"dec.local/dec/internal/store"
)

// fixture is fake infrastructure with a real database, whose clock is that of the bubble.
type fixture struct {
	*fakeInfra
	t *testing.T

	mu        sync.Mutex                              // protects the following
	events    []experiment.Event                      // as published by all engines
	processes map[*orchestrator.Engine]*killableStore // each engine has one
}

// empty is a database without any row: to copy it is quicker than to make one
// for each test.
var empty = sync.OnceValue(func() []byte {
	folder, err := os.MkdirTemp("", "orchestrator")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, "dec.db")
	s, err := store.OpenSQLite(context.Background(), path, store.Options{})
	if err != nil {
		panic(err)
	}
	if err := s.Close(); err != nil {
		panic(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		panic(err)
	}
	return data
})

// bubble runs a test in virtual time.
func bubble(t *testing.T, test func(t *testing.T, f *fixture)) {
	empty() // outside of the bubble, which must not share the database's goroutines
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "dec.db")
		if err := os.WriteFile(path, empty(), 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := store.OpenSQLite(t.Context(), path, store.Options{Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		f := &fixture{t: t, fakeInfra: newFakeInfra(s), processes: map[*orchestrator.Engine]*killableStore{}}
		defer func() {
			close(f.end)
			<-time.After(time.Minute) // virtual: writers that wait for each other come to their end
			synctest.Wait()
			if err := s.Close(); err != nil {
				t.Errorf("Close(): %v", err)
			}
		}()
		test(t, f)
		for _, wrong := range f.wrong {
			t.Errorf("broken promise: %s", wrong)
		}
	})
}

// engine returns an engine on this infrastructure in a process of its own, as every
// process of one data folder makes it.
func (f *fixture) engine(change ...func(*orchestrator.Options)) *orchestrator.Engine {
	f.t.Helper()
	p := newProcess(f.fakeInfra)
	o := orchestrator.Options{Store: f.store, Provisioner: p, Workload: p, Watcher: p, Verifier: p,
		Measuring: map[string]orchestrator.Measuring{"local": p}, Owner: "data folder", Poll: time.Minute, Logger: slog.New(slog.DiscardHandler),
		OnEvent: func(e experiment.Event) {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.events = append(f.events, e)
		}}
	for _, c := range change {
		c(&o)
	}
	m := newKillableStore(o.Store, p)
	o.Store = m
	e, err := orchestrator.New(o)
	if err != nil {
		f.t.Fatal(err)
	}
	p.engine = e
	f.mu.Lock()
	defer f.mu.Unlock()
	f.processes[e] = m
	return e
}

// engineOn returns an engine on another store than that of the fixture.
func (f *fixture) engineOn(s orchestrator.Store, change ...func(*orchestrator.Options)) *orchestrator.Engine {
	return f.engine(append(change, func(o *orchestrator.Options) { o.Store = s })...)
}

// process returns the process of an engine.
func (f *fixture) process(e *orchestrator.Engine) *killableStore {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.processes[e]
}

// goOn does what a server does: it takes over what the last one left and goes on
// with the queue, here until that is empty.
func goOn(ctx context.Context, e *orchestrator.Engine) error {
	if err := e.Reclaim(ctx); err != nil {
		return err
	}
	return e.RunUntilIdle(ctx)
}

// plan returns a plan with variants a and b.
func plan(repeat int) experiment.Plan {
	return experiment.Plan{Name: "a against b", Target: "local", Compare: experiment.DefaultMetric, Repeat: repeat,
		Variants: []experiment.Variant{{Label: "a", Technology: "kafka", Stack: "kraft"}, {Label: "b", Technology: "nats", Stack: "jetstream"}},
		Workload: experiment.Workload{Seed: 42}, Limits: experiment.Limits{TTL: experiment.Duration(time.Hour)}}
}

// single is a plan of one run.
func single() experiment.Plan {
	p := plan(1)
	p.Variants = p.Variants[:1]
	return p
}

// submit admits a plan.
func (f *fixture) submit(e *orchestrator.Engine, p experiment.Plan) string {
	f.t.Helper()
	x, _, err := e.Submit(f.t.Context(), p, experiment.Submission{By: "ann"})
	if err != nil {
		f.t.Fatalf("Submit(): %v", err)
	}
	return x.ID
}

// drive submits a plan, drives it to its end and returns its runs.
func (f *fixture) drive(e *orchestrator.Engine, p experiment.Plan) []experiment.Run {
	f.t.Helper()
	id := f.submit(e, p)
	if err := e.Drive(f.t.Context(), id); err != nil {
		f.t.Fatalf("Drive(): %v", err)
	}
	return f.runs(id)
}

// runs returns the runs of an experiment, each whole.
func (f *fixture) runs(id string) []experiment.Run {
	f.t.Helper()
	runs, err := f.store.Runs(context.Background(), id)
	for i := range runs {
		var one error
		runs[i], one = f.store.Run(context.Background(), runs[i].ID)
		err = errors.Join(err, one)
	}
	if err != nil {
		f.t.Fatal(err)
	}
	return runs
}

// settled checks what must hold once no run is active: all runs have ended,
// nothing exists, every obligation is discharged by a receipt, each run was
// destroyed if and only if it was provisioned, and its phases tell so.
func (f *fixture) settled() {
	f.t.Helper()
	ctx := context.Background()
	list, _, err := f.store.ListExperiments(ctx, experiment.ExperimentQuery{Limit: 100})
	if err != nil {
		f.t.Fatal(err)
	}
	for _, x := range list {
		if x.State != experiment.Ended {
			f.t.Errorf("experiment %s is %s, want it ended", x.ID, x.State)
		}
		for _, run := range f.runs(x.ID) {
			f.settledRun(run)
		}
	}
	f.fakeInfra.mu.Lock()
	defer f.fakeInfra.mu.Unlock()
	if len(f.alive) > 0 {
		f.t.Errorf("infrastructure of %v exists, want none", f.alive)
	}
	if f.measuring != nil {
		f.t.Error("the measuring lock is held, want it free")
	}
}

func (f *fixture) settledRun(run experiment.Run) {
	f.t.Helper()
	if run.Phase != experiment.PhaseEnded || run.Outcome == "" || run.Receipt == nil || run.EndedAt.IsZero() {
		f.t.Errorf("run %s = %+v, want it ended with outcome and receipt", run.ID, run)
	}
	f.fakeInfra.mu.Lock()
	had := f.had[run.ID]
	f.fakeInfra.mu.Unlock()
	want := experiment.TeardownNone
	if had {
		want = experiment.TeardownClean
	}
	if run.Teardown != want {
		f.t.Errorf("run %s has teardown %s, want %s", run.ID, run.Teardown, want)
	}
	if (run.Outcome == experiment.Succeeded) != (run.Result != nil) {
		f.t.Errorf("run %s %s with result %s", run.ID, run.Outcome, run.Result)
	}
	destroyed, verified := false, false
	for _, p := range run.Phases {
		destroyed = destroyed || p.Phase == experiment.PhaseDestroy
		verified = verified || p.Phase == experiment.PhaseVerify && destroyed
	}
	if had && !verified {
		f.t.Errorf("run %s was provisioned and went through %v, want destroy and then verify", run.ID, run.Phases)
	}
}

// stored returns the events of a run in the database.
func (f *fixture) stored(run string) []experiment.Event {
	f.t.Helper()
	events, err := f.store.Events(context.Background(), experiment.EventQuery{Run: run})
	if err != nil {
		f.t.Fatal(err)
	}
	return events
}

// phases returns the names of the phases that a run went through.
func phases(run experiment.Run) []string {
	var names []string
	for _, p := range run.Phases {
		names = append(names, string(p.Phase))
	}
	return names
}

// equal fails the test when got differs from want.
func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s differs (-want +got):\n%s", what, diff)
	}
}
