package httpapi_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/httpapi"
)

func TestShutdownWaitsForWhatIsActive(t *testing.T) {
	w := newFixture(t)
	e := w.submit()
	run := w.claim().enter(experiment.PhaseLoad)

	deferred := w.post(at("/shutdown"), "").is(409)
	got := decode[api.Shutdown](deferred)
	if deferred.header.Get("Retry-After") != "5" || got.State != "draining" || !got.Deferred || got.By != "admin" || got.RemainingS == 0 || got.Exits {
		t.Errorf("deferred %s with %v", deferred.body, deferred.header)
	}
	want := []api.WaitingRun{{Run: run.ID, Name: run.Variant + " #1", Experiment: e.ID, Phase: experiment.PhaseLoad, Since: got.WaitsFor[0].Since}}
	if diff := cmp.Diff(want, got.WaitsFor); diff != "" {
		t.Error(diff)
	}
	w.get("/readyz").is(503)
	w.get("/livez").is(200)
	w.submit() // is accepted, and stays queued
	if got := decode[api.Shutdown](w.get(at("/shutdown")).is(200)); got.State != "draining" || got.Queued != 3 {
		t.Errorf("state %+v", got)
	}

	run.end(experiment.Succeeded, experiment.TeardownClean)
	if got := decode[api.Shutdown](w.post(at("/shutdown"), `{"mode": "drain"}`).is(200)); got.State != "ready" || !got.Exits || len(got.WaitsFor) != 0 {
		t.Errorf("granted %+v", got)
	}
	select {
	case <-w.exited:
	case <-time.After(30 * time.Second):
		t.Error("the process was not asked to exit")
	}
}

func TestShutdownThatStays(t *testing.T) {
	w := newFixture(t, func(o *httpapi.Options) { o.Exit = nil })
	w.post(at("/shutdown"), "").refused(422, "body.exit")
	if got := decode[api.Shutdown](w.get(at("/shutdown")).is(200)); got.State != "none" {
		t.Errorf("a refused request left %+v", got)
	}
	if got := decode[api.Shutdown](w.post(at("/shutdown"), `{"exit": false}`).is(200)); got.State != "ready" || got.Exits {
		t.Errorf("granted %+v", got)
	}
	if got := decode[api.Shutdown](w.delete(at("/shutdown")).is(200)); got.State != "none" {
		t.Errorf("taken back %+v", got)
	}
	w.get("/readyz").is(200)
	w.delete(at("/shutdown")).is(200)
}

func TestHandoffIsRefusedWithItsReason(t *testing.T) {
	w := newFixture(t)
	w.post(at("/shutdown"), `{"mode": "handoff"}`).refused(422, "body.mode")
	w.post(at("/shutdown"), `{"mode": "now"}`).refused(422, "body.mode")
}

// watched is a store that says when the drain is polled.
type watched struct {
	httpapi.Store
	polled chan struct{}
}

func (s watched) PollDrain(ctx context.Context, lapse time.Duration) (experiment.Drain, error) {
	d, err := s.Store.PollDrain(ctx, lapse)
	select {
	case s.polled <- struct{}{}:
	default:
	}
	return d, err
}

func TestLongPollAnswersWhenTheDrainIsGranted(t *testing.T) {
	polled := make(chan struct{})
	w := newFixture(t, func(o *httpapi.Options) { o.Store = watched{o.Store, polled} })
	w.submit()
	run := w.claim().enter(experiment.PhaseLoad)
	w.post(at("/shutdown"), "").is(409)
	if got := decode[api.Shutdown](w.get(at("/shutdown?wait=1s")).is(200)); got.State != "draining" {
		t.Errorf("while the run is active: %+v", got)
	}
	ended := make(chan error, 1)
	go func() {
		<-polled // somebody waits now
		ended <- run.tryEnd(experiment.Succeeded, experiment.TeardownClean)
	}()
	if got := decode[api.Shutdown](w.get(at("/shutdown?wait=30s")).is(200)); got.State != "ready" {
		t.Errorf("after it ended: %+v", got)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestShutdownsAreAudited(t *testing.T) {
	w := newFixture(t)
	w.post(at("/shutdown"), `{"exit": false}`).is(200)
	w.delete(at("/shutdown")).is(200)
	var actions []string
	for _, e := range decode[api.Page[experiment.AuditEntry]](w.get(at("/audit"))).Items {
		actions = append(actions, e.Action)
	}
	if diff := cmp.Diff([]string{"shutdown.cancel", "shutdown.request"}, actions); diff != "" {
		t.Error(diff)
	}
}
