package planner_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/planner"
	"dec.local/dec/target"
)

// catalog is that of a planner, without the schemas of options.
func catalog(t *testing.T, p *planner.Planner) api.Catalog {
	t.Helper()
	c, err := p.Catalog(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, tech := range c.Technologies {
		for i, s := range tech.Stacks {
			if !json.Valid(s.Schema) || s.Name == "plain" && !strings.Contains(string(s.Schema), `"password"`) {
				t.Errorf("schema of %s/%s = %s", tech.Name, s.Name, s.Schema)
			}
			tech.Stacks[i].Schema = nil
		}
	}
	return c
}

func TestCatalog(t *testing.T) {
	got := catalog(t, fake(t, func(o *planner.Options) { o.Slots = map[string]int{"cloud": 7} }))
	want := api.Catalog{
		Targets: []api.Target{
			{Name: "closed", Title: "Closed", Why: "no credentials", Fix: "dec login", Slots: 1},
			{Name: "cloud", Title: "The Cloud", Available: true, Slots: 7},
			{Name: "here", Title: "Here", Available: true, Slots: 1, Facts: api.TargetFacts{SharedMachine: true, OneHost: true}},
		},
		Technologies: []api.Technology{
			{Name: "toy", Title: "Toy Broker", ClientConfigSchema: json.RawMessage(`{"type":"object"}`), Stacks: []api.Stack{
				{Name: "managed", Title: "Managed", Description: "Of a cloud.", Targets: []string{"cloud"}, Available: true},
				{Name: "plain", Title: "Plain", Description: "Members.", Targets: []string{"closed", "cloud", "here"}, Available: true},
			}},
			{Name: "rival", Title: "Rival", ClientConfigSchema: json.RawMessage(`{}`), Stacks: []api.Stack{
				{Name: "pretend", Title: "Pretend", Description: "Not itself.", Targets: []string{"closed", "cloud", "here"}, Emulator: "pretender 1.0", Available: true},
			}},
		},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(api.Catalog{}, "PlanSchema", "Vocabulary")); diff != "" {
		t.Errorf("Catalog() (-want +got):\n%s", diff)
	}
	if !json.Valid(got.PlanSchema) || cmp.Equal(got.Vocabulary, api.Vocabulary{}) {
		t.Errorf("schema of plans %s, vocabulary %+v, want both", got.PlanSchema, got.Vocabulary)
	}
}

func TestAStackOfNoTargetHereIsNotAvailable(t *testing.T) {
	c := catalog(t, fake(t, func(o *planner.Options) { o.Places = target.Places{"here": o.Places["here"]} }))
	managed := c.Technologies[0].Stacks[0]
	if managed.Available || managed.Fix != "" || managed.Why != "runs only on target cloud, which is not available here" {
		t.Errorf("catalog has %+v, want it not to be available, and why", managed)
	}
}

func TestStacksSayWhyTheyCannotBeUsed(t *testing.T) {
	only := func(name string) func(*planner.Options) {
		return func(o *planner.Options) { o.Places = target.Places{name: o.Places[name]} }
	}
	lacks := func(artifacts ...string) func(*planner.Options) {
		return here(stocked{place: place{found: well}, lacks: artifacts})
	}
	tests := map[string]struct {
		change []func(*planner.Options)
		why    string // "" if plain is available
	}{
		"all is there":                     {[]func(*planner.Options){only("here")}, ""},
		"one artifact is missing":          {[]func(*planner.Options){lacks("toy-broker@1"), only("here")}, "toy-broker@1 is not installed in /tools"},
		"two are missing":                  {[]func(*planner.Options){lacks("toy-broker@1", "toy-client@2"), only("here")}, "toy-broker@1, toy-client@2 are not installed in /tools"},
		"one is missing on one target":     {[]func(*planner.Options){lacks("toy-broker@1")}, ""},
		"one of something else is missing": {[]func(*planner.Options){lacks("other@1"), only("here")}, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			stacks := catalog(t, fake(t, tt.change...)).Technologies[0].Stacks
			plain := stacks[1]
			fix := ""
			if tt.why != "" {
				fix = "make setup"
			}
			if plain.Available != (tt.why == "") || plain.Why != tt.why || plain.Fix != fix {
				t.Errorf("plain: available %v, %q, %q, want %q", plain.Available, plain.Why, plain.Fix, tt.why)
			}
		})
	}
}

func TestAStackWithoutATargetHereSaysSo(t *testing.T) {
	managed := catalog(t, fake(t, func(o *planner.Options) { delete(o.Places, "cloud") })).Technologies[0].Stacks[0]
	if len(managed.Targets) > 0 {
		t.Errorf("targets of managed = %q, want none", managed.Targets)
	}
}

func TestTechnologiesWithoutStacksAreAnError(t *testing.T) {
	o := options()
	o.Technologies = append(o.Technologies, o.Technologies[0])
	o.Technologies[2].Name = "none"
	if _, err := planner.New(o); err == nil || !strings.Contains(err.Error(), "none") {
		t.Errorf("New() = %v, want an error that names the technology", err)
	}
}
