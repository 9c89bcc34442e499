package httpapi_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
)

func TestRunsAreNamedAndFiltered(t *testing.T) {
	w := newFixture(t)
	id := w.submit().ID
	w.submit()
	w.claim().enter(experiment.PhaseProvision)
	list := func(query string) api.Page[api.Run] {
		t.Helper()
		return decode[api.Page[api.Run]](w.get(at("/runs" + query)).is(200))
	}
	for query, want := range map[string]int{
		"": 4, "?experiment=" + id: 2, "?phase=provision": 1, "?phase=queued": 3, "?outcome=failed": 0,
		"?teardown=leaked": 0, "?technology=nats": 2, "?target=local": 4, "?limit=3": 3,
	} {
		if got := list(query); len(got.Items) != want {
			t.Errorf("%s finds %d, want %d", query, len(got.Items), want)
		}
	}
	for _, run := range list("?experiment=" + id).Items {
		if run.Name != run.Variant+" #1" {
			t.Errorf("a run of %s is named %q", run.Variant, run.Name)
		}
	}
	first := list("?limit=3")
	if rest := list("?limit=3&cursor=" + first.Next); len(rest.Items) != 1 || rest.Next != "" {
		t.Errorf("the second page is %+v", rest)
	}
}

func TestRunThroughItsLife(t *testing.T) {
	w := newFixture(t)
	e := w.submit()
	run := w.claim().enter(experiment.PhaseProvision)
	if _, err := w.store.SetExpiry(t.Context(), run.ID, run.lease, time.Hour); err != nil {
		t.Fatal(err)
	}
	get := func() api.RunDetail {
		t.Helper()
		return decode[api.RunDetail](w.get(at("/runs/%s", run.ID)).is(200))
	}
	if got := get(); got.Experiment != e.ID || got.ExperimentName != "Kafka vs NATS" || got.ExpiresAt.IsZero() || got.HasResult || got.VariantPlan.Label != run.Variant {
		t.Errorf("active %+v", got)
	}
	w.get(at("/runs/%s/result", run.ID)).refused(404)

	run.enter(experiment.PhaseLoad)
	now := time.Now()
	for stage, start := range map[experiment.Stage]time.Time{
		"": {}, experiment.StageWarmup: now.Add(-time.Second), experiment.StageMeasure: now.Add(-20 * time.Second), experiment.StageDrain: now.Add(-time.Minute),
	} {
		w.evidence.start = start
		if got := get(); got.Stage != stage || got.LoadStartedAt.IsZero() != start.IsZero() {
			t.Errorf("stage %q of a load that began at %s, want %q", got.Stage, start, stage)
		}
	}
	w.evidence.err.set(errors.New("the bucket is away"))
	if got := get(); got.Stage != "" {
		t.Errorf("stage %q although it is not known", got.Stage)
	}
	w.evidence.err.set(nil)

	run.enter(experiment.PhaseCollect).collect(time.Millisecond).enter(experiment.PhaseDestroy)
	if got := get(); !got.HasResult || len(got.Allowed) != 0 {
		t.Errorf("collected %+v", got)
	}
	w.post(at("/runs/%s/cancel", run.ID), "").refused(409)
	result := decode[measure.Result](w.get(at("/runs/%s/result", run.ID)).is(200))
	if result.Counts.Acked != 30000 || *result.E2E.P99NS != time.Millisecond.Nanoseconds() {
		t.Errorf("result %+v", result)
	}
	run.end(experiment.Succeeded, experiment.TeardownClean)
	if got := get(); got.Outcome != experiment.Succeeded || got.Teardown != experiment.TeardownClean || got.EndedAt.IsZero() {
		t.Errorf("ended %+v", got)
	}
}

func TestTimelineGrowsAndIsCompleteWithTheResult(t *testing.T) {
	w := newFixture(t)
	w.submit()
	run := w.claim().enter(experiment.PhaseLoad)
	w.evidence.seconds = []measure.Second{{Second: 0, Stage: experiment.StageWarmup}, {Second: 1, Stage: experiment.StageWarmup}}
	timeline := func(query string) api.Timeline {
		t.Helper()
		return decode[api.Timeline](w.get(at("/runs/%s/timeline%s", run.ID, query)).is(200))
	}
	if got := timeline(""); got.Complete || len(got.Seconds) != 2 {
		t.Errorf("live %+v", got)
	}
	if got := timeline("?after=0"); len(got.Seconds) != 1 || got.Seconds[0].Second != 1 {
		t.Errorf("after 0: %+v", got)
	}
	run.collect(time.Millisecond)
	if got := timeline("?after=0"); !got.Complete || len(got.Seconds) != 1 || got.Seconds[0].Stage != experiment.StageMeasure {
		t.Errorf("collected %+v", got)
	}
}

