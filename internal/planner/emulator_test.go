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

func TestVariantsOfAnEmulatorAreLabelled(t *testing.T) {
	long := "a" + strings.Repeat("b", 35)
	tests := map[string]struct {
		plan   string
		labels []string
		name   string
		fault  string // "" if the plan is fine
	}{
		"a label gets the mark, and the name that is made of it": {
			emulatorPlan("", "kinesis"), []string{"kinesis-emulator"}, "kinesis-emulator", ""},
		"a name of one's own stays": {
			emulatorPlan(`"name": "Mine",`, "kinesis"), []string{"kinesis-emulator"}, "Mine", ""},
		"a label that says it stays": {
			emulatorPlan("", "my-emulator", "b"), []string{"my-emulator", "b-emulator"}, "my-emulator vs b-emulator", ""},
		"the mark would make it too long": {
			emulatorPlan("", long), nil, "", "variants[0].label"},
		"a label that says it of something else": {
			strings.Replace(emulatorPlan("", "my-emulator"), `"kinesis", "stack": "emulator"`, `"nats", "stack": "jetstream"`, 1), nil, "", "variants[0].label"},
		"the mark would make it another's": {
			emulatorPlan("", "k-emulator", "k"), nil, "", "variants[1].label"},
	}
	p := newPlanner(t, nil)
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			proposal, err := p.Propose(t.Context(), []byte(tt.plan))
			if tt.fault != "" {
				if err == nil || !strings.Contains(err.Error(), tt.fault) {
					t.Errorf("Propose() = %v, want a problem of %s", err, tt.fault)
				}
				return
			}
			if err != nil {
				t.Fatalf("Propose() = %v, want no error", err)
			}
			plan := proposal.Plan
			var labels []string
			for _, v := range plan.Variants {
				labels = append(labels, v.Label)
			}
			if !slices.Equal(labels, tt.labels) || plan.Name != tt.name {
				t.Errorf("Propose() = %q called %q, want %q called %q", labels, plan.Name, tt.labels, tt.name)
			}
			again, err := p.Propose(t.Context(), []byte(proposal.YAML))
			if err != nil || again.Digest != proposal.Digest {
				t.Errorf("Propose() of the accepted plan = %v, and another plan", err)
			}
			if !strings.Contains(strings.Join(proposal.Warnings, "\n"), "not Amazon Kinesis") {
				t.Errorf("warnings = %q, want one that tells of the emulator", proposal.Warnings)
			}
		})
	}
}
