package httpapi

import (
	"context"
	"log/slog"
	"net/http"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/experiment"
)

// experimentDeleter removes experiments.
type experimentDeleter interface {
	// Delete removes an ended experiment with all that is stored of it, and
	// returns its runs; [experiment.ErrBusy] while anything of it may live.
	Delete(ctx context.Context, experimentID string) ([]experiment.Run, error)
}

// runFiles are what lies beside the database.
type runFiles interface {
	// Forget removes the files of a deleted run.
	Forget(ctx context.Context, run string) error
}

// experimentRoutes serve experiments; [submitRoutes] take them.
type experimentRoutes struct {
	reader experimentReader
	engine canceller
	store  experimentDeleter
	files  runFiles
	log    *slog.Logger
}

func (e experimentRoutes) add(a *registrar) {
	op := call(http.MethodGet, "/experiments", "list-experiments", "experiments", "List experiments")
	op.Description = "One page of the list; continue with the cursor in 'next'."
	register(a, op, e.list)

	op = call(http.MethodGet, "/experiments/{id}", "get-experiment", "experiments", "Get an experiment with its plan, runs and verdict")
	op.Errors = []int{http.StatusNotFound}
	register(a, op, e.get)

	op = call(http.MethodPost, "/experiments/{id}/cancel", "cancel-experiment", "experiments", "Cancel an experiment")
	op.Description = "No further run of the experiment starts; its active runs are stopped and destroyed. The response does not wait for that; " +
		"follow the events."
	op.DefaultStatus = http.StatusAccepted
	op.Errors = []int{http.StatusNotFound, http.StatusConflict}
	op.Metadata = map[string]any{auditAction: "experiment.cancel"}
	register(a, op, e.cancel)

	op = call(http.MethodDelete, "/experiments/{id}", "delete-experiment", "experiments", "Delete an experiment and its results")
	op.Description = "Refused while parts of it may still exist."
	op.Errors = []int{http.StatusNotFound, http.StatusConflict}
	op.Metadata = map[string]any{auditAction: "experiment.delete"}
	register(a, op, e.delete)
}

type experimentsOutput struct {
	Body api.Page[api.Experiment]
}

func (e experimentRoutes) list(ctx context.Context, in *experimentsQuery) (*experimentsOutput, error) {
	page, err := e.reader.page(ctx, in.query())
	if err != nil {
		return nil, err
	}
	return &experimentsOutput{page}, nil
}

type experimentOutput struct{ Body api.ExperimentDetail }

func (e experimentRoutes) get(ctx context.Context, in *experimentPath) (*experimentOutput, error) {
	detail, err := e.reader.detail(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &experimentOutput{detail}, nil
}

type acceptedExperiment struct{ Body api.ExperimentDetail }

func (e experimentRoutes) cancel(ctx context.Context, in *experimentPath) (*acceptedExperiment, error) {
	summary, err := e.reader.store.Summary(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if summary.State == experiment.Ended {
		return nil, api.NewProblem(http.StatusConflict, "Experiment "+in.ID+" has ended; there is nothing to cancel.")
	}
	if err := e.engine.Cancel(ctx, in.ID, "cancelled by "+caller(ctx)); err != nil {
		return nil, err
	}
	detail, err := e.reader.detail(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &acceptedExperiment{detail}, nil
}

func (e experimentRoutes) delete(ctx context.Context, in *experimentPath) (*struct{}, error) {
	runs, err := e.store.Delete(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	for _, run := range runs {
		if err := e.files.Forget(ctx, run.ID); err != nil { // the experiment is gone all the same
			e.log.ErrorContext(ctx, "the files of a deleted run still exist", slog.String("run", run.ID), slog.Any("error", err))
		}
	}
	return nil, nil
}
