package planspec_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/planspec"
	"dec.local/dec/internal/planspec/planspectest"
)

// minimal is the shortest plan; tests replace parts of it.
const minimal = planspectest.Minimal

func decode(t *testing.T, text string) experiment.Plan {
	t.Helper()
	p, err := planspec.Decode([]byte(text))
	if err != nil {
		t.Fatalf("Decode(%s) = %v, want no error", text, err)
	}
	return p
}

func TestDecodeAppliesDefaults(t *testing.T) {
	const second = experiment.Duration(1e9)
	want := experiment.Plan{
		Name: "kafka vs nats", Target: "local", Compare: experiment.DefaultMetric, Repeat: 5,
		Workload: experiment.Workload{
			Topology:  experiment.Topology{Partitions: 1, Replicas: 1, Producers: 1, ConsumerGroups: 1, ConsumersPerGroup: 1, ProducerNodes: 1, ConsumerNodes: 1},
			Load:      experiment.Load{Rate: 20000, Arrivals: experiment.ArrivalsUniform, MaxInFlight: 10000},
			Message:   experiment.Message{Size: experiment.Size{Min: 1024, Max: 1024}, Key: experiment.Key{Kind: experiment.KeyNone}},
			Stages:    experiment.Stages{Warmup: 20 * second, Measure: 30 * second, Drain: 30 * second},
			Retention: 2 << 30, Seed: 42,
		},
		Variants: []experiment.Variant{{Label: "kafka", Technology: "kafka", Stack: "kraft"}, {Label: "nats", Technology: "nats", Stack: "jetstream"}},
		Limits:   experiment.Limits{TTL: 3600 * second},
	}
	if diff := cmp.Diff(want, decode(t, minimal)); diff != "" {
		t.Errorf("Decode(minimal) is not the defaults (-want +got):\n%s", diff)
	}
}

func TestDecodeRefuses(t *testing.T) {
	for name, tt := range planspectest.All {
		t.Run(name, func(t *testing.T) {
			text := tt.Plan()
			if text == minimal {
				t.Fatalf("the test changes nothing: %q is not in the plan", tt.Old)
			}
			_, err := planspec.Decode([]byte(text))
			problems, ok := errors.AsType[*experiment.Problems](err)
			if !ok {
				t.Fatalf("Decode(%s) = %v, want problems", text, err)
			}
			for _, problem := range *problems {
				if problem.String() == tt.Want {
					return
				}
			}
			t.Errorf("Decode(%s) = %v, want %s", text, err, tt.Want)
		})
	}
}

func TestDecodeTellsAllProblemsAtOnce(t *testing.T) {
	text := `{"repeat": 0, "workload": {"load": {"rate": "fast"}, "stages": {"measure": "1ms"}}, "variants": [{"label": "a"}]}`
	_, err := planspec.Decode([]byte(text))
	problems, _ := errors.AsType[*experiment.Problems](err)
	var paths []string
	for _, problem := range *problems {
		paths = append(paths, problem.Path)
	}
	want := []string{"workload.load.rate", "workload.stages.measure", "variants[0].technology", "variants[0].stack", "repeat"}
	if diff := cmp.Diff(want, paths); diff != "" {
		t.Errorf("Decode(%s) found problems at other paths (-want +got):\n%s", text, diff)
	}
}

func TestScheduleGivesTheMeasureStage(t *testing.T) {
	text := strings.Replace(minimal, `{"rate": 20000}, "stages": {"measure": "30s"}`, `{"schedule": [{"for": "2m", "rate": 5000}, {"for": "5m", "ramp_to": 20000}]}`, 1)
	if got, want := decode(t, text).Workload.Stages.Measure.String(), "7m"; got != want {
		t.Errorf("Measure = %s, want %s", got, want)
	}
}

func TestRoundRobinSpreadsOverThePartitions(t *testing.T) {
	p := decode(t, strings.Replace(minimal, `"load":`, `"topology": {"partitions": 12}, "message": {"key": "round_robin"}, "load":`, 1))
	if got, want := p.Workload.Message.Key, (experiment.Key{Kind: experiment.KeyRoundRobin, Cardinality: 12}); got != want {
		t.Errorf("Key = %+v, want %+v", got, want)
	}
}

// TestNormalisedPlanIsItsOwnForm holds for every plan: writing and reading it
// again, strictly or not, gives the same plan and digest.
func TestNormalisedPlanIsItsOwnForm(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, err := planspec.Decode([]byte(anyPlan(t)))
		if err != nil {
			t.Fatalf("Decode(valid plan) = %v, want no error", err)
		}
		sameAgain(t, p)
	})
}

