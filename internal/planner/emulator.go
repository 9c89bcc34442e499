package planner

import (
	"fmt"
	"strings"

	"dec.local/dec/internal/experiment"
)

// emulatorMark is what the label of a variant on an emulator has in it, so that
// it stands wherever a number of the variant does.
const emulatorMark = "emulator"

// labelEmulators puts the mark on each variant of a checked plan whose stack is
// an emulator, and refuses it on any other. A plan that was labelled before stays
// as it is.
func (p *Planner) labelEmulators(plan experiment.Plan) (experiment.Plan, error) {
	labels := make([]string, len(plan.Variants))
	var problems experiment.Problems
	for i, v := range plan.Variants {
		labels[i] = v.Label
		_, stack := p.stackOf(v)
		switch marked := strings.Contains(v.Label, emulatorMark); {
		case stack.Emulator != "" && !marked:
			labels[i] += "-" + emulatorMark
		case stack.Emulator == "" && marked:
			problems.Add(fmt.Sprintf("variants[%d].label", i), "%q says %s, but %s/%s is none: write another", v.Label, emulatorMark, v.Technology, v.Stack)
		}
	}
	if err := problems.Err(); err != nil {
		return plan, err
	}
	return plan.Relabel(labels)
}

// emulatorWarnings tells which variants are not what they are called after.
func (p *Planner) emulatorWarnings(plan experiment.Plan) []string {
	var warnings []string
	for _, v := range plan.Variants {
		if tech, stack := p.stackOf(v); stack != nil && stack.Emulator != "" {
			warnings = append(warnings, fmt.Sprintf("%s is not %s itself but an emulator (%s): its numbers tell how to use it, not how fast it is", v.Label, tech.Title, stack.Emulator))
		}
	}
	return warnings
}
