package upkeep_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"dec.local/dec/internal/comparison"
	"dec.local/dec/internal/comparison/comparisontest"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
	"dec.local/dec/internal/upkeep"
)

// database has ended experiments; those without a verdict are to be concluded.
type database struct {
	mu       sync.Mutex // protects the following
	plan     experiment.Plan
	plans    map[string]experiment.Plan  // of the experiments that have another one
	runs     map[string][]experiment.Run // by experiment
	verdicts map[string]experiment.Verdict
	fails    map[string]error // by call
}

func newDatabase(t *testing.T) *database {
	return &database{plan: comparisontest.Plan(t), runs: map[string][]experiment.Run{}, verdicts: map[string]experiment.Verdict{}, fails: map[string]error{}}
}

// add adds an ended experiment.
func (d *database) add(id string, runs []experiment.Run) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.runs[id] = runs
}

// fail makes a call fail, or not any more.
func (d *database) fail(call string, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fails[call] = err
}

// concluded are the experiments that have a verdict.
func (d *database) concluded() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Sorted(maps.Keys(d.verdicts))
}

func (d *database) Experiment(_ context.Context, id string) (experiment.Experiment, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return experiment.Experiment{ID: id, Plan: d.planOf(id), State: experiment.Ended}, d.fails["Experiment"]
}

func (d *database) planOf(id string) experiment.Plan {
	if plan, ok := d.plans[id]; ok {
		return plan
	}
	return d.plan
}

func (d *database) ListExperiments(_ context.Context, q experiment.ExperimentQuery) (found []experiment.Summary, next string, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, id := range slices.Sorted(maps.Keys(d.runs)) {
		if plan := d.planOf(id); plan.Digest() == q.Digest && q.State == experiment.Ended {
			found = append(found, experiment.Summary{Experiment: experiment.Experiment{ID: id, Plan: plan, State: q.State}})
		}
	}
	return found, "", d.fails["ListExperiments"]
}

// Runs gives runs as lists have them: without their results.
func (d *database) Runs(_ context.Context, id string) ([]experiment.Run, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	runs := slices.Clone(d.runs[id])
	for i := range runs {
		runs[i].Result, runs[i].Receipt = nil, nil
	}
	return runs, d.fails["Runs"]
}

func (d *database) Run(_ context.Context, id string) (experiment.Run, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, runs := range d.runs {
		for _, run := range runs {
			if run.ID == id {
				return run, d.fails["Run"]
			}
		}
	}
	return experiment.Run{}, experiment.ErrNotFound
}

func (d *database) Unconcluded(context.Context) ([]string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var ids []string
	for _, id := range slices.Sorted(maps.Keys(d.runs)) {
		if _, done := d.verdicts[id]; !done {
			ids = append(ids, id)
		}
	}
	return ids, d.fails["Unconcluded"]
}

func (d *database) SetVerdict(_ context.Context, id string, v experiment.Verdict) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.fails["SetVerdict"]; err != nil {
		return err
	}
	d.verdicts[id] = v
	return nil
}

// text is what was logged.
type text struct {
	mu     sync.Mutex // protects the following
	buffer bytes.Buffer
}

func (t *text) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.buffer.Write(p)
}

func (t *text) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.buffer.String()
}

// fixture is a concluder at work, in virtual time.
type fixture struct {
	*upkeep.Concluder
	*database
	log  text
	stop func() // it returns when Run has

	mu   sync.Mutex // protects the following
	ends map[string]experiment.Verdict
}

// told are the verdicts that were passed on.
func (f *fixture) told() map[string]experiment.Verdict {
	f.mu.Lock()
	defer f.mu.Unlock()
	return maps.Clone(f.ends)
}

