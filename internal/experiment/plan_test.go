package experiment_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/planspec"
)

// minimal is the shortest plan.
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

func TestOrderInterleavesAllVariants(t *testing.T) {
	p := decode(t, minimal)
	p.Repeat = 20
	p.Variants = append(p.Variants, experiment.Variant{Label: "redis"})
	order := experiment.Order(p)
	if len(order) != 60 {
		t.Fatalf("len(Order(p)) = %d, want 60", len(order))
	}
	rounds := map[string]bool{}
	for round := range slices.Chunk(order, 3) {
		rounds[strings.Join(round, " ")] = true
		if got, want := slices.Sorted(slices.Values(round)), []string{"kafka", "nats", "redis"}; !slices.Equal(got, want) {
			t.Errorf("a round of Order(p) = %v, want each variant once", round)
		}
	}
	if len(rounds) < 4 {
		t.Errorf("Order(p) has %d different rounds of 20, want shuffled ones", len(rounds))
	}
	if again := experiment.Order(p); !slices.Equal(order, again) {
		t.Errorf("Order(p) = %v and then %v, want the same", order, again)
	}
	p.Workload.Seed++
	if other := experiment.Order(p); slices.Equal(order, other) {
		t.Error("Order(p) is the same for another seed")
	}
}

func TestDigestIgnoresWhatIsNoQuestion(t *testing.T) {
	p := decode(t, minimal)
	named := p
	named.Name = "another"
	if p.Digest() != named.Digest() {
		t.Error("Digest() depends on the name")
	}
	admitted := p.WithEmulators(func(experiment.Variant) string { return "kinesalite" })
	if p.Digest() != admitted.Digest() || admitted.Variants[0].Emulator == "" {
		t.Error("Digest() depends on what admission adds")
	}
	spaced := decode(t, strings.ReplaceAll(minimal, `"30s"`, `"0.5m"`))
	if p.Digest() != spaced.Digest() {
		t.Error("Digest() depends on how the plan is written")
	}
	p.Repeat++
	if p.Digest() == named.Digest() {
		t.Error("Digest() is the same for another number of runs")
	}
}

func TestRunNames(t *testing.T) {
	p := experiment.Plan{Variants: []experiment.Variant{{Label: "kafka"}, {Label: "kinesis", Emulator: "kinesalite"}}}
	runs := []experiment.Run{
		{ID: "r3", Variant: "kinesis", Order: 3}, {ID: "r1", Variant: "kinesis", Order: 1}, {ID: "r2", Variant: "kafka", Order: 2}, {ID: "r4", Variant: "gone", Order: 4},
	}
	want := map[string]string{"r1": "kinesis (emulator) #1", "r2": "kafka #1", "r3": "kinesis (emulator) #2", "r4": "gone #1"}
	if diff := cmp.Diff(want, p.RunNames(runs)); diff != "" {
		t.Errorf("RunNames() (-want +got):\n%s", diff)
	}
}

func TestNewIDIsRandomAndWellFormed(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		id := experiment.NewID("r")
		if len(id) != 10 || id[0] != 'r' || strings.Trim(id, "abcdefghijklmnopqrstuvwxyz0123456789") != "" || seen[id] {
			t.Fatalf("NewID(r) = %q, want r and nine new characters of [a-z0-9]", id)
		}
		seen[id] = true
	}
}

func TestDecisiveIsTheSmallestNumberThatCanDecide(t *testing.T) {
	for variants, want := range map[int]int{1: 5, 2: 5, 3: 5, 4: 5, 5: 6, 7: 6, 8: 7, 16: 8} {
		if got := experiment.Decisive(variants); got != want {
			t.Errorf("Decisive(%d) = %d, want %d", variants, got, want)
		}
	}
}

func TestWarnings(t *testing.T) {
	tests := map[string]struct {
		change func(*experiment.Plan)
		want   string
	}{
		"too few runs to decide":        {func(p *experiment.Plan) { p.Repeat = 3 }, "3 runs per variant are too few for a verdict: 2 variants need at least 5 runs each (repeat: 5)."},
		"nothing to compare with":       {func(p *experiment.Plan) { p.Variants = p.Variants[:1] }, "There is only one variant: it is measured but not compared."},
		"a life with no room to set up": {func(p *experiment.Plan) { p.Limits.TTL = experiment.Duration(2 * time.Minute) }, "limits.ttl leaves 40s for provisioning and collecting in addition to the stages: a run that needs longer is destroyed before it has finished."},
		"a wall shorter than the load":  {func(p *experiment.Plan) { p.Limits.MaxWall = experiment.Duration(time.Minute) }, "limits.max_wall is shorter than the load phases of all 10 runs, so not all of them will start."},
		"hardly any warm-up":            {func(p *experiment.Plan) { p.Workload.Stages.Warmup = 0 }, "With a warmup stage under 10 s, the results describe how a broker starts, not its steady state."},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := decode(t, minimal)
			if got := p.Warnings(); len(got) > 0 {
				t.Fatalf("Warnings() of the minimal plan = %v, want none", got)
			}
			tt.change(&p)
			if got := p.Warnings(); !slices.Equal(got, []string{tt.want}) {
				t.Errorf("Warnings() = %v, want %s", got, tt.want)
			}
		})
	}
}

