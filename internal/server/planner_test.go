package server_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dec.local/dec/internal/cli/planfile"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/server"
)

func TestExamplesPassTheCatalog(t *testing.T) {
	files, err := filepath.Glob("../../examples/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("examples: %v, %v", files, err)
	}
	planner := &server.Planner{Folders: &server.Folders{Tools: "../../.tools", Data: t.TempDir()}}
	for _, file := range files {
		data, err := planfile.Read(file, nil)
		if err != nil {
			t.Fatal(err)
		}
		plan, err := experiment.DecodePlan(data)
		if err == nil {
			_, err = planner.Check(t.Context(), plan)
		}
		if err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}

// past is what was run before.
type past map[string][]experiment.Run

func (p past) ListRuns(_ context.Context, q experiment.RunQuery) ([]experiment.Run, string, error) {
	return p[q.Technology], "", nil
}

// ran is a run with ten seconds of load that took so long beside it.
func ran(beside time.Duration) experiment.Run {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	return experiment.Run{StartedAt: start, EndedAt: start.Add(10*time.Second + beside), Phases: []experiment.PhaseTime{
		{Phase: experiment.PhaseLoad, At: start.Add(time.Second)}, {Phase: experiment.PhaseCollect, At: start.Add(11 * time.Second)},
	}}
}

func TestEstimateRestsOnEarlierRuns(t *testing.T) {
	plan := experiment.Plan{Repeat: 2, Variants: []experiment.Variant{{Technology: "kafka"}, {Technology: "nats"}}}
	plan.Workload.Stages = experiment.Stages{Warmup: experiment.Duration(4 * time.Second), Measure: experiment.Duration(5 * time.Second)}
	tests := map[string]struct {
		past  server.Past
		want  time.Duration // 4 runs of 10 s of load, and what is beside them
		basis string
	}{
		"nothing known":                            {nil, 40*time.Second + 4*12*time.Second, "guess"},
		"no earlier run":                           {past{}, 40*time.Second + 4*12*time.Second, "guess"},
		"the median of each technology":            {past{"kafka": {ran(50 * time.Second), ran(20 * time.Second), ran(30 * time.Second)}, "nats": {ran(2 * time.Second)}}, 40*time.Second + 64*time.Second, "3 earlier runs of kafka; 1 earlier run of nats"},
		"runs that were never loaded do not count": {past{"kafka": {{}}, "nats": {ran(2 * time.Second)}}, 40*time.Second + 28*time.Second, "want of earlier runs of kafka"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, basis, err := (&server.Planner{Past: tt.past}).Estimate(t.Context(), plan)
			if err != nil || got != tt.want || !strings.Contains(basis, tt.basis) {
				t.Errorf("Estimate = %s, %q, %v, want %s and %q", got, basis, err, tt.want, tt.basis)
			}
		})
	}
}

func TestAdmissionRefusesWhatTheDiskCannotHold(t *testing.T) {
	planner := &server.Planner{Folders: newFolders(t)}
	huge, err := planner.ParsePlan([]byte("workload: {load: {rate: 1000000}, message: {size: 1MiB}, stages: {measure: 24h}, retention_bytes: 900000GiB}\nlimits: {ttl: 48h}\nvariants: [{label: a, technology: nats, stack: jetstream}]\n"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := planner.Admit(t.Context(), huge); err == nil || !strings.Contains(err.Error(), "retention_bytes") {
		t.Errorf("Admit = %v, want a refusal that says what to lower", err)
	}
	small, err := planner.ParsePlan(plan(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := planner.Admit(t.Context(), small); err != nil {
		t.Errorf("Admit = %v for a small plan", err)
	}
}

func TestAdmissionCountsTheCopiesOfAVariant(t *testing.T) {
	planner := &server.Planner{Folders: newFolders(t)}
	refusal := func(options string) string {
		t.Helper()
		plan, err := planner.ParsePlan([]byte(`
workload: {load: {rate: 1000000}, message: {size: 1MiB}, stages: {measure: 24h}, retention_bytes: 900000GiB}
limits: {ttl: 48h}
variants: [{label: a, technology: kafka, stack: kraft, options: ` + options + `}]`))
		if err != nil {
			t.Fatal(err)
		}
		_, err = planner.Admit(t.Context(), plan)
		if err == nil {
			t.Fatalf("Admit() with %s = nil, want a refusal", options)
		}
		return err.Error()
	}
	for options, want := range map[string]string{
		"{}":                        "up to 900000.0 GiB",
		"{brokers: 3, replicas: 0}": "up to 900000.0 GiB",
		"{brokers: 3, replicas: 3}": "up to 2700000.0 GiB",
	} {
		if got := refusal(options); !strings.Contains(got, want) {
			t.Errorf("Admit() with %s = %s, want it to say %s", options, got, want)
		}
	}
}