func start(t *testing.T, d *database) *fixture {
	t.Helper()
	f := &fixture{database: d, ends: map[string]experiment.Verdict{}}
	f.Concluder = upkeep.NewConcluder(upkeep.ConcluderOptions{
		Store: d, Logger: slog.New(slog.NewTextHandler(&f.log, nil)),
		Compare: comparison.Options{SharedMachine: func(string) bool { return true }},
		OnEnd: func(e experiment.Experiment, v experiment.Verdict) {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.ends[e.ID] = v
		},
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { f.Run(ctx); close(ended) }()
	f.stop = func() { cancel(); <-ended }
	return f
}

// Run is that of the concluder, which the database has, too.
func (f *fixture) Run(ctx context.Context) { f.Concluder.Run(ctx) }

func TestEndedExperimentsGetTheirVerdict(t *testing.T) {
	runs := comparisontest.Runs(t, comparisontest.Plan(t))
	synctest.Test(t, func(t *testing.T) {
		d := newDatabase(t)
		d.add("e1", runs)
		f := start(t, d)
		defer f.stop()
		synctest.Wait()
		d.mu.Lock()
		got := d.verdicts["e1"]
		d.mu.Unlock()
		if !got.Decided || !strings.Contains(got.Sentences[0], "kafka") || !strings.Contains(strings.Join(got.Caveats, " "), "one machine") {
			t.Errorf("verdict = %+v, want kafka and nats told apart, and a word on the one machine", got)
		}
		if diff := cmp.Diff(map[string]experiment.Verdict{"e1": got}, f.told()); diff != "" {
			t.Errorf("told (-want +got):\n%s", diff)
		}
		if text := f.log.String(); !strings.Contains(text, "experiment=e1") || !strings.Contains(text, got.Sentences[0]) {
			t.Errorf("log = %q, want the verdict", text)
		}
	})
}

// TestACalibrationIsHeldAgainstLaterVerdicts has kafka differ from itself, by more than
// from nats.
func TestACalibrationIsHeldAgainstLaterVerdicts(t *testing.T) {
	plan := comparisontest.Plan(t)
	calibration := func(change func(*measure.Merged)) []experiment.Run {
		var runs []experiment.Run
		for i := range plan.Repeat {
			for k, label := range []string{"kafka", "kafka-again"} {
				shape := comparisontest.Shape{Median: []time.Duration{2 * time.Millisecond, 60 * time.Millisecond}[k], Spread: 0.3, Samples: 3000, Rate: 100}
				r := shape.Result(t, uint64(9000+10*(2*i+k)), `{}`)
				change(&r)
				runs = append(runs, comparisontest.Finished(t, 100+2*i+k, label, r))
			}
		}
		return runs
	}
	tests := map[string]struct {
		runs []experiment.Run
		said bool
	}{
		"none":               {nil, false},
		"one":                {calibration(func(*measure.Merged) {}), true},
		"on another machine": {calibration(func(r *measure.Merged) { r.Agents = []measure.AgentFacts{{CPUModel: "Another CPU"}} }), false},
		"not decided":        {calibration(func(*measure.Merged) {})[:6], false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			runs := comparisontest.Runs(t, plan)
			synctest.Test(t, func(t *testing.T) {
				d := newDatabase(t)
				d.plans = map[string]experiment.Plan{"c1": plan.Calibration()}
				d.add("c1", tt.runs)
				d.add("e1", runs)
				f := start(t, d)
				defer f.stop()
				synctest.Wait()
				said := f.told()["e1"].Caveats
				if got := strings.Contains(strings.Join(said, " "), "smaller than what a calibration cannot exclude between kafka and itself"); got != tt.said {
					t.Errorf("caveats = %q, want one of the calibration: %t", said, tt.said)
				}
				if own := strings.Join(f.told()["c1"].Caveats, " "); strings.Contains(own, "calibration") {
					t.Errorf("caveats of the calibration = %q, want none of itself", own)
				}
			})
		})
	}
}

func TestAnExperimentWithoutResultsIsNotDecided(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDatabase(t)
		d.add("e1", []experiment.Run{{ID: "r1", Variant: "kafka", Phase: experiment.PhaseEnded, Outcome: experiment.Cancelled}})
		f := start(t, d)
		defer f.stop()
		synctest.Wait()
		if got := f.told()["e1"]; got.Decided || len(got.Sentences) == 0 {
			t.Errorf("verdict = %+v, want one that decides nothing, in words", got)
		}
	})
}

