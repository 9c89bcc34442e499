package httpapi

import (
	"context"
	"maps"
	"net/http"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/experiment"
)

// runStore reads runs.
type runStore interface {
	// ListRuns returns a page and the cursor of the next one, "" on the last.
	ListRuns(ctx context.Context, q experiment.RunQuery) ([]experiment.Run, string, error)
	Run(ctx context.Context, id string) (experiment.Run, error) // with its receipt and result
	experimentRuns
}

// experimentRuns reads an experiment and its runs.
type experimentRuns interface {
	Summary(ctx context.Context, experimentID string) (experiment.Summary, error)
	Runs(ctx context.Context, experimentID string) ([]experiment.Run, error)
}

// canceller ends an experiment or a run, given by id.
type canceller interface {
	Cancel(ctx context.Context, id, reason string) error
}

// runRoutes serve runs.
type runRoutes struct {
	clock  clock
	store  runStore
	live   liveRuns
	engine canceller
}

func (r runRoutes) add(a *registrar) {
	op := call(http.MethodGet, "/runs", "list-runs", "runs", "List runs")
	op.Description = "One page of the list, newest first; runs of one experiment in the order in which they run."
	register(a, op, r.list)

	op = call(http.MethodGet, "/runs/{id}", "get-run", "runs", "Get a run")
	op.Errors = []int{http.StatusNotFound}
	register(a, op, r.get)

	op = call(http.MethodPost, "/runs/{id}/cancel", "cancel-run", "runs", "Cancel a run")
	op.Description = "The run is stopped and destroyed; the experiment continues. The response does not wait for that; follow the events."
	op.DefaultStatus = http.StatusAccepted
	op.Errors = []int{http.StatusNotFound, http.StatusConflict}
	op.Metadata = map[string]any{auditAction: "run.cancel"}
	register(a, op, r.cancel)
}

type runsOutput struct{ Body api.Page[api.Run] }

func (r runRoutes) list(ctx context.Context, in *runsQuery) (*runsOutput, error) {
	asOf, last, err := moment(ctx, r.clock)
	if err != nil {
		return nil, err
	}
	runs, next, err := r.store.ListRuns(ctx, in.query())
	if err != nil {
		return nil, err
	}
	names, err := names(ctx, r.store, runs)
	if err != nil {
		return nil, err
	}
	page := api.Page[api.Run]{Items: make([]api.Run, len(runs)), Next: next, AsOf: asOf, LastEventID: last}
	for i, run := range runs {
		page.Items[i] = viewRun(run, names[run.ID])
	}
	return &runsOutput{page}, nil
}

// names are the names of runs of any experiments, by id.
func names(ctx context.Context, store experimentRuns, runs []experiment.Run) (map[string]string, error) {
	names, known := map[string]string{}, map[string]bool{}
	for _, run := range runs {
		if known[run.Experiment] {
			continue
		}
		known[run.Experiment] = true
		summary, err := store.Summary(ctx, run.Experiment)
		if err != nil {
			return nil, err
		}
		siblings, err := store.Runs(ctx, run.Experiment)
		if err != nil {
			return nil, err
		}
		maps.Copy(names, summary.Plan.RunNames(siblings))
	}
	return names, nil
}

type runOutput struct{ Body api.RunDetail }

func (r runRoutes) get(ctx context.Context, in *RunPath) (*runOutput, error) {
	detail, err := r.detail(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &runOutput{detail}, nil
}

// detail reads a run with what its page needs.
func (r runRoutes) detail(ctx context.Context, id string) (api.RunDetail, error) {
	asOf, last, err := moment(ctx, r.clock)
	if err != nil {
		return api.RunDetail{}, err
	}
	run, err := r.store.Run(ctx, id)
	if err != nil {
		return api.RunDetail{}, err
	}
	summary, err := r.store.Summary(ctx, run.Experiment)
	if err != nil {
		return api.RunDetail{}, err
	}
	names, err := names(ctx, r.store, []experiment.Run{run})
	if err != nil {
		return api.RunDetail{}, err
	}
	stages := summary.Plan.Workload.Stages
	detail := api.RunDetail{
		Run: viewRun(run, names[id]), ExperimentName: summary.Plan.Name, Stages: stages,
		HasResult: len(run.Result) > 0, Receipt: run.Receipt, AsOf: asOf, LastEventID: last,
	}
	for _, v := range summary.Plan.Variants {
		if v.Label == run.Variant {
			detail.VariantPlan = v
		}
	}
	if err := r.live.fill(ctx, &detail.Run, stages, asOf); err != nil {
		return api.RunDetail{}, err
	}
	detail.LoadStartedAt = r.live.loadStart(ctx, id)
	return detail, nil
}

type acceptedRun struct{ Body api.RunDetail }

func (r runRoutes) cancel(ctx context.Context, in *RunPath) (*acceptedRun, error) {
	run, err := r.store.Run(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if !cancellable(run) {
		return nil, api.NewProblem(http.StatusConflict, "Run "+in.ID+" is in phase "+string(run.Phase)+"; there is nothing to cancel.")
	}
	if err := r.engine.Cancel(ctx, in.ID, "cancelled by "+caller(ctx)); err != nil {
		return nil, err
	}
	detail, err := r.detail(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &acceptedRun{detail}, nil
}
