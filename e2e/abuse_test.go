package e2e

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
)

// abused is a plan with time to attack the server while it is measured.
const abused = `
name: abused
workload:
  load: {rate: 200}
  stages: {warmup: 1s, measure: 30s, drain: 10s}
variants:
` + natsVariant + "repeat: 1\n" + once

// TestAbuseIsRefusedAndARunDoesNotNotice attacks a server in all the ways that
// need no knowledge of it, while it measures.
func TestAbuseIsRefusedAndARunDoesNotNotice(t *testing.T) {
	t.Parallel()
	w := newInstallation(t)
	s := w.serve()
	id := s.post(abused)
	run := s.awaitPhase(id, experiment.PhaseLoad)
	ended := make(chan error, 1) // a stream that was open before must stay open
	go func() { ended <- s.untilOutcome(t.Context(), run) }()

	t.Run("no token", func(t *testing.T) { s.withoutToken(t, id, run) })
	t.Run("wrong host", func(t *testing.T) { s.wrongHost(t) })
	t.Run("other origin", func(t *testing.T) { s.otherOrigin(t, id) })
	t.Run("paths", func(t *testing.T) { s.paths(t, run) })
	t.Run("large bodies", func(t *testing.T) { s.largeBodies(t) })
	t.Run("connections", func(t *testing.T) { s.connections(t, id, 10_000) })

	if r := get[api.RunDetail](s, "/runs/"+run); r.Phase != experiment.PhaseLoad {
		t.Errorf("the run is in phase %s: the attack was not over while it was measured", r.Phase)
	}
	if err := <-ended; err != nil {
		t.Fatalf("the stream of the run: %v; the server said:\n%s", err, s.lines.text())
	}
	r := get[api.RunDetail](s, "/runs/"+run)
	if r.Outcome != experiment.Succeeded || r.Teardown != experiment.TeardownClean {
		t.Errorf("the run = %s, %s (%s); want succeeded, clean", r.Outcome, r.Teardown, r.Reason)
	}
	result := get[measure.Result](s, "/runs/"+run+"/result")
	// What a loaded machine could not send is unsent, and nothing else.
	if c := result.Counts; c.Offered != 6_000 || c.Sent < 3_000 || c.Acked != c.Sent || c.Received != c.Sent || c.Lost+c.Duplicates+c.Corrupt+c.Reordered != 0 {
		t.Errorf("counts = %+v, want 6000 offered, what was sent acked and received, nothing else", c)
	}
	t.Logf("validity of the run: %+v", r.Validity)
	s.awaitEnd(id)
	s.stop(syscall.SIGTERM)
	w.assertNothingLeft()
}

// untilOutcome reads the stream of a run to its end, without resuming it.
func (s *server) untilOutcome(ctx context.Context, run string) error {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	for e, err := range s.events(ctx, "after=0&run="+run) {
		if err != nil {
			return err
		}
		var event experiment.Event
		if err := json.Unmarshal(e.data, &event); e.event == api.EventStored && (err != nil || event.Kind == experiment.EventOutcome) {
			return err
		}
	}
	return nil
}

// attempt makes a request without a token, unless change adds one.
func (s *server) attempt(t *testing.T, method, path, body string, change func(*http.Request)) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	if change != nil {
		change(request)
	}
	response, err := http.DefaultTransport.RoundTrip(request) // follows no redirect
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return response.StatusCode, string(answer)
}

func (s *server) authorize(r *http.Request) { r.Header.Set("Authorization", "Bearer "+s.token) }

func (s *server) withoutToken(t *testing.T, id, run string) {
	for _, path := range []string{"/livez", "/readyz", "/healthz"} {
		if status, body := s.attempt(t, "GET", path, "", nil); status != http.StatusOK {
			t.Errorf("GET %s = %d %s, want 200 for everybody", path, status, body)
		}
	}
	calls := s.operations(id, run)
	if len(calls) < 25 {
		t.Errorf("the document describes %d calls", len(calls))
	}
	calls = append(calls, operation{"GET", "/metrics"}, operation{"GET", "/api/openapi.json"}, operation{"GET", "/api/openapi.yaml"}, operation{"PUT", "/api/v1/catalog"}, operation{"GET", "/api/v1/nothing"})
	for name, change := range map[string]func(*http.Request){
		"no token":      nil,
		"a wrong token": func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+strings.Repeat("x", len(s.token))) },
		"a wrong scheme": func(r *http.Request) {
			r.SetBasicAuth("admin", s.token)
		},
		"a wrong cookie": func(r *http.Request) { r.Header.Set("Cookie", "dec_session="+s.token) },
	} {
		for _, c := range calls {
			body := ""
			switch {
			case c.path == api.Prefix+"/session" && c.method == "POST":
				body = `{"code": "AAAAAAAAAAAAAAAAAAAAAAAAAA"}`
			case c.method == "POST":
				body = "{}"
			}
			if status, answer := s.attempt(t, c.method, c.path, body, change); status != http.StatusUnauthorized || strings.Contains(answer, run) {
				t.Errorf("%s %s with %s = %d %.200s, want 401", c.method, c.path, name, status, answer)
			}
		}
	}
}

