package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
)

// evidenceStore reads what was stored of a run.
type evidenceStore interface {
	// Run is found with its result.
	Run(ctx context.Context, id string) (experiment.Run, error)
	Events(ctx context.Context, q experiment.EventQuery) ([]experiment.Event, error)
}

// runEvidence is what belongs to a run and is not in the database.
type runEvidence interface {
	// Seconds returns an active run's timeline from second after+1 on.
	Seconds(ctx context.Context, run string, after int) ([]measure.Second, error)
	// Histograms returns an active run's distributions of the measure stage so far,
	// V2-encoded; none before it.
	Histograms(ctx context.Context, run string) (map[measure.Distribution]string, error)
	Log(ctx context.Context, q experiment.LogQuery) (api.Log, error)
}

// evidenceRoutes serve what a run measured and left.
type evidenceRoutes struct {
	clock    clock
	store    evidenceStore
	evidence runEvidence
}

func (e evidenceRoutes) add(a *registrar) {
	of := func(path, id, summary, description string) huma.Operation {
		op := call(http.MethodGet, "/runs/{id}"+path, id, "runs", summary)
		op.Description = description
		op.Errors = []int{http.StatusNotFound}
		return op
	}
	register(a, of("/result", "get-run-result", "What a run measured", "Not found until it was collected."), e.getResult)
	register(a, of("/timeline", "get-run-timeline", "A run second by second", "It grows while the run is loaded."), e.getTimeline)
	register(a, of("/histograms", "get-run-histograms", "The distributions of a run", "Of the measure stage. They grow while the run is loaded; not found for a run that has not begun, and for one that ended without a result."), e.getHistograms)
	register(a, of("/resources", "get-run-resources", "The real objects of a run", "As OpenTofu told of them."), e.getResources)
	register(a, of("/log", "get-run-log", "What a run's processes wrote", "The newest lines that match, oldest first; go back with 'before'."), e.getLog)
}

type resultOutput struct{ Body measure.Result }

func (e evidenceRoutes) getResult(ctx context.Context, in *RunPath) (*resultOutput, error) {
	run, err := e.store.Run(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	result, err := resultOf(run)
	if err != nil {
		return nil, err
	}
	return &resultOutput{result}, nil
}

// resultOf reads the result of a run, which is not found where it has none.
func resultOf(run experiment.Run) (measure.Result, error) {
	if len(run.Result) == 0 {
		return measure.Result{}, api.NewProblem(http.StatusNotFound, fmt.Sprintf("Run %s has no result; it is in phase %s.", run.ID, run.Phase))
	}
	return decodeResult(run)
}

// decodeResult reads the result of a run that has one.
func decodeResult(run experiment.Run) (measure.Result, error) {
	var result measure.Result
	if err := json.Unmarshal(run.Result, &result); err != nil {
		return measure.Result{}, fmt.Errorf("read the result of run %s: %w", run.ID, err)
	}
	result.Agents, result.Timeline = orEmpty(result.Agents), orEmpty(result.Timeline)
	if result.Histograms == nil {
		result.Histograms = map[measure.Distribution]string{}
	}
	for i := range result.Timeline {
		fillSecond(&result.Timeline[i])
	}
	return result, nil
}

// fillSecond keeps null out of JSON.
func fillSecond(s *measure.Second) {
	if s.Latencies == nil {
		s.Latencies = map[measure.Distribution]measure.Latency{}
	}
}

type timelineInput struct {
	RunPath
	After int `query:"after" minimum:"-1" maximum:"1000000" default:"-1" doc:"Only seconds after this one."`
}

type timelineOutput struct{ Body api.Timeline }

func (e evidenceRoutes) getTimeline(ctx context.Context, in *timelineInput) (*timelineOutput, error) {
	asOf, _, err := moment(ctx, e.clock)
	if err != nil {
		return nil, err
	}
	run, err := e.store.Run(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	timeline := api.Timeline{Run: in.ID, Seconds: []measure.Second{}, AsOf: asOf}
	switch {
	case len(run.Result) > 0:
		result, err := decodeResult(run)
		if err != nil {
			return nil, err
		}
		timeline.Complete = true
		timeline.Seconds = append(timeline.Seconds, slices.DeleteFunc(result.Timeline, func(second measure.Second) bool { return second.Second <= in.After })...)
	case run.Phase == experiment.PhaseEnded:
		timeline.Complete = true
	case active(run.Phase):
		seconds, err := e.evidence.Seconds(ctx, in.ID, in.After)
		if err != nil {
			return nil, err
		}
		timeline.Seconds = append(timeline.Seconds, seconds...)
	}
	for i := range timeline.Seconds {
		fillSecond(&timeline.Seconds[i])
	}
	return &timelineOutput{timeline}, nil
}

type histogramsOutput struct{ Body api.Histograms }

func (e evidenceRoutes) getHistograms(ctx context.Context, in *RunPath) (*histogramsOutput, error) {
	asOf, _, err := moment(ctx, e.clock)
	if err != nil {
		return nil, err
	}
	run, err := e.store.Run(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	found := api.Histograms{Run: in.ID, Histograms: map[measure.Distribution]string{}, AsOf: asOf}
	if len(run.Result) == 0 && active(run.Phase) {
		live, err := e.evidence.Histograms(ctx, in.ID)
		if err != nil {
			return nil, err
		}
		maps.Copy(found.Histograms, live) // never null
		return &histogramsOutput{found}, nil
	}
	result, err := resultOf(run)
	if err != nil {
		return nil, err
	}
	found.Complete, found.Histograms = true, result.Histograms
	return &histogramsOutput{found}, nil
}

type logInput struct {
	RunPath
	Text   string `query:"q" maxLength:"200" doc:"Part of a line, whatever the case."`
	Source string `query:"source" maxLength:"100" doc:"One of 'sources'."`
	Level  string `query:"level" enum:"debug,info,warn,error" doc:"This one and worse."`
	Before string `query:"before" pattern:"^[A-Za-z0-9_.~=-]{1,512}$" patternDescription:"a cursor of this log" doc:"From 'before' of the answer before."`
	Limit  int    `query:"limit" minimum:"1" maximum:"5000" default:"1000" doc:"Lines at most."`
}

type logOutput struct{ Body api.Log }

func (e evidenceRoutes) getLog(ctx context.Context, in *logInput) (*logOutput, error) {
	if _, err := e.store.Run(ctx, in.ID); err != nil {
		return nil, err
	}
	log, err := e.evidence.Log(ctx, experiment.LogQuery{Run: in.ID, Text: in.Text, Source: in.Source, Level: in.Level, Before: in.Before, Limit: in.Limit})
	if errors.Is(err, experiment.ErrCursor) {
		return nil, invalid(api.FieldError{Location: "query.before", Message: err.Error()})
	} else if err != nil {
		return nil, err
	}
	log.Run, log.Sources, log.Lines = in.ID, orEmpty(log.Sources), orEmpty(log.Lines)
	return &logOutput{log}, nil
}
