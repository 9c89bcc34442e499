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
			warnings = append(warnings, fmt.Sprintf("%s is not %s itself but an emulator (%s): the results show how to use it, not how fast it is",
				v.Label, tech.Title, v.Emulator))
		}
	}
	return warnings
}
