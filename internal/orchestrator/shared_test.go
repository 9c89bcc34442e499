package orchestrator_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"testing"
	"time"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/orchestrator"
	"dec.local/dec/internal/store"
)

// sharedInfra is fake infrastructure in real time that several engines share: every
// step is done at once, but for the load.
type sharedInfra struct {
	load func(ctx context.Context, run string) error

	mu          sync.Mutex // protects the following
	provisioned map[string]int
	alive       map[string]bool
	most        int // that were alive at once
}

func newSharedInfra(load func(ctx context.Context, run string) error) *sharedInfra {
	return &sharedInfra{load: load, provisioned: map[string]int{}, alive: map[string]bool{}}
}

func (i *sharedInfra) Provision(_ context.Context, a orchestrator.Assignment, report func(experiment.Resource)) (json.RawMessage, error) {
	i.mu.Lock()
	i.provisioned[a.Run.ID]++
	i.alive[a.Run.ID] = true
	i.most = max(i.most, len(i.alive))
	i.mu.Unlock()
	report(experiment.Resource{Address: "broker", Action: "create", State: "complete"})
	return json.RawMessage(`{}`), nil
}

func (i *sharedInfra) Destroy(_ context.Context, run experiment.Run, _ func(experiment.Resource)) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	delete(i.alive, run.ID)
	return nil
}

func (i *sharedInfra) Halt(context.Context, experiment.Run) error { return nil }

func (i *sharedInfra) Prepare(context.Context, orchestrator.Assignment, json.RawMessage) error {
	return nil
}

func (i *sharedInfra) Load(ctx context.Context, a orchestrator.Assignment) error {
	return i.load(ctx, a.Run.ID)
}

func (i *sharedInfra) Collect(context.Context, orchestrator.Assignment) (json.RawMessage, experiment.Validity, error) {
	return json.RawMessage(`{"n":1}`), experiment.Validity{OK: true}, nil
}

func (i *sharedInfra) Stop(context.Context, orchestrator.Assignment, string) error { return nil }

func (i *sharedInfra) Watch(ctx context.Context, _ orchestrator.Assignment) error {
	<-ctx.Done()
	return ctx.Err()
}

func (i *sharedInfra) Verify(context.Context, experiment.Run) (experiment.Receipt, error) {
	return experiment.Receipt{Statement: "gone", Objects: []experiment.ReceiptObject{{Kind: "process"}}}, nil
}

// checkOnce requires that each of n runs was provisioned once, and that nothing
// of them is left.
func (i *sharedInfra) checkOnce(t *testing.T, n int) {
	t.Helper()
	i.mu.Lock()
	defer i.mu.Unlock()
	for run, times := range i.provisioned {
		if times != 1 {
			t.Errorf("run %s was provisioned %d times, want once", run, times)
		}
	}
	if len(i.provisioned) != n || len(i.alive) != 0 {
		t.Errorf("%d runs were provisioned and %d are alive, want %d and none", len(i.provisioned), len(i.alive), n)
	}
}

// server is an engine on a store of its own, as one server of several.
type server struct {
	*orchestrator.Engine
	store *store.Store
	ended chan experiment.Event // outcomes that this server recorded
}

// lease of the servers in the tests of taking over.
const lease = 2 * time.Second

// serve opens the database and returns an engine on it; close ends both.
func serve(ctx context.Context, url, owner string, i *sharedInfra, change ...func(*orchestrator.Options)) (*server, error) {
	s, err := store.Open(ctx, url, store.Options{})
	if err != nil {
		return nil, err
	}
	ended := make(chan experiment.Event, 1000)
	o := orchestrator.Options{Store: s, Provisioner: i, Workload: i, Watcher: i, Verifier: i, Owner: owner,
		Host: experiment.Host{ID: "machine", Home: owner}, Poll: 20 * time.Millisecond, Logger: slog.New(slog.DiscardHandler),
		OnEvent: func(e experiment.Event) {
			if e.Kind == experiment.EventOutcome {
				ended <- e
			}
		}}
	for _, c := range change {
		c(&o)
	}
	e, err := orchestrator.New(o)
	return &server{Engine: e, store: s, ended: ended}, err
}

// run runs the engine until the test, or the returned function, ends it.
func (s *server) run(t *testing.T) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != context.Canceled {
			t.Errorf("Run() = %v, want %v", err, context.Canceled)
		}
		if err := s.store.Close(); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return stop
}

// submitFar submits a plan of n runs on a target with some slots.
func (s *server) submitFar(t *testing.T, n, slots int) []experiment.Run {
	t.Helper()
	p := single()
	p.Target, p.Repeat = "far", n
	x, _, err := s.Submit(t.Context(), p, experiment.Submission{By: "ann"})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.store.SetSlots(t.Context(), "far", slots); err != nil {
		t.Fatal(err)
	}
	runs, err := s.store.Runs(t.Context(), x.ID)
	if err != nil {
		t.Fatal(err)
	}
	return runs
}
