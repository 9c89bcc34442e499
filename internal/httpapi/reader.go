package httpapi

import (
	"context"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/experiment"
)

// experimentStore reads experiments.
type experimentStore interface {
	// ListExperiments returns a page and the cursor of the next one, "" on the last.
	ListExperiments(ctx context.Context, q experiment.ExperimentQuery) ([]experiment.Summary, string, error)
	// QueuedBefore counts the runs that start before those of an experiment.
	QueuedBefore(ctx context.Context, experimentID string) (int, error)
	experimentRuns
}

// experimentReader reads experiments as they are shown.
type experimentReader struct {
	clock   clock
	store   experimentStore
	live    liveRuns
	planner estimator
}

// page reads a part of the list of experiments.
func (e experimentReader) page(ctx context.Context, q experiment.ExperimentQuery) (api.Page[api.Experiment], error) {
	asOf, last, err := moment(ctx, e.clock)
	if err != nil {
		return api.Page[api.Experiment]{}, err
	}
	found, next, err := e.store.ListExperiments(ctx, q)
	if err != nil {
		return api.Page[api.Experiment]{}, err
	}
	page := api.Page[api.Experiment]{Items: make([]api.Experiment, len(found)), Next: next, AsOf: asOf, LastEventID: last}
	for i, summary := range found {
		page.Items[i] = viewExperiment(summary)
		if summary.State != experiment.Running {
			continue // those are few, and an estimate has its price
		}
		if page.Items[i].RemainingS, err = remaining(ctx, e.planner, summary); err != nil {
			return api.Page[api.Experiment]{}, err
		}
	}
	return page, nil
}

// detail reads an experiment with its runs.
func (e experimentReader) detail(ctx context.Context, id string) (api.ExperimentDetail, error) {
	asOf, last, err := moment(ctx, e.clock)
	if err != nil {
		return api.ExperimentDetail{}, err
	}
	summary, err := e.store.Summary(ctx, id)
	if err != nil {
		return api.ExperimentDetail{}, err
	}
	runs, err := e.store.Runs(ctx, id)
	if err != nil {
		return api.ExperimentDetail{}, err
	}
	detail := api.ExperimentDetail{
		Experiment: viewExperiment(summary), Plan: summary.Plan, Warnings: orEmpty(summary.Plan.Warnings()),
		RunList: make([]api.Run, len(runs)), AsOf: asOf, LastEventID: last,
	}
	names := summary.Plan.RunNames(runs)
	for i, run := range runs {
		detail.RunList[i] = viewRun(run, names[run.ID])
		if err := e.live.fill(ctx, &detail.RunList[i], summary.Plan.Workload.Stages, asOf); err != nil {
			return api.ExperimentDetail{}, err
		}
	}
	if summary.State != experiment.Ended {
		if detail.QueuedBefore, err = e.store.QueuedBefore(ctx, id); err != nil {
			return api.ExperimentDetail{}, err
		}
		if detail.RemainingS, err = remaining(ctx, e.planner, summary); err != nil {
			return api.ExperimentDetail{}, err
		}
	}
	return detail, nil
}
