package planner

import (
	"fmt"

	"dec.local/dec/internal/experiment"
)

// emulatorWarnings tells which variants are not what they are called after.
func (p *Planner) emulatorWarnings(plan experiment.Plan) []string {
	var warnings []string
	for _, v := range plan.Variants {
		if tech, _ := p.stackOf(v); v.Emulator != "" {
			warnings = append(warnings, fmt.Sprintf("%[1]s is not %[2]s itself but an emulator (%[3]s): the results do not show how fast %[2]s is.",
				v.Label, tech.Title, v.Emulator))
		}
	}
	return warnings
}