func sameAgain(t interface{ Fatalf(string, ...any) }, p experiment.Plan) {
	data, err := json.Marshal(p)
	if err != nil {
		t.Fatalf("Marshal(%+v) = %v, want no error", p, err)
	}
	strict, err := planspec.Decode(data)
	if diff := cmp.Diff(p, strict); diff != "" || err != nil {
		t.Fatalf("Decode(%s) = error %v and (-want +got):\n%s", data, err, diff)
	}
	var plain experiment.Plan
	if err := json.Unmarshal(data, &plain); err != nil {
		t.Fatalf("Unmarshal(%s) = %v, want no error", data, err)
	}
	if diff := cmp.Diff(p, plain); diff != "" {
		t.Fatalf("Unmarshal(%s) differs (-want +got):\n%s", data, diff)
	}
	if strict.Digest() != p.Digest() {
		t.Fatalf("Digest() changed for %s", data)
	}
}

// anyPlan draws the JSON of a valid plan.
func anyPlan(t *rapid.T) string {
	of := func(name string, texts ...string) string { return rapid.SampledFrom(texts).Draw(t, name) }
	load := of("load", `{"rate": 0.5}`, `{"rate": 1e6, "arrivals": "poisson"}`, `{"rate": 100, "max_in_flight": 1}`)
	measure := `"measure": ` + of("measure", `"30s"`, `"1h"`, `"1500ms"`) + `, `
	if rapid.Bool().Draw(t, "schedule") {
		load, measure = `{"schedule": [{"for": "90s", "rate": 10}, {"for": "1m", "ramp_to": 0}, {"for": "5s", "rate": 0}]}`, ""
	}
	return `{"name": ` + of("name", `"a"`, `"<b>&\u2028 \u00e9"`) + `, "repeat": ` + of("repeat", "1", "100") + `, "limits": {"ttl": "3h"},
		"workload": {"load": ` + load + `, "stages": {` + measure + `"warmup": ` + of("warmup", `"0s"`, `"1m"`) + `},
			"require": {` + of("require", ``, `"producer_ack": "all"`, `"durability": "memory", "replicas": 1`) + `},
			"topology": {"partitions": ` + of("partitions", "1", "12", "1000") + `},
			"seed": ` + of("seed", "0", "-1", "42") + `, "retention_bytes": ` + of("retention", `"2GiB"`, `5000000`, `"1.5MB"`) + `,
			"message": {"size": ` + of("size", `64`, `"1KiB"`, `{"uniform": [100, "4kB"]}`, `{"uniform": [70, 70]}`) + `,
				"key": ` + of("key", `"none"`, `"round_robin"`, `{"uniform": {"cardinality": 7}}`) + `}},
		"variants": [{"label": "a", "technology": "k", "stack": "s", "options": ` + of("options", `{}`, `{"b": 1.50, "a": [null, true, "<", {"y": 1, "x": 2}]}`, `{"n": null}`) + `}]}`
}

func TestYAMLIsReadAsTheSamePlan(t *testing.T) {
	p := decode(t, minimal)
	text, err := planspec.YAML(p)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(p, decode(t, text)); diff != "" {
		t.Errorf("Decode(%s) is another plan:\n%s", text, diff)
	}
}

func TestDecodeRefusesWhatIsNoPlan(t *testing.T) {
	for text, want := range map[string]string{
		"# nothing":                   "the plan is empty; see examples/ for a complete one",
		"[]":                          "a plan must be an object with name, workload and variants, not a list",
		"workload: [":                 "not YAML or JSON: line 2, column 1: while parsing a flow node, did not find expected node content",
		strings.Repeat("[", 300_000):  "line 1: nested 65 levels deep; at most 64 are allowed",
		strings.Repeat("- ", 300_000): "line 1: nested 65 levels deep; at most 64 are allowed",
	} {
		_, err := planspec.Decode([]byte(text))
		if problems, _ := errors.AsType[*experiment.Problems](err); problems == nil || err.Error() != want {
			t.Errorf("Decode(%.20q) = %T %v, want the problem %s", text, err, err, want)
		}
	}
}

// TestDecodeKeepsAHundredProblems: a plan can be nothing but faults.
func TestDecodeKeepsAHundredProblems(t *testing.T) {
	var text strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&text, "unknown%d: 1\n", i)
	}
	_, err := planspec.Decode([]byte(text.String()))
	problems, _ := errors.AsType[*experiment.Problems](err)
	if len(*problems) != 101 || (*problems)[100].Message != "there are more problems" {
		t.Errorf("Decode() of 1000 faults told %d, want 100 and that there are more", len(*problems))
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(minimal))
	f.Add([]byte(`{"workload": {"load": {"schedule": [{"for": "1s", "rate": 1}]}, "message": {"key": "round_robin"}}, "variants": [{"label": "a", "technology": "k", "stack": "s", "options": {"x": [1e5, {"a": "\u0000"}]}}]}`))
	f.Add([]byte(`[[[[`))
	f.Add([]byte(`{"a":1,"a":2} x`))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := planspec.Decode(data)
		if err == nil {
			sameAgain(t, p)
			return
		}
		if _, ok := errors.AsType[*experiment.Problems](err); !ok || err.Error() == "" {
			t.Fatalf("Decode(%q) = %T %v, want problems that say something", data, err, err)
		}
	})
}
