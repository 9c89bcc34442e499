package httpapi

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/report"
)

func (s *server) routeComparisons() {
	const csv, html = "text/csv", "text/html"
	describe := func(path, id, summary, description string) huma.Operation {
		op := call(http.MethodGet, path, id, "experiments", summary)
		op.Description = description
		op.Errors = []int{http.StatusNotFound}
		return op
	}
	const whole = "Statistics, fairness and where the configurations differ. There is a verdict once all runs have ended."
	register(s, describe("/experiments/{id}/comparison", "get-experiment-comparison", "The answer of an experiment", whole), s.compareExperiment)
	const picked = "At most 40 runs of one or of several experiments. Without a verdict where they were not planned together."
	register(s, describe("/comparison", "compare-runs", "Compare picked runs", picked), s.compareRuns)

	for _, form := range []struct {
		ending, mediaType, summary string
		write                      func(io.Writer, report.Report) error
	}{{".csv", csv, "as CSV, one row per run", report.CSV}, {".html", html, "as one HTML file without outside parts", report.HTML}} {
		op := describe("/experiments/{id}/comparison"+form.ending, "get-experiment-comparison-"+form.ending[1:], "The answer of an experiment, "+form.summary, "")
		text(&op, form.mediaType, "The report.")
		register(s, op, func(ctx context.Context, in *experimentPath) (*fileOutput, error) {
			r, err := s.experimentReport(ctx, in.ID)
			return file(r.Report, form.mediaType, in.ID+form.ending, form.write, err)
		})
		op = describe("/comparison"+form.ending, "compare-runs-"+form.ending[1:], "Compare picked runs, "+form.summary, picked)
		text(&op, form.mediaType, "The report.")
		register(s, op, func(ctx context.Context, in *pickedInput) (*fileOutput, error) {
			r, err := s.pickedReport(ctx, *in)
			return file(r.Report, form.mediaType, "comparison"+form.ending, form.write, err)
		})
	}
}

type fileOutput struct {
	ContentType string `header:"Content-Type" hidden:"true"`
	Disposition string `header:"Content-Disposition" hidden:"true"`
	Policy      string `header:"Content-Security-Policy" hidden:"true"`
	Body        []byte
}

// file writes a report that was made without err.
func file(r report.Report, mediaType, name string, write func(io.Writer, report.Report) error, err error) (*fileOutput, error) {
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := write(&out, r); err != nil {
		return nil, err
	}
	disposition := fmt.Sprintf("inline; filename=%q", name)
	return &fileOutput{ContentType: mediaType + "; charset=utf-8", Disposition: disposition, Policy: filePolicy(out.Bytes()), Body: out.Bytes()}, nil
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

func (s *server) compareExperiment(ctx context.Context, in *experimentPath) (*comparisonOutput, error) {
	r, err := s.experimentReport(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return s.viewComparison(ctx, r)
}

type pickedInput struct {
	Runs   []string          `query:"run,explode" required:"true" minItems:"1" maxItems:"40" uniqueItems:"true" pattern:"^r[a-z0-9]{9}$" patternDescription:"the id of a run" doc:"Repeat it for each run."`
	Metric experiment.Metric `query:"metric" enum:"e2e_p50,e2e_p90,e2e_p95,e2e_p99,e2e_p999,e2e_p9999,publish_p50,publish_p90,publish_p95,publish_p99,publish_p999,publish_p9999,throughput,cpu_per_million" doc:"Of runs that were not planned together; the first one's primary metric if absent."`
}

func (s *server) compareRuns(ctx context.Context, in *pickedInput) (*comparisonOutput, error) {
	r, err := s.pickedReport(ctx, *in)
	if err != nil {
		return nil, err
	}
	return s.viewComparison(ctx, r)
}

// compared is a report with the plan behind each of its variants.
type compared struct {
	report.Report
	sides []side
}

// experimentReport reads an experiment with all its results.
func (s *server) experimentReport(ctx context.Context, id string) (compared, error) {
	summary, err := s.Store.Summary(ctx, id)
	if err != nil {
		return compared{}, err
	}
	runs, err := s.Store.Runs(ctx, id)
	if err != nil {
		return compared{}, err
	}
	for i := range runs {
		if runs[i], err = s.Store.Run(ctx, runs[i].ID); err != nil { // with its receipt and result
			return compared{}, err
		}
	}
	o, err := s.reportOptions(ctx)
	if err != nil {
		return compared{}, err
	}
	r, err := report.New(summary.Experiment, runs, o)
	return compared{r, sidesOf(summary.Plan)}, err
}

func (s *server) reportOptions(ctx context.Context) (report.Options, error) {
	now, err := s.Store.Now(ctx)
	return report.Options{Version: s.Version, MadeAt: now, Titles: s.Titles}, err
}

// viewComparison shows a report.
func (s *server) viewComparison(ctx context.Context, r compared) (*comparisonOutput, error) {
	numbers, err := s.numbers(ctx, r.Runs)
	if err != nil {
		return nil, err
	}
	view := api.Comparison{
		Title: r.Experiment.Plan.Name, Comparison: r.Comparison, Fairness: r.Fairness, Caveats: orEmpty(r.Caveats), Runs: []api.ComparedRun{},
	}
	if view.Differences, err = differences(r.sides); err != nil {
		return nil, err
	}
	for _, run := range r.Runs {
		compared := api.ComparedRun{Run: viewRun(run, numbers[run.ID]), Excluded: r.Excluded(run.ID), Link: "/runs/" + run.ID}
		if len(run.Result) > 0 {
			result, err := decodeResult(run)
			if err != nil {
				return nil, err
			}
			compared.Counts, compared.Incidents = &result.Counts, result.Incidents
			compared.Metrics = map[experiment.Metric]*float64{}
			for _, m := range experiment.Metrics() {
				compared.Metrics[m] = nil
				if value, ok := report.Value(m, result); ok {
					compared.Metrics[m] = &value
				}
			}
		}
		view.Runs = append(view.Runs, compared)
	}
	return &comparisonOutput{view}, nil
}
