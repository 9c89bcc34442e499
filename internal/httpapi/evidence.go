package httpapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

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
	keptEvidence
	Log(ctx context.Context, q experiment.LogQuery) (api.Log, error)
}

// keptEvidence lies beside the result of a run that was collected;
// [experiment.ErrUnavailable] while it can't be read.
type keptEvidence interface {
	KeptTimeline(ctx context.Context, r experiment.Run) ([]measure.Second, error)
	KeptHistograms(ctx context.Context, r experiment.Run) (map[measure.Distribution]string, error)
}

// packer makes archives of runs.
type packer interface {
	// Pack prepares a zip archive with everything that is stored of a run; it returns
	// the name without the ending, and what writes it. [experiment.ErrNotEnded] for a
	// run that goes on, [experiment.ErrUnavailable] when a part can't be read now.
	Pack(ctx context.Context, run string) (name string, write func(context.Context, io.Writer) error, err error)
}

// evidenceRoutes serve what a run measured and left.
type evidenceRoutes struct {
	clock    clock
	store    evidenceStore
	evidence runEvidence
	packer   packer
	log      *slog.Logger
}

func (e evidenceRoutes) add(a *registrar) {
	of := func(path, id, summary, description string) huma.Operation {
		op := call(http.MethodGet, "/runs/{id}"+path, id, "runs", summary)
		op.Description = description
		op.Errors = []int{http.StatusNotFound}
		return op
	}
	register(a, of("/result", "get-run-result", "Get the result of a run", "Not found until the run has been collected."), e.getResult)
	register(a, of("/timeline", "get-run-timeline", "Get the timeline of a run, second by second", "It grows during the load phase."), e.getTimeline)
	const growing = "Distributions of the measure stage. They grow during the load phase; " +
		"not found for a run that has not started, and for one that ended without a result."
	register(a, of("/histograms", "get-run-histograms", "Get the distributions of a run", growing), e.getHistograms)
	register(a, of("/resources", "get-run-resources", "List the resources of a run", "As reported by OpenTofu."), e.getResources)
	const lines = "The newest matching lines, oldest first; use 'before' for earlier lines."
	register(a, of("/log", "get-run-log", "Get the log of a run's processes", lines), e.getLog)

	op := of("/archive", "get-run-archive", "Download everything about a run in one file", "A self-contained zip archive: result, histograms, "+
		"timeline, plan, guarantees, receipt, events and logs, with a README. Only for runs that have ended.")
	op.Errors = append(op.Errors, http.StatusConflict)
	text(&op, "application/zip", "The archive.")
	op.Responses["200"].Content["application/zip"].Schema.Format = "binary"
	register(a, op, e.getArchive)
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
		return measure.Result{}, noResult(run)
	}
	result, err := measure.ReadResult(run.Result)
	if err != nil {
		return measure.Result{}, fmt.Errorf("run %s: %w", run.ID, err)
	}
	result.Agents = orEmpty(result.Agents)
	return result, nil
}

func noResult(run experiment.Run) error {
	return api.NewProblem(http.StatusNotFound, fmt.Sprintf("Run %s has no result; it is in phase %s.", run.ID, run.Phase))
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
		seconds, err := e.evidence.KeptTimeline(ctx, run)
		if err != nil {
			return nil, err
		}
		timeline.Complete = true
		seconds = slices.DeleteFunc(seconds, func(s measure.Second) bool { return s.Second <= in.After })
		timeline.Seconds = append(timeline.Seconds, seconds...)
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
	var histograms map[measure.Distribution]string
	switch {
	case len(run.Result) > 0:
		found.Complete = true
		histograms, err = e.evidence.KeptHistograms(ctx, run)
	case active(run.Phase):
		histograms, err = e.evidence.Histograms(ctx, in.ID)
	default:
		err = noResult(run)
	}
	if err != nil {
		return nil, err
	}
	maps.Copy(found.Histograms, histograms) // never null
	return &histogramsOutput{found}, nil
}

type logInput struct {
	RunPath
	Text   string `query:"q" maxLength:"200" doc:"Text that a line contains, ignoring case."`
	Source string `query:"source" maxLength:"100" doc:"One of the 'sources' of the response."`
	Level  string `query:"level" enum:"debug,info,warn,error" doc:"Minimum level."`
	Before string `query:"before" pattern:"^[A-Za-z0-9_.~=-]{1,512}$" patternDescription:"a cursor of this log" doc:"'before' of the last response."`
	Limit  int    `query:"limit" minimum:"1" maximum:"5000" default:"1000" doc:"Maximum number of lines."`
}

type logOutput struct{ Body api.Log }

func (e evidenceRoutes) getLog(ctx context.Context, in *logInput) (*logOutput, error) {
	if _, err := e.store.Run(ctx, in.ID); err != nil {
		return nil, err
	}
	log, err := e.evidence.Log(ctx, experiment.LogQuery{
		Run: in.ID, Text: in.Text, Source: in.Source, Level: in.Level, Before: in.Before, Limit: in.Limit,
	})
	if errors.Is(err, experiment.ErrCursor) {
		return nil, invalid(api.FieldError{Location: "query.before", Message: err.Error()})
	} else if err != nil {
		return nil, err
	}
	log.Run, log.Sources, log.Lines = in.ID, orEmpty(log.Sources), orEmpty(log.Lines)
	return &logOutput{log}, nil
}

type archiveOutput struct{ Body func(huma.Context) }

func (e evidenceRoutes) getArchive(ctx context.Context, in *RunPath) (*archiveOutput, error) {
	name, write, err := e.packer.Pack(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &archiveOutput{func(hctx huma.Context) {
		r, w := humago.Unwrap(hctx)
		w.Header().Set("Content-Type", "application/zip")
		w.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", name+".zip"))
		if r.Method == http.MethodHead {
			return
		}
		if err := write(ctx, &deadlineWriter{w, http.NewResponseController(w)}); err != nil {
			e.log.WarnContext(ctx, "an archive was not sent completely", slog.String("run", in.ID), slog.Any("error", err))
			panic(http.ErrAbortHandler) // the client sees that the rest is missing
		}
	}}, nil
}

// writeTime is how long a client may take for a part of a long answer.
const writeTime = 30 * time.Second

// deadlineWriter writes an answer, and extends its deadline with every part that the
// client takes.
type deadlineWriter struct {
	to      io.Writer
	control *http.ResponseController
}

func (p *deadlineWriter) Write(data []byte) (int, error) {
	_ = p.control.SetWriteDeadline(time.Now().Add(writeTime)) // a recorder has none
	return p.to.Write(data)
}
