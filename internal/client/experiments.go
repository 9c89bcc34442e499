package client

import (
	"context"
	"io"
	"iter"
	"net/http"
	"net/url"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/experiment"
)

// Submit admits the plan, given as JSON. Sent again with the same key it is the
// same experiment.
func (c *Client) Submit(ctx context.Context, plan []byte, key string) (api.ExperimentDetail, error) {
	return decode[api.ExperimentDetail](c.do(ctx, call{method: http.MethodPost, path: "experiments", body: plan,
		header: http.Header{"Content-Type": {"application/json"}, "Idempotency-Key": {key}}}))
}

// DryRun checks a plan, given as JSON, and tells what it would do.
func (c *Client) DryRun(ctx context.Context, plan []byte) (api.DryRun, error) {
	return decode[api.DryRun](c.do(ctx, call{method: http.MethodPost, path: "experiments", body: plan,
		query: values("dry_run", "true"), header: http.Header{"Content-Type": {"application/json"}}}))
}

// Experiments returns one page of those that q picks.
func (c *Client) Experiments(ctx context.Context, q experiment.ExperimentQuery) (api.Page[api.Experiment], error) {
	query := values("q", q.Text, "state", string(q.State), "technology", q.Technology, "target", q.Target,
		"plan", q.Digest, "by", q.By, "cursor", q.Cursor, "limit", number(q.Limit))
	if q.Oldest {
		query.Set("order", "oldest")
	}
	return get[api.Page[api.Experiment]](ctx, c, "experiments", query)
}

// AllExperiments goes through the pages of those that q picks.
func (c *Client) AllExperiments(ctx context.Context, q experiment.ExperimentQuery) iter.Seq2[api.Experiment, error] {
	return pages(func(cursor string) (api.Page[api.Experiment], error) {
		q.Cursor = cursor
		return c.Experiments(ctx, q)
	})
}

// pages goes through a list, page by page.
func pages[T any](read func(cursor string) (api.Page[T], error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for cursor := ""; ; {
			page, err := read(cursor)
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, item := range page.Items {
				if !yield(item, nil) {
					return
				}
			}
			if cursor = page.Next; cursor == "" {
				return
			}
		}
	}
}

// Experiment returns one experiment with its runs.
func (c *Client) Experiment(ctx context.Context, id string) (api.ExperimentDetail, error) {
	return get[api.ExperimentDetail](ctx, c, below("experiments", id), nil)
}

// CancelExperiment ends an experiment; its active runs are destroyed.
func (c *Client) CancelExperiment(ctx context.Context, id string) error {
	return discard(c.do(ctx, call{method: http.MethodPost, path: below("experiments", id, "cancel")}))
}

// DeleteExperiment removes an ended experiment with its results.
func (c *Client) DeleteExperiment(ctx context.Context, id string) error {
	return discard(c.do(ctx, call{method: http.MethodDelete, path: below("experiments", id)}))
}

// ExperimentComparison returns what an experiment found.
func (c *Client) ExperimentComparison(ctx context.Context, id string) (api.Comparison, error) {
	return get[api.Comparison](ctx, c, below("experiments", id, "comparison"), nil)
}

// Form is a form of a comparison that is written as a file.
type Form string

// The forms of a comparison.
const (
	CSV  Form = ".csv"
	HTML Form = ".html"
)

// Compare puts picked runs side by side.
func (c *Client) Compare(ctx context.Context, runs []string) (api.Comparison, error) {
	return get[api.Comparison](ctx, c, "comparison", url.Values{"run": runs})
}

// WriteComparison writes picked runs side by side as a file.
func (c *Client) WriteComparison(ctx context.Context, w io.Writer, runs []string, form Form) error {
	return c.writeForm(ctx, w, "comparison", url.Values{"run": runs}, form)
}

// WriteExperimentComparison writes what an experiment found as a file.
func (c *Client) WriteExperimentComparison(ctx context.Context, w io.Writer, id string, form Form) error {
	return c.writeForm(ctx, w, below("experiments", id, "comparison"), nil, form)
}

func (c *Client) writeForm(ctx context.Context, w io.Writer, path string, query url.Values, form Form) error {
	accept := map[Form]string{CSV: "text/csv", HTML: "text/html"}[form]
	answer, err := c.do(ctx, call{method: http.MethodGet, path: path + string(form), query: query, accept: accept})
	return copyTo(w, answer, err)
}
