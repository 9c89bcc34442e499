package httpapi_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/experiment"
)

func TestExperimentRunsToItsVerdict(t *testing.T) {
	w := newFixture(t)
	a := w.post("/api/v1/experiments", planText).is(202)
	created := decode[api.ExperimentDetail](a)
	if want := at("/experiments/%s", created.ID); a.header.Get("Location") != want {
		t.Errorf("Location: %s, want %s", a.header.Get("Location"), want)
	}
	if created.State != experiment.Queued || created.By != "admin" || created.Runs.Queued != 2 || len(created.RunList) != 2 || len(created.Warnings) == 0 {
		t.Errorf("created %+v", created)
	}
	if diff := cmp.Diff([]api.Action{api.ActionCancel}, created.Allowed); diff != "" {
		t.Error(diff)
	}
	w.finish()
	verdict := experiment.Verdict{Sentences: []string{"Too few runs."}, Fairness: "same guarantees"}
	if err := w.store.SetVerdict(t.Context(), created.ID, verdict); err != nil {
		t.Fatal(err)
	}
	ended := decode[api.ExperimentDetail](w.get(at("/experiments/%s", created.ID)).is(200))
	if ended.State != experiment.Ended || ended.Runs.Valid != 2 || ended.Verdict == nil || ended.EndedAt.IsZero() || ended.RemainingS != 0 {
		t.Errorf("ended %+v", ended)
	}
	if diff := cmp.Diff([]api.Action{api.ActionDelete}, ended.Allowed); diff != "" {
		t.Error(diff)
	}
}

func TestPlanMayBeYAML(t *testing.T) {
	w := newFixture(t)
	plan := "workload: {load: {rate: 5}, stages: {measure: 10s}}\nvariants:\n- {label: a, technology: kafka, stack: kraft}\n"
	for _, kind := range []string{"text/yaml", "application/yaml; charset=UTF-8"} {
		w.call("POST", "/api/v1/experiments", plan, "Content-Type", kind).is(202)
	}
}

func TestDryRunStoresNothing(t *testing.T) {
	w := newFixture(t)
	got := decode[api.DryRun](w.post("/api/v1/experiments?dry_run=true", planText).is(200))
	if got.EstimateS != 120 || got.EstimateOf != "a guess" || len(got.Order) != 2 || got.Plan.Workload.Seed != 42 {
		t.Errorf("dry run %+v", got)
	}
	if got.Warnings[len(got.Warnings)-1] != "the machine is busy" {
		t.Errorf("warnings %q", got.Warnings)
	}
	fromYAML := decode[api.DryRun](w.call("POST", "/api/v1/experiments?dry_run=true", got.YAML, "Content-Type", "text/yaml").is(200))
	if fromYAML.Digest != got.Digest {
		t.Errorf("the YAML has the digest %s, want %s:\n%s", fromYAML.Digest, got.Digest, got.YAML)
	}
	if page := decode[api.Page[api.Experiment]](w.get(at("/experiments"))); len(page.Items) != 0 {
		t.Errorf("stored %+v", page.Items)
	}
	if audit := decode[api.Page[experiment.AuditEntry]](w.get(at("/audit"))); len(audit.Items) != 0 {
		t.Errorf("audited %+v", audit.Items)
	}
}

func TestRefusedPlanNamesItsFields(t *testing.T) {
	w := newFixture(t)
	w.post(at("/experiments"), `{"workload": {"load": {"rate": -1}}, "variants": [{"label": "A", "technology": "kafka", "stack": "x"}]}`).
		refused(422, "body.workload.load.rate", "body.variants[0].label")
	p := w.post(at("/experiments"), strings.Replace(planText, `"nats"`, `"rabbit"`, 2)).refused(422, "body.variants[1].technology")
	if !strings.Contains(p.Detail, "rabbit") {
		t.Errorf("detail %q", p.Detail)
	}
	w.call("POST", at("/experiments"), "a: [", "Content-Type", "text/yaml").refused(422, "body")
}

func TestMachineThatIsFullRefuses(t *testing.T) {
	w := newFixture(t)
	w.plans.refuse = "the disk is full"
	w.post(at("/experiments"), planText).refused(409)
	w.post(at("/experiments?dry_run=true"), planText).refused(409)
}

func TestRepeatedSubmissionIsTheSame(t *testing.T) {
	w := newFixture(t)
	submit := func(body string) answer {
		t.Helper()
		return w.call("POST", at("/experiments"), body, "Idempotency-Key", "k1")
	}
	first := decode[api.ExperimentDetail](submit(planText).is(202))
	again := submit(planText).is(202)
	if decode[api.ExperimentDetail](again).ID != first.ID || again.header.Get("Location") != at("/experiments/%s", first.ID) {
		t.Errorf("the second submission became %s", again.body)
	}
	w.plans.refuse = "the disk is full" // which keeps only new ones out
	if kept := decode[api.ExperimentDetail](submit(planText).is(202)); kept.ID != first.ID {
		t.Errorf("the submission to a full machine became %s", kept.ID)
	}
	submit(strings.Replace(planText, "1000", "2000", 1)).refused(422, "header.Idempotency-Key")
	w.post(at("/experiments"), planText).refused(409)
}

