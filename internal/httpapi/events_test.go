package httpapi_test

import (
	"bufio"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
)

// listener reads server-sent events.
type listener struct {
	*testing.T
	lines *bufio.Scanner
}

func (w *fixture) listen(query string, headers ...string) *listener {
	w.Helper()
	request, err := http.NewRequestWithContext(w.Context(), "GET", w.server.URL+at("/events"+query), nil)
	if err != nil {
		w.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { response.Body.Close() })
	if kind := response.Header.Get("Content-Type"); response.StatusCode != 200 || kind != "text/event-stream" {
		w.Fatalf("%s as %s", response.Status, kind)
	}
	return &listener{w.T, bufio.NewScanner(response.Body)}
}

// next returns the next event, which is as the document says, by its fields.
func (l *listener) next() map[string]string {
	l.Helper()
	fields := map[string]string{}
	for l.lines.Scan() {
		if l.lines.Text() == "" {
			l.check(fields)
			return fields
		}
		name, value, _ := strings.Cut(l.lines.Text(), ": ")
		fields[name] = value
	}
	l.Fatalf("the stream ended: %v", l.lines.Err())
	return nil
}

func (l *listener) check(fields map[string]string) {
	l.Helper()
	s, err := document()
	if err != nil {
		l.Fatal(err)
	}
	name := map[string]string{api.EventStored: "Event", api.EventSnapshot: "Snapshot", api.EventBeat: "Beat"}[fields["event"]]
	schema, err := s.at("components", "schemas", name)
	if err == nil {
		err = validate(schema, []byte(fields["data"]))
	}
	if err != nil {
		l.Fatalf("the event %v is not as documented: %v", fields, err)
	}
}

func TestStreamTellsWhatIsStoredAndWhatIsNew(t *testing.T) {
	w := newFixture(t)
	e := w.submit() // two events: its runs are queued
	w.submit()
	all := w.listen("?after=0&experiment=" + e.ID)
	for _, id := range []string{"1", "2"} {
		if got := all.next(); got["id"] != id || got["event"] != api.EventStored {
			t.Errorf("event %v, want %s", got, id)
		}
	}
	run := w.claim().enter(experiment.PhaseProvision)
	w.hub.Wake()
	var told experiment.Event
	if err := json.Unmarshal([]byte(all.next()["data"]), &told); err != nil || told.Phase != experiment.PhaseProvision || told.Run != run.ID {
		t.Errorf("told %+v, %v", told, err)
	}
	w.hub.Second(run.ID, e.ID, measure.Second{Second: 3, Stage: experiment.StageWarmup, Latencies: map[measure.Distribution]measure.Latency{}})
	if got := all.next(); got["event"] != api.EventSnapshot || got["id"] != "" {
		t.Errorf("snapshot %v", got)
	}
}

func TestStreamIsResumedByTheHeader(t *testing.T) {
	w := newFixture(t)
	w.submit()
	if got := w.listen("?after=0", "Last-Event-ID", "1").next(); got["id"] != "2" {
		t.Errorf("resumed at %v, want 2", got)
	}
}
