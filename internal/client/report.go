package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/report"
)

// Report puts together all that an experiment found: every run with its receipt
// and result.
func (c *Client) Report(ctx context.Context, id string, o report.Options) (report.Report, error) {
	detail, err := c.Experiment(ctx, id)
	if err != nil {
		return report.Report{}, err
	}
	runs := make([]experiment.Run, len(detail.RunList))
	for i, run := range detail.RunList {
		if runs[i], err = c.wholeRun(ctx, run); err != nil {
			return report.Report{}, err
		}
	}
	return report.New(Stored(detail), runs, o)
}

// Stored is the experiment without what the API adds to it.
func Stored(d api.ExperimentDetail) experiment.Experiment {
	return experiment.Experiment{ID: d.ID, Plan: d.Plan, Digest: d.Digest, By: d.By, CreatedAt: d.CreatedAt, State: d.State, Reason: d.Reason}
}

// wholeRun reads a run with its receipt and its result.
func (c *Client) wholeRun(ctx context.Context, r api.Run) (experiment.Run, error) {
	run := experiment.Run{
		ID: r.ID, Experiment: r.Experiment, Variant: r.Variant, Order: r.Order, Extra: r.Extra, Phase: r.Phase, Outcome: r.Outcome,
		Validity: r.Validity, Teardown: r.Teardown, Reason: r.Reason, Since: r.Since, StartedAt: r.StartedAt, EndedAt: r.EndedAt, Phases: r.Phases,
	}
	detail, err := c.Run(ctx, r.ID)
	if err != nil {
		return run, err
	}
	run.Receipt = detail.Receipt
	if !detail.HasResult {
		return run, nil
	}
	if run.Result, err = c.wholeResult(ctx, r.ID); err != nil && !errors.Is(err, experiment.ErrNotFound) {
		return run, err
	}
	return run, nil
}

// wholeResult reads a result with its timeline and histograms, which the API
// serves apart.
func (c *Client) wholeResult(ctx context.Context, run string) (json.RawMessage, error) {
	result, err := c.Result(ctx, run)
	if err != nil {
		return nil, err
	}
	if len(result.Timeline) == 0 {
		timeline, err := c.Timeline(ctx, run)
		if err != nil {
			return nil, err
		}
		result.Timeline = timeline.Seconds
	}
	if len(result.Histograms) == 0 {
		histograms, err := c.Histograms(ctx, run)
		if err != nil {
			return nil, err
		}
		result.Histograms = histograms.Histograms
	}
	data, err := json.Marshal(result)
	if err != nil {
		return nil, fmt.Errorf("result of run %s: %w", run, err)
	}
	return data, nil
}