func TestListFiltersAndPages(t *testing.T) {
	w := newFixture(t)
	var ids []string
	for range 3 {
		ids = append(ids, w.submit().ID)
	}
	list := func(query string) api.Page[api.Experiment] {
		t.Helper()
		return decode[api.Page[api.Experiment]](w.get(at("/experiments" + query)).is(200))
	}
	first := list("?limit=2")
	if len(first.Items) != 2 || first.Items[0].ID != ids[2] || first.Next == "" || first.LastEventID == 0 || first.AsOf.IsZero() {
		t.Fatalf("first page %+v", first)
	}
	second := list("?limit=2&cursor=" + first.Next)
	if len(second.Items) != 1 || second.Items[0].ID != ids[0] || second.Next != "" {
		t.Errorf("second page %+v", second)
	}
	if oldest := list("?order=oldest&limit=1"); oldest.Items[0].ID != ids[0] {
		t.Errorf("the oldest is %s, want %s", oldest.Items[0].ID, ids[0])
	}
	for query, want := range map[string]int{
		"?q=KAFKA": 3, "?q=rabbit": 0, "?q=" + ids[1]: 1, "?state=queued": 3, "?state=ended": 0, "?technology=nats": 3,
		"?technology=rabbit": 0, "?target=local": 3, "?by=admin": 3, "?by=me": 0, "?plan=" + first.Items[0].Digest: 3,
	} {
		if got := list(query); len(got.Items) != want {
			t.Errorf("%s finds %d, want %d", query, len(got.Items), want)
		}
	}
}

func TestRunningExperimentSaysHowLong(t *testing.T) {
	w := newFixture(t)
	id := w.submit().ID
	later := w.submit().ID
	w.claim().enter(experiment.PhaseProvision)
	page := decode[api.Page[api.Experiment]](w.get(at("/experiments?state=running")).is(200))
	if len(page.Items) != 1 || page.Items[0].RemainingS != 90 { // one minute queued, half of one active
		t.Errorf("running %+v", page.Items)
	}
	if got := decode[api.ExperimentDetail](w.get(at("/experiments/%s", id)).is(200)); got.RemainingS != 90 || got.QueuedBefore != 0 {
		t.Errorf("remaining %v, queued before %d", got.RemainingS, got.QueuedBefore)
	}
	if got := decode[api.ExperimentDetail](w.get(at("/experiments/%s", later)).is(200)); got.RemainingS != 120 || got.QueuedBefore != 1 {
		t.Errorf("remaining %v, queued before %d", got.RemainingS, got.QueuedBefore)
	}
}

func TestCancelAndDelete(t *testing.T) {
	w := newFixture(t)
	id := w.submit().ID
	run := w.claim().enter(experiment.PhaseProvision)
	w.delete(at("/experiments/%s", id)).refused(409)
	cancelled := decode[api.ExperimentDetail](w.post(at("/experiments/%s/cancel", id), "").is(202))
	if cancelled.Runs.Cancelled != 1 || cancelled.Runs.Active != 1 { // the queued one ends at once
		t.Errorf("cancelled %+v", cancelled.Runs)
	}
	w.delete(at("/experiments/%s", id)).refused(409)
	run.end(experiment.Cancelled, experiment.TeardownClean)
	w.post(at("/experiments/%s/cancel", id), "").refused(409)
	w.delete(at("/experiments/%s", id)).is(204)
	if len(w.evidence.forgotten) != 2 {
		t.Errorf("forgot %q, want the files of both runs", w.evidence.forgotten)
	}
	w.get(at("/experiments/%s", id)).refused(404)
	w.delete(at("/experiments/%s", id)).refused(404)
	w.post(at("/experiments/%s/cancel", id), "").refused(404)
}

func TestLeakedExperimentIsNotDeleted(t *testing.T) {
	w := newFixture(t)
	id := w.submit().ID
	w.claim().enter(experiment.PhaseProvision).end(experiment.Failed, experiment.TeardownLeaked)
	w.finish()
	got := decode[api.ExperimentDetail](w.get(at("/experiments/%s", id)).is(200))
	if got.State != experiment.Ended || len(got.Allowed) != 0 || got.Runs.Leaked != 1 {
		t.Errorf("%+v", got.Experiment)
	}
	w.delete(at("/experiments/%s", id)).refused(409)
}
