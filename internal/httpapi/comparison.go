package httpapi

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/comparison"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/report"
)

// comparisonStore reads what is compared.
type comparisonStore interface {
	comparison.Archive
	Now(ctx context.Context) (time.Time, error) // of the database
	experimentRuns
}

// comparisonRoutes serve comparisons, and the reports of them.
type comparisonRoutes struct {
	store   comparisonStore
	options comparison.Options
	version string // of this server, for reports
	kept    report.Evidence
}

func (c comparisonRoutes) add(a *registrar) {
	describe := func(path, id, summary, description string) huma.Operation {
		op := call(http.MethodGet, path, id, "experiments", summary)
		op.Description = description
		op.Errors = []int{http.StatusNotFound}
		return op
	}
	const whole = "Statistics, fairness and differences between the configurations. The verdict is available once all runs have ended."
	register(a, describe("/experiments/{id}/comparison", "get-experiment-comparison", "Get the comparison of an experiment", whole),
		c.compareExperiment)
	const picked = "Compares up to 40 runs of one or several experiments. There is no verdict if they were not planned together."
	register(a, describe("/comparison", "compare-runs", "Compare selected runs", picked), c.compareRuns)

	for _, form := range []fileForm{
		{".csv", "text/csv", "as CSV, one row per run", report.CSV, false},
		{".html", "text/html", "as a self-contained HTML file", report.HTML, true},
	} {
		name := form.ending[1:]
		op := describe("/experiments/{id}/comparison"+form.ending, "get-experiment-comparison-"+name, "Get the comparison of an experiment, "+
			form.summary, "")
		text(&op, form.mediaType, "The report.")
		register(a, op, func(ctx context.Context, in *experimentPath) (*fileOutput, error) {
			f, err := c.experimentFindings(ctx, in.ID)
			return c.file(ctx, f, form, in.ID, err)
		})
		op = describe("/comparison"+form.ending, "compare-runs-"+name, "Compare selected runs, "+form.summary, picked)
		text(&op, form.mediaType, "The report.")
		register(a, op, func(ctx context.Context, in *pickedInput) (*fileOutput, error) {
			f, err := c.pickedFindings(ctx, *in)
			return c.file(ctx, f, form, "comparison", err)
		})
	}
}

// fileForm is a form of a comparison that is a file.
type fileForm struct {
	ending, mediaType, summary string
	write                      func(io.Writer, report.Document) error
	drawn                      bool // it has charts of every run
}

// tracing is how long the charts of a file may take to be read.
const tracing = time.Minute

type fileOutput struct {
	ContentType string `header:"Content-Type" hidden:"true"`
	Disposition string `header:"Content-Disposition" hidden:"true"`
	Policy      string `header:"Content-Security-Policy" hidden:"true"`
	Body        []byte
}

// file writes findings that were made without err.
func (c comparisonRoutes) file(ctx context.Context, f findings, form fileForm, name string, err error) (*fileOutput, error) {
	if err != nil {
		return nil, err
	}
	now, err := c.store.Now(ctx)
	if err != nil {
		return nil, err
	}
	d := report.Document{Comparison: f.comparison, Set: f.set, Version: c.version, MadeAt: now.UTC()}
	if form.drawn {
		soon, cancel := context.WithTimeout(ctx, tracing)
		defer cancel()
		d.Traces = report.ReadTraces(soon, f.set, c.kept)
	}
	var out bytes.Buffer
	if err := form.write(&out, d); err != nil {
		return nil, err
	}
	disposition := fmt.Sprintf("inline; filename=%q", name+form.ending)
	return &fileOutput{
		ContentType: form.mediaType + "; charset=utf-8", Disposition: disposition, Policy: filePolicy(out.Bytes()), Body: out.Bytes(),
	}, nil
}

