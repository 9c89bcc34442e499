package cli

import (
	"context"
	"encoding/json"
	"fmt"

	"dec.local/dec/internal/datadir"
	"dec.local/dec/internal/planspec"
)

// calibrateCmd runs the calibrations of plans.
type calibrateCmd struct{ runCmd }

// Help implements kong.HelpProvider.
func (c *calibrateCmd) Help() string {
	return "The experiment has the plan's workload and number of runs, with its first variant twice: what it finds is by how much that " +
		"differs from itself on this kind of machine. It is kept like every experiment, and a later verdict of the plan says when its " +
		"difference is smaller than that. Change nothing else in the plan in between."
}

// Run implements the command.
func (c *calibrateCmd) Run(ctx context.Context, env *Env, f *datadir.Folders, r *serverFlags) error {
	c.calibrates = true
	return c.runCmd.Run(ctx, env, f, r)
}

// calibration returns the calibration of a plan, both as text.
func calibration(text []byte) ([]byte, error) {
	plan, err := planspec.Decode(text)
	if err != nil {
		return nil, err
	}
	out, err := json.Marshal(plan.Calibration())
	if err != nil {
		return nil, fmt.Errorf("write the calibration of the plan: %w", err)
	}
	return out, nil
}