func (s *server) wrongHost(t *testing.T) {
	for _, host := range []string{"evil.example", "evil.example:80", "127.0.0.1.evil.example"} {
		for _, path := range []string{"/", "/livez", api.Prefix + "/experiments", api.Prefix + "/session"} {
			status, body := s.attempt(t, "GET", path, "", func(r *http.Request) { s.authorize(r); r.Host = host })
			if status != http.StatusForbidden {
				t.Errorf("GET %s of host %s = %d %.200s, want 403", path, host, status, body)
			}
		}
	}
}

func (s *server) otherOrigin(t *testing.T, id string) {
	for name, change := range map[string]func(http.Header){
		"an origin":          func(h http.Header) { h.Set("Origin", "https://evil.example") },
		"no origin at all":   func(h http.Header) { h.Set("Origin", "null") },
		"the browser's word": func(h http.Header) { h.Set("Sec-Fetch-Site", "cross-site") },
	} {
		for _, path := range []string{"/experiments", "/experiments/" + id + "/cancel", "/shutdown", "/session"} {
			status, body := s.attempt(t, "POST", api.Prefix+path, "{}", func(r *http.Request) { s.authorize(r); change(r.Header) })
			if status != http.StatusForbidden {
				t.Errorf("POST %s with %s = %d %.200s, want 403", path, name, status, body)
			}
		}
	}
	if state := get[api.Shutdown](s, "/shutdown").State; state != "none" {
		t.Errorf("shutdown = %s after refused writes", state)
	}
}

func (s *server) paths(t *testing.T, run string) {
	up := strings.Repeat("..%2F", 12)
	for path, refused := range map[string]bool{
		"/../../../../../../etc/passwd":               true,
		"/%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd":     true,
		"/..%2f..%2f..%2f..%2fetc%2fpasswd":           true,
		"/assets/../../token":                         true,
		"/assets/..%2f..%2ftoken":                     true,
		"/assets/%2E%2E/%2e%2e/token":                 true,
		"/..%5c..%5ctoken":                            true,
		"/%00/token":                                  true,
		"//etc/passwd":                                true,
		"/assets//etc/passwd":                         true,
		"/api/../token":                               true,
		"/api/v1/runs/../../../token":                 true,
		"/api/v1/runs/..%2f..%2ftoken/log":            true,
		"/api/v1/runs/" + run + "/../../../token":     true,
		"/api/v1/comparison.html?run=" + up + "token": true,
		"/api/v1/runs/" + run + "/log?before=" + up:   true,
		"/%252e%252e/token":                           false, // decoded once, a name like any other
		"/token":                                      false, // a path of the page
		"/server.json":                                false,
		"/api/v1/runs/" + run + "/log?source=" + up + "etc%2Fpasswd": false, // no such source
		"/api/v1/runs/" + run + "/log?source=" + up[:15] + "token":   false,
	} {
		status, body := s.attempt(t, "GET", path, "", s.authorize)
		for _, secret := range []string{"root:", s.token, "SQLite", `"pid"`} {
			if strings.Contains(body, secret) {
				t.Errorf("GET %s tells what is in a file: %.300s", path, body)
			}
		}
		if refused != (status/100 == 4) {
			t.Errorf("GET %s = %d %.300s; want it refused: %v", path, status, body, refused)
		}
	}
}

// operation is a call that the OpenAPI document describes.
type operation struct{ method, path string }

// operations are all of them, with the ids of an experiment and a run of it put
// in.
func (s *server) operations(id, run string) []operation {
	s.w.t.Helper()
	status, body := s.call("GET", "/api/openapi.json", "", nil)
	var document struct {
		Paths map[string]map[string]json.RawMessage `json:"paths"`
	}
	if err := json.Unmarshal(body, &document); status != http.StatusOK || err != nil {
		s.w.t.Fatalf("GET /api/openapi.json = %d, %v", status, err)
	}
	var all []operation
	for path, methods := range document.Paths {
		path = strings.Replace(path, "/runs/{id}", "/runs/"+run, 1)
		path = strings.Replace(path, "/experiments/{id}", "/experiments/"+id, 1)
		if strings.HasPrefix(path, api.Prefix+"/comparison") {
			path += "?run=" + run
		}
		for method := range methods {
			all = append(all, operation{strings.ToUpper(method), path})
		}
	}
	slices.SortFunc(all, func(a, b operation) int { return strings.Compare(a.path+a.method, b.path+b.method) })
	return all
}
