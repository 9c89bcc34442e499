package orchestrator_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/orchestrator"
	"dec.local/dec/internal/store"
	"dec.local/dec/internal/store/pgtest"
)

func TestMain(m *testing.M) {
	if url := os.Getenv("ORCHESTRATOR_TEST_DATABASE"); url != "" {
		if err := childMain(url); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	flag.Parse()
	for name, value := range map[string]string{
		"rapid.checks":     "25", // each is a whole life of a database
		"rapid.nofailfile": "true",
	} {
		if err := flag.Set(name, value); err != nil {
			panic(err)
		}
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		pgtest.Stop()
		os.Exit(code)
	}))
}

// unrenewableStore is a store that its engine cannot reach to renew the lease of one
// run.
type unrenewableStore struct {
	*store.Store
	silent atomic.Value // the id of the run
}

func (m *unrenewableStore) Renew(ctx context.Context, run string, lease int64, ttl time.Duration) (string, error) {
	if m.silent.Load() == run {
		return "", errors.New("no route to the database")
	}
	return m.Store.Renew(ctx, run, lease, ttl)
}

// An engine that cannot renew its lease stops its work and writes nothing; one
// that is alive takes the run over and destroys it.
func TestLostLease(t *testing.T) {
	bubble(t, func(t *testing.T, f *fixture) {
		s := &unrenewableStore{Store: f.store}
		var from []string // owners that told of an event
		var mu sync.Mutex // protects from
		tells := func(owner string, poll time.Duration) func(*orchestrator.Options) {
			return func(o *orchestrator.Options) {
				o.Owner, o.Poll = owner, poll
				o.OnEvent = func(experiment.Event) {
					mu.Lock()
					defer mu.Unlock()
					from = append(from, owner)
				}
			}
		}
		first, second := f.engineOn(s, tells("first", time.Hour)), f.engine(tells("second", time.Second))
		id := f.submit(first, single())
		var cause error
		f.on("load", func(ctx context.Context, run string, n int) error {
			if n > 1 || f.count("load") > 1 {
				return nil
			}
			s.silent.Store(run)
			err := f.block(ctx, run, n)
			cause = context.Cause(ctx)
			return err
		})
		done := make(chan error, 1)
		go func() { done <- first.Drive(t.Context(), id) }()
		if err := f.pause(t.Context(), 10*time.Second); err != nil { // the first engine is loading
			t.Fatal(err)
		}
		synctest.Wait()
		before := len(from)
		s2 := second.Drive(t.Context(), id)
		if err := errors.Join(s2, <-done); err != nil {
			t.Fatal(err)
		}
		f.settled()
		if !errors.Is(cause, experiment.ErrFenced) {
			t.Errorf("the load ended with %v, want %v", cause, experiment.ErrFenced)
		}
		run := f.runs(id)[0]
		equal(t, "the run", []any{run.Outcome, run.Reason}, []any{experiment.Succeeded, ""})
		if len(from) <= before || from[before] != "second" {
			t.Errorf("events came from %v, want the second engine to go on after %d", from, before)
		}
		equal(t, "phases", phases(run), []string{"queued", "provision", "prepare", "load", "collect", "destroy", "verify", "ended"})
	})
}

// script is a random life of a data folder: what the steps do, and what happens
// at which moment of each process.
type script struct {
	faults  map[string][]string // by step, of its first calls
	deaths  []int               // the write at which each process is killed; 0: it lives
	after   bool                // killed after the write is durable
	cancels time.Duration       // when the first process is asked to cancel; 0: never
	what    string              // what is cancelled: "experiment", "run" or "process"
}

func draw(r *rapid.T) script {
	s := script{faults: map[string][]string{}}
	for _, name := range []string{"provision", "prepare", "load", "collect", "destroy", "verify", "watch", "halt", "stop"} {
		s.faults[name] = rapid.SliceOfN(rapid.SampledFrom([]string{"", "", "error", "panic", "hang"}), 0, 5).Draw(r, name)
	}
	s.deaths = rapid.SliceOfN(rapid.IntRange(0, 40), 1, 3).Draw(r, "deaths")
	s.after = rapid.Bool().Draw(r, "after")
	s.cancels = time.Duration(rapid.IntRange(0, 60).Draw(r, "cancels")) * time.Second
	s.what = rapid.SampledFrom([]string{"experiment", "run", "process"}).Draw(r, "what")
	return s
}

// apply makes the steps do what the script says.
func (s script) apply(f *fixture) {
	for name, faults := range s.faults {
		f.on(name, func(ctx context.Context, run string, n int) error {
			fault := ""
			if call := f.count(name); call <= len(faults) {
				fault = faults[call-1]
			}
			switch {
			case fault == "error":
				return errors.New("no luck")
			case fault == "panic":
				panic("out of luck")
			case fault == "hang", name == "watch":
				return f.block(ctx, run, n)
			}
			return f.pause(ctx, took)
		})
	}
}

// cancel does what the script says while the first process works.
func (s script) cancel(f *fixture, e *orchestrator.Engine, id string, interrupt func()) {
	if s.cancels == 0 || f.pause(context.Background(), s.cancels) != nil {
		return
	}
	var err error
	switch s.what {
	case "process":
		interrupt()
	case "experiment":
		err = e.Cancel(context.Background(), id, "changed my mind")
	case "run":
		for _, run := range f.runs(id) {
			if run.Phase != experiment.PhaseEnded {
				err = e.Cancel(context.Background(), run.ID, "changed my mind")
				break
			}
		}
	}
	if err != nil && !errors.Is(err, errDead) {
		f.broken("Cancel(): %v", err)
	}
}

// Whatever fails, hangs, panics, is cancelled or killed: no run is lost, none is
// provisioned twice, what was provisioned is destroyed, and every obligation
// ends with a receipt.
func TestNothingIsEverLost(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		s := draw(r)
		bubble(t, func(t *testing.T, f *fixture) {
			s.apply(f)
			id := f.submit(f.engine(), plan(2))
			for i, death := range s.deaths {
				f.live(death, s.after, func(e *orchestrator.Engine) error {
					ctx, interrupt := context.WithCancel(t.Context())
					defer interrupt()
					// A start goes on with what was left, or destroys it.
					start := []func(context.Context) error{e.Reclaim, e.Recover}[i%2]
					if i == 0 {
						go s.cancel(f, e, id, interrupt)
					} else if err := start(ctx); err != nil {
						return err
					}
					if err := e.Drive(ctx, id); !errors.Is(err, context.Canceled) {
						return err
					}
					return nil
				})
			}
			for name := range s.faults {
				f.on(name, nil)
			}
			// Leaked runs are destroyed by the start after the next at the latest.
			f.live(0, false, func(e *orchestrator.Engine) error { return goOn(t.Context(), e) })
			for range 2 {
				f.live(0, false, func(e *orchestrator.Engine) error { return e.Recover(t.Context()) })
			}
			f.settled()
		})
		if t.Failed() {
			r.Fatalf("with %+v", s)
		}
	})
}