func TestUnits(t *testing.T) {
	for text, want := range map[string]experiment.Bytes{"1KiB": 1024, "1.5 MB": 1_500_000, "2GiB": 2 << 30, "64": 64, "0B": 0, "12kB": 12000} {
		if got, err := experiment.ParseBytes(text); got != want || err != nil {
			t.Errorf("ParseBytes(%q) = %d, %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "KiB", "1XB", "0.3B", "1/2MB", "99999999999GiB", "1e9999999", "0x10", "1_000", "NaN", "2gib", " 1KiB", "-1B", ".5KiB"} {
		if got, err := experiment.ParseBytes(text); err == nil {
			t.Errorf("ParseBytes(%q) = %d, want an error", text, got)
		}
	}
	for _, b := range []experiment.Bytes{0, 1, 1000, 1024, 1500, 5_000_000, 2 << 30, 1<<62 + 1} {
		if got, err := experiment.ParseBytes(b.String()); got != b || err != nil {
			t.Errorf("ParseBytes(%q) = %d, %v, want %d", b.String(), got, err, int64(b))
		}
	}
	for _, text := range []string{"", "5", " 5ms", "-5ms", ".5s", "5d", "1m 30s"} {
		if got, err := experiment.ParseDuration(text); err == nil {
			t.Errorf("ParseDuration(%q) = %s, want an error", text, got)
		}
	}
	for d, want := range map[time.Duration]string{2 * time.Minute: "2m", time.Hour: "1h", 70 * time.Minute: "1h10m", 90 * time.Second: "1m30s", 5 * time.Millisecond: "5ms", 0: "0s"} {
		if got := experiment.Duration(d).String(); got != want {
			t.Errorf("Duration(%d).String() = %s, want %s", d, got, want)
		}
	}
}

func TestMetrics(t *testing.T) {
	for m, want := range map[experiment.Metric]string{"e2e_p999": "end-to-end p99.9", "publish_p50": "publish p50", experiment.Throughput: "throughput", experiment.CPUPerMillion: "broker CPU per million messages"} {
		if got := m.Title(); got != want || m.Unit() == "" {
			t.Errorf("%s: Title() = %q, Unit() = %q, want %q and a unit", m, got, m.Unit(), want)
		}
	}
	if unit := experiment.Metric("e2e_p98").Unit(); unit != "" {
		t.Errorf("Metric(e2e_p98).Unit() = %q, want none", unit)
	}
}

func TestProblemsUnderAPrefix(t *testing.T) {
	part, all := new(experiment.Problems), new(experiment.Problems)
	part.Add("brokers", "must be %d to %d", 1, 9)
	part.Add("", "needs a disk")
	all.AddUnder("variants[0].options", part)
	all.AddUnder("variants[1]", nil)
	want := experiment.Problems{{"variants[0].options.brokers", "must be 1 to 9"}, {"variants[0].options", "needs a disk"}}
	if diff := cmp.Diff(want, *all); diff != "" {
		t.Errorf("AddUnder gave (-want +got):\n%s", diff)
	}
	if err := new(experiment.Problems).Err(); err != nil {
		t.Errorf("Err() of no problems = %v, want nil", err)
	}
}

// TestStoredWorkloadsAreRead reads the forms that a stored plan has, and refuses
// others.
func TestStoredWorkloadsAreRead(t *testing.T) {
	tests := map[string]experiment.Message{
		`{"size": "1KiB", "key": "none"}`: {
			Size: experiment.Size{Min: 1024, Max: 1024}, Key: experiment.Key{Kind: experiment.KeyNone},
		},
		`{"size": {"uniform": ["100B", "4kB"]}, "key": "round_robin"}`: {
			Size: experiment.Size{Min: 100, Max: 4000}, Key: experiment.Key{Kind: experiment.KeyRoundRobin, Cardinality: 3},
		},
		`{"size": 64, "key": {"uniform": {"cardinality": 7}}}`: {
			Size: experiment.Size{Min: 64, Max: 64}, Key: experiment.Key{Kind: experiment.KeyUniform, Cardinality: 7},
		},
	}
	for text, want := range tests {
		var w experiment.Workload
		err := json.Unmarshal([]byte(`{"topology": {"partitions": 3}, "message": `+text+`}`), &w)
		if diff := cmp.Diff(want, w.Message); diff != "" || err != nil {
			t.Errorf("Unmarshal(%s): %v\n%s", text, err, diff)
		}
	}
	for _, text := range []string{
		`{"size": "63B"}`, `{"size": "2MiB"}`, `{"size": {"uniform": [200, 100]}}`, `{"size": {"uniform": []}}`, `{"size": {}}`, `{"size": true}`,
		`{"key": "random"}`, `{"key": {"uniform": {"cardinality": 0}}}`, `{"key": {}}`, `{"key": 1}`,
	} {
		if err := json.Unmarshal([]byte(`{"message": `+text+`}`), new(experiment.Workload)); err == nil {
			t.Errorf("Unmarshal(%s) = nil, want an error", text)
		}
	}
}
