package httpapi_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/guard"
	"dec.local/dec/internal/httpapi"
	"dec.local/dec/internal/measure"
	"dec.local/dec/internal/orchestrator"
	"dec.local/dec/internal/planspec"
	"dec.local/dec/internal/store"
	"dec.local/dec/internal/stream"
	"dec.local/dec/internal/yamltext"
)

const token = "a-token-for-tests"

// fixture is a server over a real database, whose runs the tests drive themselves.
type fixture struct {
	*testing.T
	store    *store.Store
	guard    *guard.Guard
	hub      *stream.Hub
	plans    *planner
	evidence *evidence
	server   *httptest.Server
	taken    httpapi.Options // with which the server was made
	exited   chan struct{}   // gets a value when the process should exit
	token    string          // sent with every call; none if empty
}

// newFixture starts a server; change may change its options.
func newFixture(t *testing.T, change ...func(*httpapi.Options)) *fixture {
	t.Helper()
	w := &fixture{T: t, plans: &planner{}, evidence: &evidence{kept: map[string]measure.Merged{}}, exited: make(chan struct{}, 1), token: token}
	var err error
	if w.store, err = store.Open(t.Context(), filepath.Join(t.TempDir(), "dec.db"), store.Options{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.store.Close() })
	quiet := slog.New(slog.DiscardHandler)
	if w.guard, err = guard.New(guard.Options{
		TokenHashes: func() [][sha256.Size]byte { return [][sha256.Size]byte{guard.Hash(token)} },
		Sessions:    w.store.Sessions(), Open: httpapi.Open, Logger: quiet, MaxBody: yamltext.MaxBytes,
	}); err != nil {
		t.Fatal(err)
	}
	w.hub = stream.New(stream.Options{Source: w.store, Version: "test", Logger: quiet, Poll: 20 * time.Millisecond})
	engine, err := orchestrator.New(orchestrator.Options{
		Store: w.store, Provisioner: idle{}, Workload: idle{}, Watcher: idle{}, Verifier: idle{}, Logger: quiet,
		OnEvent: func(experiment.Event) { w.hub.Wake() },
	})
	if err != nil {
		t.Fatal(err)
	}
	o := httpapi.Options{
		Store: w.store, Engine: engine, Planner: w.plans, Evidence: w.evidence, Inventory: w.evidence, Guard: w.guard, Hub: w.hub,
		Exit: func() { w.exited <- struct{}{} }, Version: "test", Install: "i-test", Logger: quiet,
	}
	for _, f := range change {
		f(&o)
	}
	w.taken = o
	handler, err := httpapi.New(o)
	if err != nil {
		t.Fatal(err)
	}
	w.serve(handler)
	return w
}

// serve starts the hub and the server, and ends them with the test.
func (w *fixture) serve(handler http.Handler) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = w.hub.Run(ctx) // the cause of its end is the cancel below
	}()
	w.server = httptest.NewServer(w.guard.Wrap(handler))
	w.Cleanup(func() {
		cancel()
		<-ended
		w.server.Close()
	})
}

// idle does the work of no run: the tests write the life of runs themselves.
type idle struct{}

var errIdle = errors.New("the tests drive the runs")

func (idle) Provision(context.Context, orchestrator.Assignment, func(experiment.Resource)) (json.RawMessage, error) {
	return nil, errIdle
}
func (idle) Destroy(context.Context, experiment.Run, func(experiment.Resource)) error { return errIdle }
func (idle) Halt(context.Context, experiment.Run) error                               { return errIdle }
func (idle) Prepare(context.Context, orchestrator.Assignment, json.RawMessage) error {
	return errIdle
}
func (idle) Load(context.Context, orchestrator.Assignment) error { return errIdle }
func (idle) Collect(context.Context, orchestrator.Assignment) (json.RawMessage, experiment.Validity, error) {
	return nil, experiment.Validity{}, errIdle
}
func (idle) Stop(context.Context, orchestrator.Assignment, string) error { return errIdle }
func (idle) Watch(context.Context, orchestrator.Assignment) error        { return errIdle }
func (idle) Verify(context.Context, experiment.Run) (experiment.Receipt, error) {
	return experiment.Receipt{}, errIdle
}

// planner takes the plans of two technologies.
type planner struct {
	refuse   string
	emulator string // stands for nats
}

