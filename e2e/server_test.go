package e2e

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/experiment"
)

// server is a dec serve that is running.
type server struct {
	*process
	url, token string
}

// serve starts a server on this installation's data folder and waits until it answers.
func (w *installation) serve(args ...string) *server {
	w.t.Helper()
	_ = os.Remove(filepath.Join(w.data(), "server.json")) // of one that was killed
	s := &server{process: w.start(append([]string{"serve", "--listen", "127.0.0.1:0"}, args...)...)}
	s.awaitLine("#code=")
	var file api.ServerFile
	content, err := os.ReadFile(filepath.Join(w.data(), "server.json"))
	if err == nil {
		err = json.Unmarshal(content, &file)
	}
	token, tokenErr := os.ReadFile(filepath.Join(w.data(), "token"))
	if err != nil || tokenErr != nil {
		w.t.Fatalf("server.json and token of a running server: %v, %v\n%s", err, tokenErr, s.lines.text())
	}
	s.url, s.token = strings.TrimSuffix(file.URL, "/"), strings.TrimSpace(string(token))
	return s
}

// call makes a request with the token and returns the status and the body.
func (s *server) call(method, path, contentType string, body io.Reader) (int, []byte) {
	s.w.t.Helper()
	request, err := http.NewRequestWithContext(s.w.t.Context(), method, s.url+path, body)
	if err != nil {
		s.w.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+s.token)
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		s.w.t.Fatalf("%s %s: %v; the server said:\n%s", method, path, err, s.lines.text())
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		s.w.t.Fatalf("%s %s: %v", method, path, err)
	}
	return response.StatusCode, answer
}

// get reads one object.
func get[T any](s *server, path string) T {
	s.w.t.Helper()
	status, body := s.call("GET", api.Prefix+path, "", nil)
	var object T
	if err := json.Unmarshal(body, &object); status != http.StatusOK || err != nil {
		s.w.t.Fatalf("GET %s = %d %s (%v)", path, status, body, err)
	}
	return object
}

// post submits a plan in YAML and returns the id of the experiment.
func (s *server) post(plan string) string {
	s.w.t.Helper()
	status, body := s.call("POST", api.Prefix+"/experiments", "text/yaml", strings.NewReader(plan))
	var e api.ExperimentDetail
	if err := json.Unmarshal(body, &e); status != http.StatusAccepted || err != nil {
		s.w.t.Fatalf("POST /experiments = %d %s (%v)", status, body, err)
	}
	return e.ID
}

// streamed is one server-sent event.
type streamed struct {
	id, event string
	data      []byte
}

// stored decodes a stored event.
func (e streamed) stored(t *testing.T) experiment.Event {
	t.Helper()
	var event experiment.Event
	if err := json.Unmarshal(e.data, &event); err != nil {
		t.Fatalf("event %s: %v: %s", e.id, err, e.data)
	}
	return event
}

// follow reads the stream of events until see returns false.
func (s *server) follow(query string, see func(streamed) bool) {
	s.w.t.Helper()
	ctx, cancel := context.WithTimeout(s.w.t.Context(), 5*time.Minute)
	defer cancel()
	for e, err := range s.events(ctx, query) {
		if err != nil {
			s.w.t.Fatalf("the stream of /events?%s ended: %v; the server said:\n%s", query, err, s.lines.text())
		}
		if !see(e) {
			return
		}
	}
}

// events are those of a stream. The last one has the error that ended it.
func (s *server) events(ctx context.Context, query string) iter.Seq2[streamed, error] {
	return func(yield func(streamed, error) bool) {
		request, err := http.NewRequestWithContext(ctx, "GET", s.url+api.Prefix+"/events?"+query, nil)
		if err != nil {
			yield(streamed{}, err)
			return
		}
		request.Header.Set("Authorization", "Bearer "+s.token)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			yield(streamed{}, err)
			return
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK {
			yield(streamed{}, fmt.Errorf("GET /events: %s", response.Status))
			return
		}
		var e streamed
		scanner := bufio.NewScanner(response.Body)
		scanner.Buffer(nil, 1<<20)
		for scanner.Scan() {
			name, value, _ := bytes.Cut(scanner.Bytes(), []byte(":"))
			value = bytes.TrimPrefix(value, []byte(" "))
			switch string(name) {
			case "id":
				e.id = string(value)
			case "event":
				e.event = string(value)
			case "data":
				e.data = append(e.data, value...)
			case "":
				if len(value) == 0 && e.data != nil && !yield(e, nil) {
					return
				}
				e = streamed{}
			}
		}
		yield(streamed{}, cmp.Or(scanner.Err(), io.ErrUnexpectedEOF))
	}
}

// awaitPhase follows the stream until a run of the experiment enters a phase,
// and returns the run's id.
func (s *server) awaitPhase(id string, phase experiment.Phase) string {
	s.w.t.Helper()
	var run string
	s.follow("after=0&experiment="+id, func(e streamed) bool {
		if e.event == api.EventStored {
			if event := e.stored(s.w.t); event.Phase == phase && event.Kind != experiment.EventResource {
				run = event.Run
			}
		}
		return run == ""
	})
	return run
}

// awaitEnd follows the stream until the experiment has ended, and returns it.
func (s *server) awaitEnd(id string) api.ExperimentDetail {
	s.w.t.Helper()
	var e api.ExperimentDetail
	s.follow("after=0&experiment="+id, func(event streamed) bool {
		if event.event == api.EventStored && event.stored(s.w.t).Kind == experiment.EventOutcome {
			e = get[api.ExperimentDetail](s, "/experiments/"+id)
		}
		return e.State != experiment.Ended
	})
	return e
}

// stop ends the server by a signal and waits for it.
func (s *server) stop(signal os.Signal) outcome {
	s.w.t.Helper()
	if err := s.cmd.Process.Signal(signal); err != nil {
		s.w.t.Fatal(err)
	}
	return s.wait()
}

// tiny is a plan of one run that is over as soon as can be; %s is its name.
const tiny = `
name: %s
workload:
  load: {rate: 200}
  message: {size: 128}
  stages: {warmup: 0s, measure: 1s, drain: 5s}
variants:
` + natsVariant + "repeat: 1\n" + once

// long is a plan with time to do something while it is measured.
const long = `
name: long
workload:
  load: {rate: 200}
  stages: {warmup: 1s, measure: 60s, drain: 5s}
variants:
` + natsVariant + "repeat: 1\n" + once

func tinyPlan(name string) string { return fmt.Sprintf(tiny, name) }
