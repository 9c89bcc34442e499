package planner_test

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/planner"
	"dec.local/dec/target"
)

// planOn is a plan for a target with variants, each label, technology, stack and
// more.
func planOn(target, variants string) []byte {
	return []byte(`{target: ` + target + `, workload: {load: {rate: 100}, message: {size: 1000}, stages: {warmup: 10s, measure: 10s}}, repeat: 5, variants: [` + variants + `]}`)
}

const plain = `{label: a, technology: toy, stack: plain}`

// TestPlansAreHeldAgainstTheCatalog wants all that is wrong at once.
func TestPlansAreHeldAgainstTheCatalog(t *testing.T) {
	tests := map[string]struct {
		plan   []byte
		change []func(*planner.Options)
		want   []string // problems; none if it is fine
	}{
		"a plan":             {planOn("here", plain), nil, nil},
		"an unknown target":  {planOn("there", plain), nil, []string{`target: unknown target "there"; known targets: closed, cloud, here`}},
		"an unusable target": {planOn("closed", plain), nil, []string{"target: closed cannot be used: no credentials"}},
		"an unknown technology": {
			planOn("here", `{label: a, technology: toi, stack: plain}`), nil, []string{`variants[0].technology: unknown technology "toi"; known technologies: toy, rival`}},
		"an unknown stack": {
			planOn("here", `{label: a, technology: toy, stack: plane}`), nil, []string{`variants[0].stack: unknown stack "plane"; stacks of toy: managed, plain`}},
		"a stack of another target": {
			planOn("here", `{label: a, technology: toy, stack: managed}`), nil, []string{`variants[0].stack: toy/managed does not run on target "here", only on cloud`}},
		"a bucket that nodes cannot reach": {
			planOn("cloud", `{label: a, technology: toy, stack: managed}`), []func(*planner.Options){func(o *planner.Options) { o.LocalBucket = true }},
			[]string{"target: the nodes of cloud cannot reach the bucket, which is a folder: use one on S3, such as --bucket s3://name/prefix"}},
		"a bucket that nodes share": {planOn("here", plain), []func(*planner.Options){func(o *planner.Options) { o.LocalBucket = true }}, nil},
		"a stack of its own target": {planOn("cloud", `{label: a, technology: toy, stack: managed}`), nil, nil},
		"an artifact that is missing": {
			planOn("here", plain), []func(*planner.Options){here(stocked{place: place{found: well}, lacks: []string{"toy-broker@1"}})},
			[]string{"variants[0].stack: toy/plain cannot be used here: toy-broker@1 is not installed in /tools; fix: make setup"}},
		"an option out of its range": {
			planOn("here", `{label: a, technology: toy, stack: plain, options: {size: 10}}`), nil, []string{"variants[0].options.size: Write a number from 1 to 9."}},
		"an unknown option": {
			planOn("here", `{label: a, technology: toy, stack: plain, options: {sise: 1}}`), nil, []string{`variants[0].options.sise: unknown option; did you mean "size"?`}},
		"settings that a client does not have": {
			planOn("here", `{label: a, technology: toy, stack: plain, client_config: {ling: 1}}`), nil, []string{"variants[0].client_config.ling: unknown setting"}},
		"settings of a client that takes none": {
			planOn("here", `{label: a, technology: rival, stack: pretend, client_config: {x: 1}}`), nil, []string{"variants[0]: rival takes no settings"}},
		"an emulator that is none": {
			planOn("here", `{label: a, technology: toy, stack: plain, emulator: x}`), nil, []string{"variants[0].emulator: toy/plain is not an emulator: remove this field"}},
		"all at once": {
			planOn("there", `{label: a, technology: toi, stack: plain}, {label: b, technology: toy, stack: plain, options: {size: 0}, client_config: {x: 1}}`), nil,
			[]string{
				`target: unknown target "there"; known targets: closed, cloud, here`, `variants[0].technology: unknown technology "toi"; known technologies: toy, rival`,
				"variants[1].options.size: Write a number from 1 to 9.", "variants[1].client_config.x: unknown setting",
			}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := fake(t, tt.change...).Propose(t.Context(), tt.plan)
			var got []string
			if problems, ok := errors.AsType[*experiment.Problems](err); ok {
				got = strings.Split(problems.Error(), "\n")
			} else if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("Propose() (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAnAcceptedPlanIsComplete(t *testing.T) {
	p := fake(t, func(o *planner.Options) { o.Past = past{} })
	text := planOn("here", `{label: a, technology: toy, stack: plain, options: {password: canary}}, {label: b, technology: rival, stack: pretend}`)
	got, err := p.Propose(t.Context(), text)
	if err != nil {
		t.Fatal(err)
	}
	a, b := got.Plan.Variants[0], got.Plan.Variants[1]
	if string(a.Options["size"]) != "1" || string(a.Secrets["password"]) != `"canary"` || a.Options["password"] != nil {
		t.Errorf("options = %s, secrets = %s, want the default of size, and the secret apart", a.Options, a.Secrets)
	}
	if b.Emulator != "pretender 1.0" || a.Emulator != "" || b.Label != "b" {
		t.Errorf("emulators = %q and %q of %q, want that of the second, and its label as it is", a.Emulator, b.Emulator, b.Label)
	}
	if answer, err := json.Marshal(got); err != nil || strings.Contains(string(answer), "canary") {
		t.Errorf("the answer tells the secret, or %v", err)
	}
	// Two variants, 5 runs each of 20 s of load, a second of drain and 12 s beside.
	if len(got.Order) != 10 || got.EstimateS != (10*33*time.Second).Seconds() || got.Digest != got.Plan.Digest() || !strings.Contains(got.YAML, "size: 1") {
		t.Errorf("proposal = %d runs, %g s, %s, %s", len(got.Order), got.EstimateS, got.Digest, got.YAML)
	}
	if warnings := strings.Join(got.Warnings, "\n"); !strings.Contains(warnings, "b is not Rival itself but an emulator (pretender 1.0)") {
		t.Errorf("warnings = %q, want one of the emulator", got.Warnings)
	}
	again, err := p.Propose(t.Context(), []byte(got.YAML))
	if err != nil || again.Digest != got.Digest {
		t.Errorf("Propose() of what was proposed = %s, %v, want %s", again.Digest, err, got.Digest)
	}
}

// TestATargetIsAskedWhetherItCanTakeAPlan looks at what it is asked and what becomes
// of its findings.
func TestATargetIsAskedWhetherItCanTakeAPlan(t *testing.T) {
	findings := []target.Finding{
		{Detail: "fine"}, {Subject: "load", Level: target.Advice, Detail: "others are at work"}, {Subject: "disk", Level: target.OK, Detail: "much is free"},
	}
	said := func(more ...target.Finding) func(target.Demand) []target.Finding {
		return func(d target.Demand) []target.Finding {
			if d == (target.Demand{}) {
				return findings[:1]
			}
			return append(findings[:3:3], more...)
		}
	}
	got, err := fake(t, here(place{found: said()})).Propose(t.Context(), planOn("here", plain))
	if err != nil || !strings.Contains(strings.Join(got.Warnings, "\n"), "Others are at work.") || strings.Contains(strings.Join(got.Warnings, "\n"), "uch is free") {
		t.Errorf("Propose() = warnings %q, %v, want the advice alone", got.Warnings, err)
	}
	refused := said(target.Finding{Subject: "disk", Level: target.Refuse, Detail: "the disk is full", Fix: "write less"}, target.Finding{Subject: "memory", Level: target.Refuse, Detail: "no memory"})
	_, err = fake(t, here(place{found: refused})).Propose(t.Context(), planOn("here", plain))
	refusal, ok := errors.AsType[*experiment.Refusal](err)
	if !ok || !cmp.Equal(refusal.Reasons, []string{"the disk is full: write less", "no memory"}) {
		t.Errorf("Propose() = %v, want both reasons, with what to do", err)
	}
}

// TestTheCPUsThatAgentsNeed takes the most demanding technology, at the highest rate.
func TestTheCPUsThatAgentsNeed(t *testing.T) {
	var asked []float64
	p := fake(t, here(place{found: func(d target.Demand) []target.Finding {
		asked = append(asked, d.AgentCPUs)
		return well(d)
	}}))
	plan := `{target: here, workload: {load: {schedule: [{for: 5s, rate: 100}, {for: 5s, ramp_to: 1000}]}, topology: {consumer_groups: 3},
		message: {size: 1000}, stages: {warmup: 10s}}, variants: [{label: a, technology: rival, stack: pretend}, {label: b, technology: toy, stack: plain}]}`
	if _, err := p.Propose(t.Context(), []byte(plan)); err != nil {
		t.Fatal(err)
	}
	// 1,000 a second, of which each is sent for 10 µs and received three times for 20 µs.
	if want := 0.07; len(asked) == 0 || math.Abs(asked[len(asked)-1]-want) > 1e-9 {
		t.Errorf("asked for %v CPUs, want %v", asked, want)
	}
}

// TestTheDiskThatAPlanNeeds asks for what one run stores at most.
func TestTheDiskThatAPlanNeeds(t *testing.T) {
	const kb = 1000 // bytes of each message; 20 s are sent
	tests := map[string]struct {
		workload, options string
		want              int64
	}{
		"all that is sent":                {`load: {rate: 100}`, `{}`, 20 * 100 * kb},
		"as often as the topology says":   {`load: {rate: 100}, topology: {replicas: 3}`, `{}`, 3 * 20 * 100 * kb},
		"as often as an option says":      {`load: {rate: 100}, topology: {replicas: 2}`, `{copies: 5}`, 5 * 20 * 100 * kb},
		"the larger of both":              {`load: {rate: 100}, topology: {replicas: 3}`, `{copies: 2}`, 3 * 20 * 100 * kb},
		"no more than is retained":        {`load: {rate: 1e6}, retention_bytes: 1MiB`, `{}`, 1 << 20},
		"the highest rate of a schedule":  {`load: {schedule: [{for: 5s, rate: 100}, {for: 5s, rate: 700}]}`, `{}`, 20 * 700 * kb},
		"the end of a ramp in a schedule": {`load: {schedule: [{for: 5s, rate: 100}, {for: 5s, ramp_to: 900}]}`, `{}`, 20 * 900 * kb},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var asked []int64
			p := fake(t, here(place{found: func(d target.Demand) []target.Finding {
				asked = append(asked, d.DiskBytes)
				return well(d)
			}}))
			measure := "measure: 10s"
			if strings.Contains(tt.workload, "schedule") {
				measure = "drain: 10s"
			}
			plan := `{target: here, workload: {` + tt.workload + `, message: {size: 1000}, stages: {warmup: 10s, ` + measure + `}}, variants: [{label: a, technology: toy, stack: plain, options: ` +
				tt.options + `}, {label: b, technology: rival, stack: pretend}]}`
			if _, err := p.Propose(t.Context(), []byte(plan)); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]int64{0, tt.want}, asked); diff != "" {
				t.Errorf("asked for (-want +got):\n%s", diff)
			}
		})
	}
}

// broken is a past that can't be read.
type broken struct {
	past
	err error
}

func (b broken) ListRuns(context.Context, experiment.RunQuery) ([]experiment.Run, string, error) {
	return nil, "", b.err
}

func TestAPastThatCannotBeReadIsNoRefusal(t *testing.T) {
	away := errors.New("the database is away")
	_, err := fake(t, func(o *planner.Options) { o.Past = broken{err: away} }).Propose(t.Context(), planOn("here", plain))
	if _, refused := errors.AsType[*experiment.Problems](err); !errors.Is(err, away) || refused {
		t.Errorf("Propose() = %v, want %v", err, away)
	}
}