func (p *planner) Catalog(context.Context) (api.Catalog, error) {
	schema := json.RawMessage(`{"type": "object"}`)
	return api.Catalog{
		PlanSchema: planspec.Schema(),
		Vocabulary: api.NewVocabulary(),
		Targets:    []api.Target{{Name: "local", Title: "This machine", Available: true, Slots: 1}},
		Technologies: []api.Technology{{Name: "kafka", Title: "Apache Kafka", ClientConfigSchema: schema, Stacks: []api.Stack{
			{Name: "kraft", Title: "KRaft", Targets: []string{"local"}, Schema: schema, Why: "no broker", Fix: "make setup"},
		}}},
	}, nil
}

func (p *planner) Propose(_ context.Context, text []byte) (api.DryRun, error) {
	plan, err := planspec.Decode(text)
	if err != nil {
		return api.DryRun{}, err
	}
	asYAML, err := planspec.YAML(plan)
	if err != nil {
		return api.DryRun{}, err
	}
	var problems experiment.Problems
	for i, v := range plan.Variants {
		if v.Technology != "kafka" && v.Technology != "nats" {
			problems.Add(fmt.Sprintf("variants[%d].technology", i), "no technology %q", v.Technology)
		}
	}
	if err := problems.Err(); err != nil {
		return api.DryRun{}, err
	}
	if p.refuse != "" {
		return api.DryRun{}, &experiment.Refusal{Reasons: []string{p.refuse}}
	}
	plan = plan.WithEmulators(func(v experiment.Variant) string { return map[string]string{"nats": p.emulator}[v.Technology] })
	return api.DryRun{
		Plan: plan, YAML: asYAML, Digest: plan.Digest(), Order: experiment.Order(plan), EstimateS: 60 * float64(plan.Repeat*len(plan.Variants)),
		EstimateOf: "a guess", Warnings: append(plan.Warnings(), "the machine is busy"),
	}, nil
}

func (p *planner) Estimate(_ context.Context, plan experiment.Plan) (time.Duration, string, error) {
	return time.Duration(plan.Repeat*len(plan.Variants)) * time.Minute, "a guess", nil
}

// evidence has what the tests put into it.
type evidence struct {
	seconds   []measure.Second
	measured  map[measure.Distribution]string
	kept      map[string]measure.Merged // by run: what lies beside its result
	start     time.Time
	log       api.Log
	asked     experiment.LogQuery
	forgotten []string
	inventory []api.TargetInventory
	err       fault
	broken    fault // of an archive, once it was begun
}

// fault is an error that a test sets between calls. No answer orders that after the
// call before: one that breaks off arrives while its handler still ends.
type fault struct {
	mu  sync.Mutex
	err error
}

func (f *fault) set(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = err
}

func (f *fault) get() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}

func (f *evidence) Seconds(_ context.Context, _ string, after int) ([]measure.Second, error) {
	var newer []measure.Second
	for _, s := range f.seconds {
		if s.Second > after {
			newer = append(newer, s)
		}
	}
	return newer, f.err.get()
}
func (f *evidence) Histograms(context.Context, string) (map[measure.Distribution]string, error) {
	return f.measured, f.err.get()
}
func (f *evidence) KeptTimeline(_ context.Context, r experiment.Run) ([]measure.Second, error) {
	return slices.Clone(f.kept[r.ID].Timeline), f.err.get()
}
func (f *evidence) KeptHistograms(_ context.Context, r experiment.Run) (map[measure.Distribution]string, error) {
	return f.kept[r.ID].Histograms, f.err.get()
}
func (f *evidence) Pack(_ context.Context, run string) (string, func(context.Context, io.Writer) error, error) {
	write := func(_ context.Context, w io.Writer) error {
		if _, err := io.WriteString(w, "packed "+run); err != nil {
			return err
		}
		return f.broken.get()
	}
	return "kafka-1-" + run, write, f.err.get()
}
func (f *evidence) LoadStart(context.Context, string) (time.Time, error) { return f.start, f.err.get() }
func (f *evidence) Log(_ context.Context, q experiment.LogQuery) (api.Log, error) {
	f.asked = q
	return f.log, f.err.get()
}
func (f *evidence) Forget(_ context.Context, run string) error {
	f.forgotten = append(f.forgotten, run)
	return f.err.get()
}
func (f *evidence) Inventory(context.Context) ([]api.TargetInventory, error) {
	return f.inventory, f.err.get()
}
