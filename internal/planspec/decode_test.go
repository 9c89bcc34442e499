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
)

// minimal is the shortest plan; tests replace parts of it.
const minimal = `{
	"workload": {"load": {"rate": 20000}, "stages": {"measure": "30s"}},
	"variants": [
		{"label": "kafka", "technology": "kafka", "stack": "kraft"},
		{"label": "nats", "technology": "nats", "stack": "jetstream"}
	]
}`

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
	const load, topology, variants = `{"rate": 20000}`, `"load":`, `"variants": [`
	tests := map[string]struct{ old, new, want string }{
		"a misspelt field, with the nearest name": {topology, `"topology": {"partitons": 12}, "load":`, `workload.topology.partitons: unknown field; did you mean "partitions"?`},
		"another style of a name":                 {load, `{"rate": 1, "maxInFlight": 5}`, `workload.load.maxInFlight: unknown field; did you mean "max_in_flight"?`},
		"a field in the wrong place":              {`"workload"`, `"max_in_flight": 3, "workload"`, `max_in_flight: unknown field; did you mean workload.load.max_in_flight?`},
		"a field that nothing resembles":          {`"workload"`, `"zzz": 3, "workload"`, `zzz: unknown field`},
		"text for a number, with an example":      {topology, `"topology": {"partitions": "many"}, "load":`, `workload.topology.partitions: must be a whole number, such as 12, not text "many"`},
		"a fraction for a whole number":           {topology, `"topology": {"partitions": 1.5}, "load":`, `workload.topology.partitions: must be a whole number, such as 12, not 1.5`},
		"an explicit zero instead of a default":   {topology, `"topology": {"partitions": 0}, "load":`, `workload.topology.partitions: is 0; it must be between 1 and 1000`},
		"null":                                    {load, `null`, `workload.load: is empty (null): remove the field, or set it to an object`},
		"a duration without unit":                 {`"30s"`, `30`, `workload.stages.measure: must be a duration with a unit, such as "2m", not 30`},
		"a duration that is none":                 {`"30s"`, `"soon"`, `workload.stages.measure: "soon" is not a duration: use a number with ms, s, m or h, such as "90s"`},
		"no measure beside a constant rate":       {`{"measure": "30s"}`, `{}`, `workload.stages.measure: is required with a constant rate: set it to a duration with a unit, such as "2m"`},
		"a rate of zero":                          {load, `{"rate": 0}`, `workload.load.rate: is 0; it must be between 0.01 and 10000000`},
		"neither rate nor schedule":               {load, `{}`, `workload.load: needs a rate or a schedule, such as {"rate": 20000}`},
		"rate and schedule":                       {load, `{"rate": 1, "schedule": [{"for": "30s", "rate": 5}]}`, `workload.load: has both a rate and a schedule: keep one of them`},
		"an empty schedule":                       {load, `{"schedule": []}`, `workload.load.schedule: has 0 items; it must have 1 to 1000`},
		"a ramp from nowhere":                     {load, `{"schedule": [{"for": "30s", "ramp_to": 5}]}`, `workload.load.schedule[0]: must have a rate above zero, for the warmup stage and as the start of a ramp, such as {"for": "10s", "rate": 1000}`},
		"a segment with rate and ramp":            {load, `{"schedule": [{"for": "30s", "rate": 1, "ramp_to": 5}]}`, `workload.load.schedule[0]: must have either rate or ramp_to`},
		"a measure that is not the schedule's":    {load, `{"schedule": [{"for": "20s", "rate": 5}]}`, `workload.stages.measure: is 30s, but the schedule takes 20s: remove it`},
		"a message smaller than the header":       {topology, `"message": {"size": "63B"}, "load":`, `workload.message.size: is 63B; it must be between 64B and 1MiB`},
		"a size range that is backwards":          {topology, `"message": {"size": {"uniform": [200, 100]}}, "load":`, `workload.message.size.uniform: the range is reversed; put the smaller size first`},
		"a key that is unknown":                   {topology, `"message": {"key": "random"}, "load":`, `workload.message.key: must be "none", "round_robin" or {"uniform": {"cardinality": 10000}}, not text "random"`},
		"idle consumers":                          {topology, `"topology": {"consumers_per_group": 4}, "load":`, `workload.topology.consumers_per_group: is 4, but workload.topology.partitions is 1: the other consumers would be idle; use at most 1, or more partitions`},
		"agents without producers":                {topology, `"topology": {"producer_nodes": 2}, "load":`, `workload.topology.producer_nodes: is 2, but workload.topology.producers is 1: use at most 1`},
		"agents without consumers":                {topology, `"topology": {"consumer_nodes": 2}, "load":`, `workload.topology.consumer_nodes: is 2, but the consumer groups have 1 consumers in all: use at most 1`},
		"more required replicas than asked for":   {topology, `"require": {"replicas": 3}, "load":`, `workload.require.replicas: is 3, but workload.topology.replicas is 1: raise that to at least 3`},
		"an unknown metric":                       {`"workload"`, `"compare": "e2e_p98", "workload"`, `compare: "e2e_p98" is unknown; did you mean "e2e_p90"?`},
		"an unknown acknowledgement":              {topology, `"require": {"producer_ack": "some"}, "load":`, `workload.require.producer_ack: must be "none", "leader" or "all", not "some"`},
		"a life shorter than the load":            {`"workload"`, `"limits": {"ttl": "1m"}, "workload"`, `limits.ttl: is 1m, but the stages alone take 1m20s: raise it, and leave time to provision`},
		"a label that is no slug":                 {`"label": "nats"`, `"label": "NATS 1"`, `variants[1].label: "NATS 1" is not a valid name: use up to 40 lower-case letters, digits and inner hyphens, starting with a letter, such as "kafka"`},
		"a label that is taken":                   {`"label": "nats"`, `"label": "kafka"`, `variants[1].label: "kafka" is already the label of variants[0]: choose another one`},
		"no variant":                              {variants, `"variants": [], "x": [`, `variants: has 0 items; it must have 1 to 16`},
		"a missing label":                         {`"label": "nats", `, ``, `variants[1].label: is required: set it to text, such as "kafka"`},
		"a control character in the name":         {`"workload"`, `"name": "a\u001b[2J", "workload"`, `name: contains a control character; it must be one line of text`},
		"a field that is given twice":             {`"workload"`, `"repeat": 5, "repeat": 6, "workload"`, `repeat: is given twice: keep one of them`},
		"an option that is given twice":           {`"stack": "kraft"`, `"stack": "kraft", "options": {"a": {"b": 1, "b": 2}}`, `variants[0].options.a.b: is given twice: keep one of them`},
		"more digits than a number holds":         {load, `{"rate": 1e999}`, `workload.load.rate: must be a number, such as 20000, not 1e999`},
		"search, by name":                         {load, `{"rate": 1, "search": {}}`, `workload.load.search: is not supported by this version: use a rate, or a schedule with a ramp`},
		"burst arrivals, by name":                 {load, `{"rate": 1, "arrivals": {"burst": {"on": "5s"}}}`, `workload.load.arrivals.burst: is not supported by this version: use a schedule`},
		"zipf keys, by name":                      {topology, `"message": {"key": {"zipf": {}}}, "load":`, `workload.message.key.zipf: is not supported by this version: use {"uniform": {"cardinality": 10000}}`},
		"lognormal sizes, by name":                {topology, `"message": {"size": {"lognormal": {}}}, "load":`, `workload.message.size.lognormal: is not supported by this version: use {"uniform": [100, 4000]}`},
		"a backlog, by name":                      {topology, `"backlog": {"build": "60s"}, "load":`, `workload.backlog: is not supported by this version: remove it`},
		"a cap on cost, by name":                  {`"workload"`, `"limits": {"max_cost": "5 USD"}, "workload"`, `limits.max_cost: is not supported by this version: limit the time with limits.max_wall`},
		"a seed that browsers would round":        {topology, `"seed": 9007199254740993, "load":`, `workload.seed: is 9007199254740992; it must be between -9007199254740991 and 9007199254740991`},
		"a list where an object belongs":          {load, `[1]`, `workload.load: must be an object, not a list`},
		"more nesting than anyone means":          {`"stack": "kraft"`, `"stack": "kraft", "options": {"a": ` + strings.Repeat("[", 61) + strings.Repeat("]", 61) + `}`, `line 4: nested 65 levels deep; at most 64 are allowed`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(minimal, tt.old, tt.new, 1)
			if text == minimal {
				t.Fatalf("the test changes nothing: %q is not in the plan", tt.old)
			}
			_, err := planspec.Decode([]byte(text))
			problems, ok := errors.AsType[*experiment.Problems](err)
			if !ok {
				t.Fatalf("Decode(%s) = %v, want problems", text, err)
			}
			for _, problem := range *problems {
				if problem.String() == tt.want {
					return
				}
			}
			t.Errorf("Decode(%s) = %v, want %s", text, err, tt.want)
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
