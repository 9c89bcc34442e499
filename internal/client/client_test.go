package client_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/client"
	"dec.local/dec/internal/experiment"
)

// serve starts a server with these handlers and returns a client of it that
// loses no time between tries.
func serve(t *testing.T, handlers map[string]http.HandlerFunc) *client.Client {
	t.Helper()
	mux := http.NewServeMux()
	for pattern, handler := range handlers {
		mux.HandleFunc(pattern, handler)
	}
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return dial(t, server.URL)
}

func dial(t *testing.T, url string) *client.Client {
	t.Helper()
	c, err := client.New(client.Options{URL: url, Token: "secret", Pause: time.Nanosecond, Silence: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// answer replies with a status and a body.
func answer(status int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}
}

func TestCallsCarryTheToken(t *testing.T) {
	c := serve(t, map[string]http.HandlerFunc{"GET /api/v1/session": func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `{"subject": %q}`, r.Header.Get("Authorization"))
	}})
	session, err := c.Session(t.Context())
	if err != nil || session.Subject != "Bearer secret" {
		t.Errorf("the server saw %q, %v, want the token", session.Subject, err)
	}
}

func TestProblemNamesTheFields(t *testing.T) {
	c := serve(t, map[string]http.HandlerFunc{"POST /api/v1/experiments": answer(422, "application/problem+json", `{
		"status": 422, "title": "Unprocessable Entity", "detail": "the plan is refused",
		"errors": [{"location": "body.variants[0].options.brokers", "message": "at most 9"}, {"location": "body", "message": "no variants"}]}`)})
	_, err := c.Submit(t.Context(), []byte(`{}`), "k")
	problem, ok := errors.AsType[*client.Problem](err)
	if !ok {
		t.Fatalf("Submit = %v, want a problem", err)
	}
	want := experiment.Problems{{Path: "variants[0].options.brokers", Message: "at most 9"}, {Message: "no variants"}}
	if diff := cmp.Diff(&want, problem.Faults()); diff != "" {
		t.Errorf("faults (-want +got):\n%s", diff)
	}
	if want := "the plan is refused\n  variants[0].options.brokers: at most 9\n  no variants"; err.Error() != want {
		t.Errorf("error = %q, want %q", err, want)
	}
}

func TestProblemsTellWhatToDo(t *testing.T) {
	tests := map[string]struct {
		status int
		body   string
		is     error
		want   string
	}{
		"unknown id":      {404, `{"detail": "no run r1"}`, experiment.ErrNotFound, "no run r1"},
		"wrong token":     {401, `{"detail": "It is not valid."}`, nil, "It is not valid; pass the server's token in DEC_TOKEN"},
		"a proxy's page":  {502, `<html>bad gateway</html>`, nil, "bad gateway"},
		"nothing at all":  {500, ``, nil, "500 Internal Server Error"},
		"only a title":    {409, `{"title": "Conflict"}`, nil, "Conflict"},
		"a JSON of other": {400, `[1]`, nil, "[1]"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := serve(t, map[string]http.HandlerFunc{"GET /api/v1/runs/r1": answer(tt.status, "application/json", tt.body)})
			_, err := c.Run(t.Context(), "r1")
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Run = %v, want a word on %q", err, tt.want)
			}
			if tt.is != nil && !errors.Is(err, tt.is) {
				t.Errorf("Run = %v, want it to match %v", err, tt.is)
			}
		})
	}
}

func TestOnlySafeCallsAreRepeated(t *testing.T) {
	tests := map[string]struct {
		call  func(*client.Client) error
		calls int32
	}{
		"a read":                   {func(c *client.Client) error { _, err := c.Catalog(t.Context()); return err }, 3},
		"a submission with a key":  {func(c *client.Client) error { _, err := c.Submit(t.Context(), nil, "k"); return err }, 3},
		"a dry run without a key":  {func(c *client.Client) error { _, err := c.DryRun(t.Context(), nil); return err }, 1},
		"a removal":                {func(c *client.Client) error { return c.DeleteExperiment(t.Context(), "e1") }, 3},
		"a cancellation of a post": {func(c *client.Client) error { return c.CancelRun(t.Context(), "r1") }, 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var calls atomic.Int32
			c := serve(t, map[string]http.HandlerFunc{"/": func(w http.ResponseWriter, r *http.Request) {
				if calls.Add(1) < 3 {
					w.WriteHeader(http.StatusServiceUnavailable)
					return
				}
				fmt.Fprint(w, `{}`)
			}})
			err := tt.call(c)
			if calls.Load() != tt.calls || (err == nil) != (tt.calls == 3) {
				t.Errorf("%d calls, error %v; want %d calls", calls.Load(), err, tt.calls)
			}
		})
	}
}

func TestUnreachableServerIsNamed(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	_, err := dial(t, server.URL).Catalog(t.Context())
	if !client.Unreachable(err) || !strings.Contains(err.Error(), server.URL) {
		t.Errorf("Catalog = %v, want that %s cannot be reached", err, server.URL)
	}
}

func TestListsGoThroughAllPages(t *testing.T) {
	c := serve(t, map[string]http.HandlerFunc{"GET /api/v1/experiments": func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("state") != "ended" {
			t.Errorf("query = %q, want the filter on each page", r.URL.RawQuery)
		}
		switch r.URL.Query().Get("cursor") {
		case "":
			fmt.Fprint(w, `{"items": [{"id": "e1"}, {"id": "e2"}], "next": "x"}`)
		case "x":
			fmt.Fprint(w, `{"items": [{"id": "e3"}]}`)
		}
	}})
	var ids []string
	for e, err := range c.AllExperiments(t.Context(), experiment.ExperimentQuery{State: experiment.Ended}) {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, e.ID)
	}
	if diff := cmp.Diff([]string{"e1", "e2", "e3"}, ids); diff != "" {
		t.Errorf("ids (-want +got):\n%s", diff)
	}
}

func TestDeferredShutdownIsAnAnswer(t *testing.T) {
	c := serve(t, map[string]http.HandlerFunc{"POST /api/v1/shutdown": answer(409, "application/json",
		`{"state": "draining", "deferred": true, "waits_for": [{"run": "r1", "phase": "load"}]}`)})
	got, err := c.RequestShutdown(t.Context(), true)
	if err != nil {
		t.Fatal(err)
	}
	want := api.Shutdown{State: "draining", Deferred: true, WaitsFor: []api.WaitingRun{{Run: "r1", Phase: experiment.PhaseLoad}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("shutdown (-want +got):\n%s", diff)
	}
}

func TestAddressesThatAreNone(t *testing.T) {
	for _, url := range []string{"", "localhost:8080", "ftp://x", "http://", "://"} {
		if _, err := client.New(client.Options{URL: url}); err == nil {
			t.Errorf("New(%q) has no error", url)
		}
	}
}
