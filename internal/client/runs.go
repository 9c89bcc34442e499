package client

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"mime"
	"net/http"
	"path/filepath"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
)

// Runs returns one page of those that q picks.
func (c *Client) Runs(ctx context.Context, q experiment.RunQuery) (api.Page[api.Run], error) {
	return get[api.Page[api.Run]](ctx, c, "runs", values("experiment", q.Experiment, "phase", string(q.Phase),
		"outcome", string(q.Outcome), "teardown", string(q.Teardown), "technology", q.Technology, "target", q.Target,
		"cursor", q.Cursor, "limit", number(q.Limit)))
}

// AllRuns goes through the pages of those that q picks.
func (c *Client) AllRuns(ctx context.Context, q experiment.RunQuery) iter.Seq2[api.Run, error] {
	return pages(func(cursor string) (api.Page[api.Run], error) {
		q.Cursor = cursor
		return c.Runs(ctx, q)
	})
}

// Run returns one run without its result.
func (c *Client) Run(ctx context.Context, id string) (api.RunDetail, error) {
	return get[api.RunDetail](ctx, c, below("runs", id), nil)
}

// Result returns what a run measured, or [experiment.ErrNotFound] before it was
// collected.
func (c *Client) Result(ctx context.Context, id string) (measure.Result, error) {
	return get[measure.Result](ctx, c, below("runs", id, "result"), nil)
}

// Timeline returns a run second by second, all from second 0 on.
func (c *Client) Timeline(ctx context.Context, id string) (api.Timeline, error) {
	return get[api.Timeline](ctx, c, below("runs", id, "timeline"), nil)
}

// Histograms returns the distributions of a run.
func (c *Client) Histograms(ctx context.Context, id string) (api.Histograms, error) {
	return get[api.Histograms](ctx, c, below("runs", id, "histograms"), nil)
}

// Resources returns the real objects of a run.
func (c *Client) Resources(ctx context.Context, id string) (api.Resources, error) {
	return get[api.Resources](ctx, c, below("runs", id, "resources"), nil)
}

// Log returns the last lines that q picks.
func (c *Client) Log(ctx context.Context, q experiment.LogQuery) (api.Log, error) {
	return get[api.Log](ctx, c, below("runs", q.Run, "log"),
		values("q", q.Text, "source", q.Source, "level", q.Level, "before", q.Before, "limit", number(q.Limit)))
}

// CancelRun ends one run; what exists of it is destroyed.
func (c *Client) CancelRun(ctx context.Context, id string) error {
	return discard(c.do(ctx, call{method: http.MethodPost, path: below("runs", id, "cancel")}))
}

// Archive returns everything that is stored of a run which has ended, as a zip
// archive, and a name for the file. The caller closes it; a read fails when the
// archive did not arrive whole.
func (c *Client) Archive(ctx context.Context, id string) (name string, archive io.ReadCloser, err error) {
	answer, err := c.do(ctx, call{method: http.MethodGet, path: below("runs", id, "archive"), accept: "application/zip"})
	if err != nil {
		return "", nil, err
	}
	_, parameters, err := mime.ParseMediaType(answer.Header.Get("Content-Disposition"))
	if name = filepath.Base(parameters["filename"]); err != nil || name == "." {
		name = id + ".zip"
	}
	return name, answer.Body, nil
}

// WholeRun returns a run with its receipt and everything that it measured.
func (c *Client) WholeRun(ctx context.Context, id string) (experiment.Run, error) {
	r, err := c.Run(ctx, id)
	if err != nil {
		return experiment.Run{}, err
	}
	run := experiment.Run{
		ID: r.ID, Experiment: r.Experiment, Variant: r.Variant, Order: r.Order, Round: r.Round, Extra: r.Extra,
		SystemDied: r.SystemDied, Phase: r.Phase, Outcome: r.Outcome,
		Validity: r.Validity, Teardown: r.Teardown, Reason: r.Reason, Since: r.Since, StartedAt: r.StartedAt, EndedAt: r.EndedAt,
		Phases: r.Phases, Receipt: r.Receipt,
	}
	if r.HasResult {
		run.Result, err = c.wholeResult(ctx, id)
	}
	return run, err
}

// wholeResult reads a result with its timeline and histograms, which the API
// serves apart.
func (c *Client) wholeResult(ctx context.Context, run string) (json.RawMessage, error) {
	result, err := c.Result(ctx, run)
	if err != nil {
		return nil, err
	}
	timeline, err := c.Timeline(ctx, run)
	if err != nil {
		return nil, err
	}
	histograms, err := c.Histograms(ctx, run)
	if err != nil {
		return nil, err
	}
	data, err := json.Marshal(measure.Merged{Result: result, Timeline: timeline.Seconds, Histograms: histograms.Histograms})
	if err != nil {
		return nil, fmt.Errorf("result of run %s: %w", run, err)
	}
	return data, nil
}
