package planner_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/planner"
	"dec.local/dec/internal/planspec"
	"dec.local/dec/target"
	targets "dec.local/dec/target/all"
	"dec.local/dec/technology"
	technologies "dec.local/dec/technology/all"
)

// newPlanner returns a planner of this build on this machine, with the tools of this
// checkout.
func newPlanner(t *testing.T, past planner.Past) *planner.Planner {
	t.Helper()
	tools, err := filepath.Abs("../../.tools")
	if err != nil {
		t.Fatal(err)
	}
	ledger := t.TempDir()
	places := target.OpenAll(t.Context(), targets.Targets(), target.Options{
		Data: t.TempDir(), Artifacts: []string{filepath.Join(tools, "artifacts")}, Getenv: func(string) string { return ledger },
	})
	p, err := planner.New(planner.Options{
		Technologies: technologies.Technologies(), Stacks: technology.Stacks, Places: places, Past: past, Tools: tools, Setup: "make setup",
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestExamplesAreAccepted(t *testing.T) {
	files, err := filepath.Glob("../../examples/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("examples: %v, %v", files, err)
	}
	p := newPlanner(t, nil)
	for _, file := range files {
		data, err := planspec.ReadFile(file, nil)
		if err == nil {
			_, err = p.Propose(t.Context(), data)
		}
		if err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}

// past is what was run before.
type past map[string][]experiment.Run

func (p past) ListRuns(_ context.Context, q experiment.RunQuery) ([]experiment.Run, string, error) {
	if q.Outcome != experiment.Succeeded || q.Limit != 20 {
		return nil, "", fmt.Errorf("asked for %+v, want the last 20 runs that succeeded", q)
	}
	return p[q.Technology], "", nil
}

func (past) ListExperiments(context.Context, experiment.ExperimentQuery) ([]experiment.Summary, string, error) {
	return nil, "", nil
}
func (past) Runs(context.Context, string) ([]experiment.Run, error) { return nil, nil }
func (past) Run(context.Context, string) (experiment.Run, error) {
	return experiment.Run{}, experiment.ErrNotFound
}

// ran is a run with ten seconds of load that took so long beside it.
func ran(beside time.Duration) experiment.Run {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	return experiment.Run{StartedAt: start, EndedAt: start.Add(10*time.Second + beside), Phases: []experiment.PhaseTime{
		{Phase: experiment.PhaseLoad, At: start.Add(time.Second)}, {Phase: experiment.PhaseCollect, At: start.Add(11 * time.Second)},
	}}
}

func TestEstimateRestsOnEarlierRuns(t *testing.T) {
	// 4 runs of 10 s of load each.
	const plan = `
workload: {load: {rate: 10}, stages: {warmup: 4s, measure: 5s}}
repeat: 2
variants: [{label: a, technology: kafka, stack: kraft}, {label: b, technology: nats, stack: jetstream}]`
	tests := map[string]struct {
		past   planner.Past
		beside time.Duration // of all 4 runs
		basis  string
	}{
		"nothing known":                            {nil, 4 * 12 * time.Second, "guess"},
		"no earlier run":                           {past{}, 4 * 12 * time.Second, "guess"},
		"the median of each technology":            {past{"kafka": {ran(50 * time.Second), ran(20 * time.Second), ran(30 * time.Second)}, "nats": {ran(2 * time.Second)}}, 64 * time.Second, "3 earlier runs of kafka; 1 earlier run of nats"},
		"runs that were never loaded do not count": {past{"kafka": {{}}, "nats": {ran(2 * time.Second)}}, 28 * time.Second, "there are no earlier runs of kafka"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := newPlanner(t, tt.past).Propose(t.Context(), []byte(plan))
			want := (40*time.Second + tt.beside).Seconds()
			if err != nil || got.EstimateS != want || !strings.Contains(got.EstimateOf, tt.basis) {
				t.Errorf("Propose() = %g s, %q, %v, want %g s and %q", got.EstimateS, got.EstimateOf, err, want, tt.basis)
			}
		})
	}
}

// huge is a plan that no disk can hold, with these variants.
func huge(variants string) []byte {
	return []byte("workload: {load: {rate: 10000000}, message: {size: 100KiB}, stages: {measure: 24h}, retention_bytes: 900000GiB}\n" +
		"limits: {ttl: 48h}\nvariants: [" + variants + "]\n")
}

func TestWhatTheDiskCannotHoldIsRefused(t *testing.T) {
	p := newPlanner(t, nil)
	for options, want := range map[string]string{
		"{}":                        "up to 900000.0 GiB",
		"{brokers: 3, replicas: 0}": "up to 900000.0 GiB",
		"{brokers: 3, replicas: 3}": "up to 2700000.0 GiB",
	} {
		_, err := p.Propose(t.Context(), huge("{label: a, technology: kafka, stack: kraft, options: "+options+"}"))
		refusal, ok := errors.AsType[*experiment.Refusal](err)
		if !ok || !strings.Contains(refusal.Error(), want) || !strings.Contains(refusal.Error(), "retention_bytes") {
			t.Errorf("Propose() with %s = %v, want a refusal that says %s and what to lower", options, err, want)
		}
	}
}

func TestWhatIsNoPlanIsAProblemOfTheWhole(t *testing.T) {
	for name, text := range map[string]string{"nothing": "", "no mapping": "- a", "no YAML": "{"} {
		_, err := newPlanner(t, nil).Propose(t.Context(), []byte(text))
		problems, ok := errors.AsType[*experiment.Problems](err)
		if !ok || len(*problems) != 1 || (*problems)[0].Path != "" {
			t.Errorf("Propose(%s) = %v, want one problem of the whole document", name, err)
		}
	}
}