// TestADamagedResultIsToldOnce tries for an hour.
func TestADamagedResultIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDatabase(t)
		d.add("e1", []experiment.Run{{ID: "r1", Variant: "kafka", Phase: experiment.PhaseEnded, Outcome: experiment.Cancelled}})
		d.fail("Run", errors.New("the result is damaged"))
		f := start(t, d)
		defer f.stop()
		time.Sleep(time.Hour)
		if n := strings.Count(f.log.String(), "the result is damaged"); n != 1 {
			t.Errorf("it was told %d times in an hour, want once", n)
		}
		d.fail("Run", nil)
		time.Sleep(2 * time.Minute)
		if got := d.concluded(); !slices.Equal(got, []string{"e1"}) {
			t.Errorf("concluded %q, want it once the result can be read", got)
		}
	})
}

func TestConcluderWorksWhenWokenAndEveryMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDatabase(t)
		f := start(t, d)
		began := time.Now()
		expect := func(after time.Duration, want ...string) {
			t.Helper()
			synctest.Wait()
			if got := d.concluded(); !slices.Equal(got, want) || time.Since(began) != after {
				t.Errorf("after %s: %q, want %q after %s", time.Since(began), got, want, after)
			}
		}
		expect(0)
		d.add("e1", nil)
		f.Wake()
		f.Wake() // which does not block
		expect(0, "e1")
		d.add("e2", nil)
		time.Sleep(59 * time.Second)
		expect(59*time.Second, "e1")
		time.Sleep(time.Second)
		expect(time.Minute, "e1", "e2")
		f.stop()
		d.add("e3", nil)
		f.Wake()
		time.Sleep(time.Hour)
		expect(61*time.Minute, "e1", "e2")
	})
}

// TestWhatFailsIsTriedAgain lets each call fail for an hour.
func TestWhatFailsIsTriedAgain(t *testing.T) {
	for _, call := range []string{"Unconcluded", "Experiment", "Runs", "Run", "ListExperiments", "SetVerdict"} {
		t.Run(call, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDatabase(t)
				d.add("e1", []experiment.Run{{ID: "r1", Variant: "kafka", Phase: experiment.PhaseEnded, Outcome: experiment.Cancelled}})
				d.fail(call, errors.New("the database is away"))
				f := start(t, d)
				time.Sleep(time.Hour)
				synctest.Wait()
				if len(d.concluded()) > 0 || len(f.told()) > 0 || !strings.Contains(f.log.String(), "trying again") || !strings.Contains(f.log.String(), "the database is away") {
					t.Errorf("concluded %q and told %v, log:\n%s\nwant none, and why", d.concluded(), f.told(), f.log.String())
				}
				d.fail(call, nil)
				time.Sleep(time.Minute)
				synctest.Wait()
				if len(d.concluded()) != 1 || len(f.told()) != 1 {
					t.Errorf("concluded %q and told %v, want the experiment", d.concluded(), f.told())
				}
				f.stop()
			})
		})
	}
}

func TestOneExperimentDoesNotHoldUpAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDatabase(t)
		d.add("e1", []experiment.Run{{ID: "r1", Variant: "kafka", Phase: experiment.PhaseEnded, Outcome: experiment.Succeeded, Result: json.RawMessage(`"damaged"`)}})
		d.add("e2", nil)
		f := start(t, d)
		defer f.stop()
		synctest.Wait()
		if got := d.concluded(); !slices.Equal(got, []string{"e2"}) || !strings.Contains(f.log.String(), "experiment=e1") {
			t.Errorf("concluded %q, want e2; log:\n%s", got, f.log.String())
		}
	})
}

func TestAnEndIsNoFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDatabase(t)
		d.add("e1", nil)
		f := start(t, d)
		f.stop()
		before := f.log.String()
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		d.add("e2", nil)
		for _, call := range []string{"Unconcluded", "Experiment"} {
			d.fail(call, context.Canceled)
			f.Run(ended)
			d.fail(call, nil)
		}
		if f.log.String() != before {
			t.Errorf("log = %q, want no warning", f.log.String())
		}
	})
}
