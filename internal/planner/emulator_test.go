package planner_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// emulatorPlan is a plan with the given name and variants of Kinesis's emulator.
func emulatorPlan(name string, labels ...string) string {
	variants := make([]string, len(labels))
	for i, label := range labels {
		variants[i] = fmt.Sprintf(`{"label": %q, "technology": "kinesis", "stack": "emulator"}`, label)
	}
	return fmt.Sprintf(`{%s "workload": {"load": {"rate": 1}, "stages": {"measure": "10s"}}, "variants": [%s]}`, name, strings.Join(variants, ", "))
}

func TestVariantsOfAnEmulatorSaySo(t *testing.T) {
	const program = "kinesalite or kinesis-local"
	with := func(plan, program string) string {
		return strings.Replace(plan, `"stack": "emulator"`, `"stack": "emulator", "emulator": "`+program+`"`, 1)
	}
	tests := map[string]struct {
		plan   string
		labels []string
		name   string
	}{
		"labels stay, and a name that is made of them says it": {
			emulatorPlan("", "kinesis", "my-emulator"), []string{"kinesis", "my-emulator"}, "kinesis (emulator) vs my-emulator (emulator)"},
		"a name of one's own stays": {
			emulatorPlan(`"name": "Mine",`, "kinesis"), []string{"kinesis"}, "Mine"},
		"a plan that says it": {
			with(emulatorPlan("", "kinesis"), program), []string{"kinesis"}, "kinesis (emulator)"},
		"a plan that was admitted when the stack had another program": {
			with(emulatorPlan("", "kinesis"), "kinesalite"), []string{"kinesis"}, "kinesis (emulator)"},
	}
	p := newPlanner(t, nil)
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			proposal, err := p.Propose(t.Context(), []byte(tt.plan))
			if err != nil {
				t.Fatalf("Propose() = %v, want no error", err)
			}
			var labels []string
			for _, v := range proposal.Plan.Variants {
				labels = append(labels, v.Label)
				if v.Emulator != program {
					t.Errorf("the emulator of %s is %q, want %q", v.Label, v.Emulator, program)
				}
			}
			if !slices.Equal(labels, tt.labels) || proposal.Plan.Name != tt.name {
				t.Errorf("Propose() = %q called %q, want %q called %q", labels, proposal.Plan.Name, tt.labels, tt.name)
			}
			again, err := p.Propose(t.Context(), []byte(proposal.YAML))
			if err != nil || again.Digest != proposal.Digest || again.Plan.Name != proposal.Plan.Name {
				t.Errorf("Propose() of the accepted plan = %v, and another plan", err)
			}
			if !strings.Contains(strings.Join(proposal.Warnings, "\n"), "not Amazon Kinesis") {
				t.Errorf("warnings = %q, want one that tells of the emulator", proposal.Warnings)
			}
		})
	}
}

func TestOtherVariantsAreNoEmulators(t *testing.T) {
	p := newPlanner(t, nil)
	real := strings.Replace(emulatorPlan("", "my-emulator"), `"kinesis", "stack": "emulator"`, `"nats", "stack": "jetstream"`, 1)
	proposal, err := p.Propose(t.Context(), []byte(real))
	if err != nil || proposal.Plan.Variants[0].Emulator != "" || proposal.Plan.Name != "my-emulator" {
		t.Errorf("Propose() = %+v, %v, want a variant of NATS whose label is its own business", proposal.Plan.Variants, err)
	}
	said := strings.Replace(real, `"jetstream"`, `"jetstream", "emulator": "x"`, 1)
	if _, err := p.Propose(t.Context(), []byte(said)); err == nil || !strings.Contains(err.Error(), "variants[0].emulator: nats/jetstream is not an emulator") {
		t.Errorf("Propose() of NATS as an emulator = %v, want a refusal", err)
	}
}
