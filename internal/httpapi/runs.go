package httpapi

import (
	"context"
	"maps"
	"net/http"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/experiment"
)

func (s *server) routeRuns() {
	op := call(http.MethodGet, "/runs", "list-runs", "runs", "Runs")
	op.Description = "A page of them, the newest first; those of one experiment in their order."
	register(s.registrar, op, s.listRuns)

	op = call(http.MethodGet, "/runs/{id}", "get-run", "runs", "One run")
	op.Errors = []int{http.StatusNotFound}
	register(s.registrar, op, s.getRun)

	op = call(http.MethodPost, "/runs/{id}/cancel", "cancel-run", "runs", "Cancel a run")
	op.Description = "It is stopped and destroyed; the experiment goes on. The answer comes before that is done: see the events."
	op.DefaultStatus = http.StatusAccepted
	op.Errors = []int{http.StatusNotFound, http.StatusConflict}
	op.Metadata = map[string]any{auditAction: "run.cancel"}
	register(s.registrar, op, s.cancelRun)
}

type runsOutput struct{ Body api.Page[api.Run] }

func (s *server) listRuns(ctx context.Context, in *runsQuery) (*runsOutput, error) {
	asOf, last, err := moment(ctx, s.Store)
	if err != nil {
		return nil, err
	}
	runs, next, err := s.Store.ListRuns(ctx, in.query())
	if err != nil {
		return nil, err
	}
	names, err := s.names(ctx, runs)
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
func (s *server) names(ctx context.Context, runs []experiment.Run) (map[string]string, error) {
	names, known := map[string]string{}, map[string]bool{}
	for _, run := range runs {
		if known[run.Experiment] {
			continue
		}
		known[run.Experiment] = true
		summary, err := s.Store.Summary(ctx, run.Experiment)
		if err != nil {
			return nil, err
		}
		siblings, err := s.Store.Runs(ctx, run.Experiment)
		if err != nil {
			return nil, err
		}
		maps.Copy(names, summary.Plan.RunNames(siblings))
	}
	return names, nil
}

type runOutput struct{ Body api.RunDetail }

func (s *server) getRun(ctx context.Context, in *RunPath) (*runOutput, error) {
	detail, err := s.runDetail(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &runOutput{detail}, nil
}

// runDetail reads a run with what its page needs.
func (s *server) runDetail(ctx context.Context, id string) (api.RunDetail, error) {
	asOf, last, err := moment(ctx, s.Store)
	if err != nil {
		return api.RunDetail{}, err
	}
	run, err := s.Store.Run(ctx, id)
	if err != nil {
		return api.RunDetail{}, err
	}
	summary, err := s.Store.Summary(ctx, run.Experiment)
	if err != nil {
		return api.RunDetail{}, err
	}
	names, err := s.names(ctx, []experiment.Run{run})
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
	if err := s.liven(ctx, &detail.Run, stages, asOf); err != nil {
		return api.RunDetail{}, err
	}
	detail.LoadStartedAt = s.loadStart(ctx, id)
	return detail, nil
}

type acceptedRun struct{ Body api.RunDetail }

func (s *server) cancelRun(ctx context.Context, in *RunPath) (*acceptedRun, error) {
	run, err := s.Store.Run(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if !cancellable(run) {
		return nil, api.NewProblem(http.StatusConflict, "Run "+in.ID+" is in phase "+string(run.Phase)+"; there is nothing left to cancel.")
	}
	if err := s.Engine.Cancel(ctx, in.ID, "cancelled by "+caller(ctx)); err != nil {
		return nil, err
	}
	detail, err := s.runDetail(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &acceptedRun{detail}, nil
}