// filePolicy lets a report that is shown by a browser have its own styles, and
// nothing else.
func filePolicy(page []byte) string {
	styles := "'none'"
	if _, rest, ok := bytes.Cut(page, []byte("<style>")); ok {
		style, _, _ := bytes.Cut(rest, []byte("</style>"))
		sum := sha256.Sum256(style)
		styles = "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	return "default-src 'none'; style-src " + styles + "; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}

type comparisonOutput struct{ Body api.Comparison }

func (c comparisonRoutes) compareExperiment(ctx context.Context, in *experimentPath) (*comparisonOutput, error) {
	f, err := c.experimentFindings(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return c.viewComparison(ctx, f)
}

type pickedInput struct {
	Runs   []runID    `query:"run,explode" required:"true" minItems:"1" maxItems:"40" uniqueItems:"true" doc:"ID of a run; repeat it for each run."`
	Metric metricName `query:"metric" doc:"Metric for runs that were not planned together. Default: the primary metric of the first run."`
}

func (c comparisonRoutes) compareRuns(ctx context.Context, in *pickedInput) (*comparisonOutput, error) {
	f, err := c.pickedFindings(ctx, *in)
	if err != nil {
		return nil, err
	}
	return c.viewComparison(ctx, f)
}

// findings are a comparison with the runs behind it.
type findings struct {
	set        *comparison.Set
	comparison comparison.Comparison
}

// find compares a set that was made without err.
func (c comparisonRoutes) find(set *comparison.Set, err error) (findings, error) {
	if err != nil {
		return findings{}, err
	}
	compared, err := comparison.New(set, c.options)
	return findings{set, compared}, err
}

// experimentFindings reads an experiment with all its results. One that has
// ended has the verdict that was kept then.
func (c comparisonRoutes) experimentFindings(ctx context.Context, id string) (findings, error) {
	summary, err := c.store.Summary(ctx, id)
	if err != nil {
		return findings{}, err
	}
	if summary.Verdict != nil {
		f, err := c.find(comparison.ReadSet(ctx, c.store, summary.Experiment))
		f.comparison = f.comparison.WithVerdict(summary.Verdict)
		return f, err
	}
	set, found, err := comparison.OfExperiment(ctx, c.store, summary.Experiment, c.options)
	return findings{set, found}, err
}

// pickedFindings compares picked runs: those of one experiment as such, others
// side by side. There is a verdict only of all the runs of one.
func (c comparisonRoutes) pickedFindings(ctx context.Context, in pickedInput) (findings, error) {
	var runs []experiment.Run
	var experiments []experiment.Experiment
	known := map[string]bool{}
	for _, id := range in.Runs {
		run, err := c.store.Run(ctx, string(id))
		if err != nil {
			return findings{}, err
		}
		runs = append(runs, run)
		if known[run.Experiment] {
			continue
		}
		known[run.Experiment] = true
		summary, err := c.store.Summary(ctx, run.Experiment)
		if err != nil {
			return findings{}, err
		}
		experiments = append(experiments, summary.Experiment)
	}
	if len(experiments) > 1 {
		return c.find(comparison.PutTogether(experiments, runs, experiment.Metric(in.Metric)))
	}
	all, err := c.store.Runs(ctx, experiments[0].ID)
	if err != nil {
		return findings{}, err
	}
	if len(runs) == len(all) {
		return c.experimentFindings(ctx, experiments[0].ID)
	}
	return c.find(comparison.Pick(experiments[0], runs, len(all)))
}

// viewComparison shows findings.
func (c comparisonRoutes) viewComparison(ctx context.Context, f findings) (*comparisonOutput, error) {
	runs := make([]experiment.Run, len(f.set.Runs))
	for i, run := range f.set.Runs {
		runs[i] = run.Run
	}
	names, err := names(ctx, c.store, runs)
	if err != nil {
		return nil, err
	}
	view := api.Comparison{Comparison: f.comparison, Runs: make([]api.ComparedRun, len(runs))}
	for i, run := range f.set.Runs {
		view.Runs[i] = api.ComparedRun{Run: viewRun(run.Run, names[run.ID]), Excluded: run.Excluded(), Link: "/runs/" + run.ID}
		if run.Result == nil {
			continue
		}
		view.Runs[i].Counts, view.Runs[i].Incidents = &run.Result.Counts, run.Result.Incidents
		view.Runs[i].Metrics = comparison.Values(*run.Result)
	}
	return &comparisonOutput{view}, nil
}
