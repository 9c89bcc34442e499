package httpapi

import (
	"context"
	"log/slog"
	"net/http"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/experiment"
)

func (s *server) routeExperiments() {
	op := call(http.MethodGet, "/experiments", "list-experiments", "experiments", "Experiments")
	op.Description = "A page of them; go on with the cursor in 'next'."
	register(s.registrar, op, s.listExperiments)

	op = call(http.MethodGet, "/experiments/{id}", "get-experiment", "experiments", "One experiment with its plan, its runs and its verdict")
	op.Errors = []int{http.StatusNotFound}
	register(s.registrar, op, s.getExperiment)

	s.routeSubmit()

	op = call(http.MethodPost, "/experiments/{id}/cancel", "cancel-experiment", "experiments", "Cancel an experiment")
	op.Description = "No further run of it starts; the active one is stopped and destroyed. The answer comes before that is done: see the events."
	op.DefaultStatus = http.StatusAccepted
	op.Errors = []int{http.StatusNotFound, http.StatusConflict}
	op.Metadata = map[string]any{auditAction: "experiment.cancel"}
	register(s.registrar, op, s.cancelExperiment)

	op = call(http.MethodDelete, "/experiments/{id}", "delete-experiment", "experiments", "Delete an experiment with its results")
	op.Description = "Refused while anything of it may still exist."
	op.Errors = []int{http.StatusNotFound, http.StatusConflict}
	op.Metadata = map[string]any{auditAction: "experiment.delete"}
	register(s.registrar, op, s.deleteExperiment)
}

type experimentsOutput struct {
	Body api.Page[api.Experiment]
}

func (s *server) listExperiments(ctx context.Context, in *experimentsQuery) (*experimentsOutput, error) {
	asOf, last, err := moment(ctx, s.Store)
	if err != nil {
		return nil, err
	}
	found, next, err := s.Store.ListExperiments(ctx, in.query())
	if err != nil {
		return nil, err
	}
	page := api.Page[api.Experiment]{Items: make([]api.Experiment, len(found)), Next: next, AsOf: asOf, LastEventID: last}
	for i, summary := range found {
		page.Items[i] = viewExperiment(summary)
		if summary.State != experiment.Running {
			continue // those are few, and an estimate has its price
		}
		if page.Items[i].RemainingS, err = s.remaining(ctx, summary); err != nil {
			return nil, err
		}
	}
	return &experimentsOutput{page}, nil
}

type experimentOutput struct{ Body api.ExperimentDetail }

func (s *server) getExperiment(ctx context.Context, in *experimentPath) (*experimentOutput, error) {
	detail, err := s.experimentDetail(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &experimentOutput{detail}, nil
}

// experimentDetail reads an experiment with its runs.
func (s *server) experimentDetail(ctx context.Context, id string) (api.ExperimentDetail, error) {
	asOf, last, err := moment(ctx, s.Store)
	if err != nil {
		return api.ExperimentDetail{}, err
	}
	summary, err := s.Store.Summary(ctx, id)
	if err != nil {
		return api.ExperimentDetail{}, err
	}
	runs, err := s.Store.Runs(ctx, id)
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
		if err := s.liven(ctx, &detail.RunList[i], summary.Plan.Workload.Stages, asOf); err != nil {
			return api.ExperimentDetail{}, err
		}
	}
	if summary.State != experiment.Ended {
		if detail.QueuedBefore, err = s.Store.QueuedBefore(ctx, id); err != nil {
			return api.ExperimentDetail{}, err
		}
		if detail.RemainingS, err = s.remaining(ctx, summary); err != nil {
			return api.ExperimentDetail{}, err
		}
	}
	return detail, nil
}

type acceptedExperiment struct{ Body api.ExperimentDetail }

func (s *server) cancelExperiment(ctx context.Context, in *experimentPath) (*acceptedExperiment, error) {
	summary, err := s.Store.Summary(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if summary.State == experiment.Ended {
		return nil, api.NewProblem(http.StatusConflict, "Experiment "+in.ID+" has ended; there is nothing to cancel.")
	}
	if err := s.Engine.Cancel(ctx, in.ID, "cancelled by "+caller(ctx)); err != nil {
		return nil, err
	}
	detail, err := s.experimentDetail(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &acceptedExperiment{detail}, nil
}

func (s *server) deleteExperiment(ctx context.Context, in *experimentPath) (*struct{}, error) {
	runs, err := s.Store.Delete(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	for _, run := range runs {
		if err := s.Evidence.Forget(ctx, run.ID); err != nil { // the experiment is gone all the same
			s.log.ErrorContext(ctx, "the files of a deleted run are still there", slog.String("run", run.ID), slog.Any("error", err))
		}
	}
	return nil, nil
}
