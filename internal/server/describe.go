package server

import (
	"context"
	"encoding/json"
	"fmt"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/yamltext"
)

// Describe tells what a plan would do that passed [Planner.Check].
func (p *Planner) Describe(ctx context.Context, plan experiment.Plan) (api.DryRun, error) {
	estimate, basis, err := p.Estimate(ctx, plan)
	if err != nil {
		return api.DryRun{}, err
	}
	data, err := json.Marshal(plan)
	if err != nil {
		return api.DryRun{}, fmt.Errorf("describe the plan: %w", err)
	}
	text, err := yamltext.YAML(data)
	if err != nil {
		return api.DryRun{}, fmt.Errorf("describe the plan: %w", err)
	}
	return api.DryRun{
		Plan: plan, YAML: text, Digest: plan.Digest(), Order: experiment.Order(plan),
		EstimateS: estimate.Seconds(), EstimateOf: basis, Warnings: plan.Warnings(),
	}, nil
}
