package httpapi_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/httpapi"
)

func TestCatalog(t *testing.T) {
	w := newFixture(t)
	got := decode[api.Catalog](w.get(at("/catalog")).is(200))
	if len(got.Technologies) != 1 || len(got.Targets) != 1 {
		t.Errorf("catalog %+v", got)
	}
}

func TestInventory(t *testing.T) {
	w := newFixture(t)
	w.evidence.inventory = []api.TargetInventory{
		{Target: "local", Objects: []api.InventoryObject{{Object: experiment.Object{Kind: "port", ID: "1"}, Class: "lost", AgeS: 3}}},
		{Target: "cloud", Unknown: "no credentials"},
	}
	got := decode[api.Inventory](w.get(at("/inventory")).is(200))
	if len(got.Targets) != 2 || got.Targets[0].Objects[0].ID != "1" || got.AsOf.IsZero() {
		t.Errorf("inventory %+v", got)
	}
}

func TestWritesAreAudited(t *testing.T) {
	w := newFixture(t)
	e := w.submit()
	w.post(at("/experiments"), `{}`).is(422)
	w.post(at("/runs/%s/cancel", e.RunList[0].ID), "").is(202)
	w.post(at("/experiments/%s/cancel", e.ID), "").is(202)
	w.delete(at("/experiments/%s", e.ID)).is(204)
	w.get(at("/experiments")).is(200) // is no write
	want := []experiment.AuditEntry{
		{By: "admin", Action: "experiment.delete", Object: e.ID, Status: 204},
		{By: "admin", Action: "experiment.cancel", Object: e.ID, Status: 202},
		{By: "admin", Action: "run.cancel", Object: e.RunList[0].ID, Status: 202},
		{By: "admin", Action: "experiment.create", Status: 422},
		{By: "admin", Action: "experiment.create", Object: e.ID, Status: 202},
	}
	page := decode[api.Page[experiment.AuditEntry]](w.get(at("/audit?limit=5")).is(200))
	if diff := cmp.Diff(want, page.Items, cmpopts.IgnoreFields(experiment.AuditEntry{}, "ID", "At", "Remote")); diff != "" {
		t.Error(diff)
	}
	for _, entry := range page.Items {
		if time.Since(entry.At).Abs() > time.Minute || !strings.HasPrefix(entry.Remote, "127.0.0.1:") {
			t.Errorf("entry %+v", entry)
		}
	}
}

func TestSignInsAreAudited(t *testing.T) {
	w := newFixture(t)
	code := w.guard.NewCode()
	w.post(at("/session"), `{"code": "`+code+`"}`).is(200)
	w.post(at("/session"), `{"code": "`+code+`"}`).is(401)
	got := decode[api.Page[experiment.AuditEntry]](w.get(at("/audit")).is(200)).Items
	if len(got) != 2 || got[0].By != "nobody" || got[0].Status != 401 || got[1].By != "admin" || got[1].Action != "session.create" {
		t.Errorf("audit %+v", got)
	}
}

func TestFaultsTellNothing(t *testing.T) {
	w := newFixture(t)
	w.evidence.err.set(errors.New("open /var/lib/dec/secret: permission denied"))
	if p := w.get(at("/inventory")).refused(500); strings.Contains(p.Detail, "secret") {
		t.Errorf("detail %q", p.Detail)
	}
	if err := w.store.Close(); err != nil {
		t.Fatal(err)
	}
	w.get(at("/experiments")).refused(500)
	w.get("/readyz").is(503)
	w.get("/livez").is(200)
}

// broken is a planner whose catalog panics.
type broken struct{ *planner }

func (broken) Catalog(context.Context) (api.Catalog, error) { panic("a mistake") }

func TestPanicIsAProblem(t *testing.T) {
	w := newFixture(t, func(o *httpapi.Options) { o.Planner = broken{} })
	if p := w.get(at("/catalog")).refused(500); strings.Contains(p.Detail, "mistake") {
		t.Errorf("detail %q", p.Detail)
	}
	if text := string(w.get("/metrics").is(200).body); !strings.Contains(text, `dec_http_requests_total{operation="get-catalog",status="500"} 1`) {
		t.Error("the call was not counted")
	}
}

func TestMetrics(t *testing.T) {
	counted := httpapi.NewMetrics()
	w := newFixture(t, func(o *httpapi.Options) { o.Metrics = counted })
	w.submit()
	run := w.claim().enter(experiment.PhaseLoad)
	w.get(at("/nothing")).is(404)
	w.get(at("/runs/r000000000")).is(404)
	for i, phase := range []experiment.Phase{experiment.PhaseLoad, experiment.PhaseCollect} {
		counted.Event(experiment.Event{Kind: experiment.EventPhase, Run: run.ID, Phase: phase, At: time.Unix(int64(100*i), 0)})
	}
	text := string(w.get("/metrics").is(200).body)
	for _, line := range []string{
		`dec_runs{phase="load"} 1`, `dec_runs{phase="queued"} 1`, `dec_runs_leaked 0`, `dec_draining 0`, `dec_database_up 1`,
		`dec_http_requests_total{operation="create-experiment",status="202"} 1`, `dec_http_requests_total{operation="get-run",status="404"} 1`,
		`dec_run_phase_seconds_sum{phase="load"} 100`, `dec_sse_clients 0`, `dec_last_event_id 3`, `dec_info{version="test"} 1`,
	} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("there is no %s in\n%s", line, text)
		}
	}
	for _, name := range []string{"dec_queue_age_seconds", "dec_event_lag"} {
		if !strings.Contains(text, "\n"+name+" ") {
			t.Errorf("there is no %s", name)
		}
	}
}

func TestPageHasItsNonce(t *testing.T) {
	page := fstest.MapFS{
		"index.html":    {Data: []byte(`<meta property="csp-nonce" nonce="{{nonce}}"><script src="/assets/a.js"></script>`)},
		"assets/a.js":   {Data: []byte("1")},
		"favicon.svg":   {Data: []byte("<svg/>")},
		"assets/b/c.js": {Data: []byte("2")},
	}
	w := newFixture(t, func(o *httpapi.Options) { o.UI = page })
	w.token = ""
	nonces := map[string]bool{}
	for _, path := range []string{"/", "/index.html", "/runs/r000000000?tab=log", "/assets"} {
		a := w.get(path).is(200)
		_, rest, _ := strings.Cut(string(a.body), `nonce="`)
		nonce, _, _ := strings.Cut(rest, `"`)
		if nonce == "" || strings.Contains(nonce, "{") || nonces[nonce] || !strings.Contains(a.header.Get("Content-Security-Policy"), "'nonce-"+nonce+"'") {
			t.Errorf("%s has the nonce %q and the policy %s", path, nonce, a.header.Get("Content-Security-Policy"))
		}
		if a.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s may be stored: %v", path, a.header)
		}
		nonces[nonce] = true
	}
	w.get("/assets/a.js").is(200)
	w.get("/assets/gone.js").is(404)
	w.post("/", "").is(401)
}

func TestBrokenPageIsRefused(t *testing.T) {
	o := newFixture(t).taken
	for name, page := range map[string]fstest.MapFS{
		"without a slot":     {"index.html": {Data: []byte("<html>")}},
		"without index.html": {},
	} {
		o.UI = page
		if _, err := httpapi.New(o); err == nil {
			t.Errorf("a page %s is served", name)
		}
	}
	o.UI = nil
	if _, err := httpapi.New(o); err != nil {
		t.Error(err)
	}
}