func TestHistogramsGrowAndAreCompleteWithTheResult(t *testing.T) {
	w := newFixture(t)
	path := at("/runs/%s/histograms", w.submit().RunList[0].ID)
	w.get(path).refused(404)
	run := w.claim().enter(experiment.PhaseProvision)
	histograms := func() api.Histograms {
		t.Helper()
		return decode[api.Histograms](w.get(path).is(200))
	}
	if got := histograms(); got.Complete || len(got.Histograms) != 0 {
		t.Errorf("before the load %+v", got)
	}
	run.enter(experiment.PhaseLoad)
	w.evidence.measured = map[measure.Distribution]string{measure.E2ELatency: "so far"}
	if got := histograms(); got.Complete || got.Run != run.ID || got.Histograms[measure.E2ELatency] != "so far" || got.AsOf.IsZero() {
		t.Errorf("live %+v", got)
	}
	run.enter(experiment.PhaseCollect).collect(time.Millisecond)
	collected := map[measure.Distribution]string{measure.E2ELatency: ""} // which is one without samples
	if diff := cmp.Diff(collected, histograms().Histograms); diff != "" || !histograms().Complete {
		t.Errorf("collected (-want +got):\n%s", diff)
	}
	w.evidence.err.set(fmt.Errorf("histograms.json of run %s %w: the bucket does not answer", run.ID, experiment.ErrUnavailable))
	for _, beside := range []string{"histograms", "timeline"} {
		if got := w.get(at("/runs/%s/%s", run.ID, beside)).refused(503); !strings.Contains(got.Detail, "the bucket does not answer") {
			t.Errorf("%s of a bucket that is away: %q, want the reason", beside, got.Detail)
		}
	}
	w.get(at("/runs/%s/result", run.ID)).is(200) // which is in the database
	run.end(experiment.Succeeded, experiment.TeardownClean)
	w.evidence.err.set(errors.New("unknown"))

	next := w.claim().enter(experiment.PhaseLoad)
	w.get(at("/runs/%s/histograms", next.ID)).refused(500)
	next.end(experiment.Failed, experiment.TeardownClean)
	w.get(at("/runs/%s/histograms", next.ID)).refused(404)
	w.get(at("/runs/r000000000/histograms")).refused(404)
}

func TestArchive(t *testing.T) {
	w := newFixture(t)
	run := w.submit().RunList[0].ID
	path := at("/runs/%s/archive", run)
	got := w.get(path).is(200)
	if want := `attachment; filename="kafka-1-` + run + `.zip"`; got.header.Get("Content-Disposition") != want || got.header.Get("Content-Type") != "application/zip" || string(got.body) != "packed "+run {
		t.Errorf("archive %q with %v, want %s", got.body, got.header, want)
	}
	w.evidence.broken.set(errors.New("the bucket has gone"))
	request, err := http.NewRequestWithContext(t.Context(), "GET", w.server.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultTransport.RoundTrip(request)
	if err == nil {
		_, err = io.ReadAll(response.Body)
		response.Body.Close()
	}
	if err == nil {
		t.Error("an archive that breaks off arrives as if it were whole")
	}
	for status, err := range map[int]error{404: experiment.ErrNotFound, 409: experiment.ErrNotEnded, 503: experiment.ErrUnavailable} {
		w.evidence.err.set(fmt.Errorf("run %s %w", run, err))
		w.get(path).refused(status)
	}
}

func TestTimelineOfARunThatNeverRan(t *testing.T) {
	w := newFixture(t)
	e := w.submit()
	path := at("/runs/%s/timeline", e.RunList[0].ID)
	if got := decode[api.Timeline](w.get(path).is(200)); got.Complete || len(got.Seconds) != 0 {
		t.Errorf("queued %+v", got)
	}
	w.post(at("/runs/%s/cancel", e.RunList[0].ID), "").is(202)
	if got := decode[api.Timeline](w.get(path).is(200)); !got.Complete {
		t.Errorf("cancelled %+v", got)
	}
}

func TestResourcesThroughTheirLives(t *testing.T) {
	w := newFixture(t)
	w.submit()
	run := w.claim().enter(experiment.PhaseProvision)
	run.tell("a", "create", "started")
	run.tell("b", "create", "started")
	run.tell("a", "create", "complete")
	run.tell("b", "create", "errored")
	run.tell("a", "delete", "started")
	states := func() map[string]string {
		t.Helper()
		got := map[string]string{}
		for _, r := range decode[api.Resources](w.get(at("/runs/%s/resources", run.ID)).is(200)).Items {
			got[r.Address] = r.State
		}
		return got
	}
	if diff := cmp.Diff(map[string]string{"a": "destroying", "b": "create failed"}, states()); diff != "" {
		t.Error(diff)
	}
	run.tell("a", "delete", "complete")
	run.tell("b", "delete", "errored")
	if diff := cmp.Diff(map[string]string{"a": "destroyed", "b": "destroy failed"}, states()); diff != "" {
		t.Error(diff)
	}
}

func TestLogPassesOnWhatIsAsked(t *testing.T) {
	w := newFixture(t)
	id := w.submit().RunList[0].ID
	w.evidence.log = api.Log{Lines: []api.LogLine{{N: 1, Source: "dec", Level: "error", Text: "oh"}}, Matches: 1}
	got := decode[api.Log](w.get(at("/runs/%s/log?q=o&source=tofu+2+apply&level=warn&before=10&limit=5", id)).is(200))
	if got.Run != id || got.Matches != 1 || len(got.Lines) != 1 {
		t.Errorf("log %+v", got)
	}
	want := experiment.LogQuery{Run: id, Text: "o", Source: "tofu 2 apply", Level: "warn", Before: "10", Limit: 5}
	if diff := cmp.Diff(want, w.evidence.asked); diff != "" {
		t.Error(diff)
	}
	w.evidence.err.set(experiment.ErrCursor)
	w.get(at("/runs/%s/log?before=x", id)).refused(422, "query.before")
	w.get(at("/runs/r000000000/log")).refused(404)
}

func TestCancelledRunEnds(t *testing.T) {
	w := newFixture(t)
	e := w.submit()
	got := decode[api.RunDetail](w.post(at("/runs/%s/cancel", e.RunList[0].ID), "").is(202))
	if got.Outcome != experiment.Cancelled || got.Reason != "cancelled by admin" || len(got.Allowed) != 0 {
		t.Errorf("cancelled %+v", got)
	}
	w.post(at("/runs/%s/cancel", e.RunList[0].ID), "").refused(409)
	w.post(at("/runs/r000000000/cancel"), "").refused(404)
}
