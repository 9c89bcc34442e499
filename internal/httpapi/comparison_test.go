package httpapi_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/httpapi"
	"dec.local/dec/internal/measure"
	"dec.local/dec/internal/stats"
)

// measured submits the plan with five runs each and runs them.
func (w *fixture) measured(plan string) api.ExperimentDetail {
	w.Helper()
	e := decode[api.ExperimentDetail](w.post(at("/experiments"), plan).is(202))
	w.finish()
	return decode[api.ExperimentDetail](w.get(at("/experiments/%s", e.ID)).is(200))
}

var fivePlan = strings.Replace(planText, `"repeat": 1`, `"repeat": 5`, 1)

func TestComparisonOfAnExperiment(t *testing.T) {
	w := newFixture(t)
	e := w.measured(fivePlan)
	got := decode[api.Comparison](w.get(at("/experiments/%s/comparison", e.ID)).is(200))
	if got.Stats.Verdict != stats.Different || got.Stats.Best != "nats" || !got.Fairness.Known || len(got.Runs) != 10 {
		t.Errorf("comparison %+v", got.Stats)
	}
	var differs []string
	for _, d := range got.Differences {
		differs = append(differs, d.Path)
	}
	if diff := cmp.Diff([]string{"options.brokers", "stack", "technology"}, differs); diff != "" {
		t.Error(diff)
	}
	for _, run := range got.Runs {
		if run.Excluded != "" || run.Counts == nil || run.Metrics["e2e_p99"] == nil || run.Metrics["e2e_p50"] != nil || run.Link != "/runs/"+run.Run.ID {
			t.Errorf("run %+v", run)
		}
	}
}

// TestKeptVerdictIsTheOne asks for every form of a comparison whose verdict was
// kept when the experiment ended. All must use its words.
func TestKeptVerdictIsTheOne(t *testing.T) {
	w := newFixture(t)
	e := w.measured(fivePlan)
	kept := experiment.Verdict{Decided: true, Sentences: []string{"nats beats kafka, as it was said then."}, Caveats: []string{"Said on a rainy day."}, Fairness: "fair then"}
	if err := w.store.SetVerdict(t.Context(), e.ID, kept); err != nil {
		t.Fatal(err)
	}
	got := decode[api.Comparison](w.get(at("/experiments/%s/comparison", e.ID)).is(200))
	if diff := cmp.Diff(kept, got.Verdict()); diff != "" {
		t.Errorf("the verdict of the comparison (-kept +got):\n%s", diff)
	}
	page := string(w.get(at("/experiments/%s/comparison.html", e.ID)).is(200).body)
	for _, words := range []string{kept.Sentences[0], kept.Caveats[0], kept.Fairness} {
		if !strings.Contains(page, words) {
			t.Errorf("the page lacks %q", words)
		}
	}
	if table := string(w.get(at("/experiments/%s/comparison.csv", e.ID)).is(200).body); !strings.Contains(table, kept.Fairness) {
		t.Errorf("the table lacks %q:\n%s", kept.Fairness, table)
	}
}

func TestVariantsOfOneStackDifferInTheirSettings(t *testing.T) {
	w := newFixture(t)
	e := w.measured(`{
		"workload": {"load": {"rate": 1000}, "stages": {"measure": "30s"}},
		"variants": [
			{"label": "one", "technology": "kafka", "stack": "kraft", "options": {"brokers": 1, "memory": {"heap": 512, "direct": 64}}, "client_config": {"linger.ms": 5}},
			{"label": "two", "technology": "kafka", "stack": "kraft", "options": {"brokers": 3, "memory": {"heap": 1024, "direct": 64}}},
			{"label": "three", "technology": "kafka", "stack": "kraft", "options": {"brokers": 3, "memory": {"direct": 64, "heap": 1024}}}
		],
		"repeat": 1
	}`)
	got := map[string]map[string]string{}
	for _, d := range decode[api.Comparison](w.get(at("/experiments/%s/comparison", e.ID)).is(200)).Differences {
		got[d.Path] = map[string]string{}
		for label, value := range d.Values {
			got[d.Path][label] = string(value)
		}
	}
	want := map[string]map[string]string{
		"options.brokers":         {"one": "1", "two": "3", "three": "3"},
		"options.memory.heap":     {"one": "512", "two": "1024", "three": "1024"},
		"client_config.linger.ms": {"one": "5"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("differences (-want +got):\n%s", diff)
	}
}

func TestComparisonWhileItRuns(t *testing.T) {
	w := newFixture(t)
	e := w.submit()
	w.claim().enter(experiment.PhaseLoad)
	got := decode[api.Comparison](w.get(at("/experiments/%s/comparison", e.ID)).is(200))
	if got.Stats.Verdict != stats.NoVerdict || got.Stats.Reason != "0 of 2 runs have ended." || got.Runs[0].Excluded == "" {
		t.Errorf("comparison %+v", got)
	}
	w.get(at("/experiments/%s/comparison.html", e.ID)).is(200)
	w.get(at("/experiments/%s/comparison.csv", e.ID)).is(200)
	w.get(at("/experiments/e000000000/comparison")).refused(404)
	w.get(at("/experiments/e000000000/comparison.csv")).refused(404)
}

func TestComparisonAsFiles(t *testing.T) {
	w := newFixture(t)
	e := w.measured(fivePlan)
	table := w.get(at("/experiments/%s/comparison.csv", e.ID)).is(200)
	rows, err := csv.NewReader(strings.NewReader(string(table.body))).ReadAll()
	if err != nil || len(rows) != 11 {
		t.Errorf("%d rows, %v", len(rows), err)
	}
	page := w.get(at("/experiments/%s/comparison.html", e.ID)).is(200)
	if !strings.Contains(string(page.body), "Kafka vs NATS") || page.header.Get("Content-Disposition") != `inline; filename="`+e.ID+`.html"` {
		t.Errorf("page with %v", page.header)
	}
	wantOwnStylesOnly(t, page)
	wantOwnStylesOnly(t, w.get(at("/comparison.html"+query(e.RunList))).is(200))
	if got := table.header.Get("Content-Security-Policy"); !strings.Contains(got, "style-src 'none'") {
		t.Errorf("policy of the table %s", got)
	}
}

// wantOwnStylesOnly wants a page that a browser shows by itself as it is meant:
// its policy allows its one style element, by what is in it, and nothing else.
func wantOwnStylesOnly(t *testing.T, page answer) {
	t.Helper()
	styles := regexp.MustCompile(`(?s)<style>(.*?)</style>`).FindAllSubmatch(page.body, -1)
	if len(styles) != 1 {
		t.Fatalf("%d style elements, want 1", len(styles))
	}
	sum := sha256.Sum256(styles[0][1])
	want := []string{"default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"}
	if diff := cmp.Diff(want, page.header.Values("Content-Security-Policy")); diff != "" {
		t.Errorf("policy (-want +got):\n%s", diff)
	}
	if found := regexp.MustCompile(`(?i)<(script|link|img|iframe|object)\b|\s(style|on[a-z]+|src)=`).Find(page.body); found != nil {
		t.Errorf("the page has %q, which its policy forbids", found)
	}
}

// query asks for runs.
func query(runs []api.Run) string {
	var parts []string
	for _, run := range runs {
		parts = append(parts, "run="+run.ID)
	}
	return "?" + strings.Join(parts, "&")
}

func TestPickedRunsOfOneExperimentNeedAllForAVerdict(t *testing.T) {
	w := newFixture(t)
	e := w.measured(fivePlan)
	all := decode[api.Comparison](w.get(at("/comparison" + query(e.RunList))).is(200))
	if all.Stats.Verdict != stats.Different {
		t.Errorf("all runs: %+v", all.Stats)
	}
	some := decode[api.Comparison](w.get(at("/comparison" + query(e.RunList[:9]))).is(200))
	want := "No verdict: only 9 of the experiment's 10 runs were picked, and whoever picks may pick what flatters."
	if some.Stats.Verdict != stats.NoVerdict || len(some.Runs) != 9 || some.Stats.Sentence != want {
		t.Errorf("some runs: %+v, want the sentence %q", some.Stats, want)
	}
}

func TestPickedRunsOfSeveralExperimentsHaveNoVerdict(t *testing.T) {
	w := newFixture(t)
	one, two := w.measured(fivePlan), w.measured(strings.Replace(fivePlan, "1000", "3000", 1))
	runs := append(one.RunList, two.RunList...)
	got := decode[api.Comparison](w.get(at("/comparison" + query(runs))).is(200))
	if got.Stats.Verdict != stats.NoVerdict || got.Title != "20 runs of 2 experiments" || len(got.Stats.Variants) != 4 {
		t.Errorf("comparison %+v", got)
	}
	if want := "Numbers and intervals only: these runs were not randomised together."; got.Stats.Sentence != want {
		t.Errorf("sentence %q, want %q", got.Stats.Sentence, want)
	}
	if got.Stats.Pairs[0].Low == nil {
		t.Errorf("no interval: %+v", got.Stats.Pairs[0])
	}
	differs := map[string]map[string]string{}
	for _, d := range got.Differences {
		differs[d.Path] = map[string]string{}
		for label, value := range d.Values {
			differs[d.Path][label] = string(value)
		}
	}
	want := map[string]string{"kafka": "1000", "nats": "1000", "kafka " + two.ID: "3000", "nats " + two.ID: "3000"}
	if diff := cmp.Diff(want, differs["workload.load.rate"]); diff != "" {
		t.Error(diff)
	}
	other := decode[api.Comparison](w.get(at("/comparison%s&metric=throughput", query(runs))).is(200))
	if other.Stats.Metric != experiment.Throughput {
		t.Errorf("metric %s", other.Stats.Metric)
	}
	for _, form := range []string{"csv", "html"} {
		w.get(at("/comparison.%s%s", form, query(runs))).is(200)
	}
}

func TestAtMostFortyRunsAreCompared(t *testing.T) {
	w := newFixture(t)
	var runs []api.Run
	for i := range 41 {
		runs = append(runs, api.Run{ID: fmt.Sprintf("r%09d", i)})
	}
	w.get(at("/comparison"+query(runs))).refused(422, "query.run")
	w.get(at("/comparison" + query(runs[:40]))).refused(404)
}

func TestComparisonTellsOfEmulatorsAndThrottles(t *testing.T) {
	w := newFixture(t, func(o *httpapi.Options) { o.Compare.Titles = map[string]string{"nats": "NATS JetStream"} })
	e := w.submit()
	for range e.RunList {
		run := w.claim().enter(experiment.PhaseProvision)
		run.collect(time.Millisecond, func(r *measure.Result) {
			if run.Variant == "nats" {
				r.Incidents = map[experiment.Incident]int64{"throttled_writes": 7}
				r.Guarantees = json.RawMessage(`{"producer_ack": "all", "durability": "memory", "replicas": 1, "zones": 1, "emulator": "natsalike 1.0"}`)
			}
		}).end(experiment.Succeeded, experiment.TeardownClean)
	}
	got := decode[api.Comparison](w.get(at("/experiments/%s/comparison", e.ID)).is(200))
	if want := "nats ran on natsalike 1.0, which stands in for NATS JetStream: the results do not show how fast the technology itself is."; got.Caveats[0] != want {
		t.Errorf("first caveat %q, want %q", got.Caveats[0], want)
	}
	if got.Fairness.Emulators["nats"] != "natsalike 1.0" || len(got.Fairness.Unequal) != 1 {
		t.Errorf("fairness %+v", got.Fairness)
	}
	for _, run := range got.Runs {
		if want := map[string]int64{"nats": 7}[run.Run.Variant]; run.Incidents["throttled_writes"] != want {
			t.Errorf("%s has the incidents %v", run.Run.Name, run.Incidents)
		}
	}
}

// TestRunsOfEmulatorsAreNamedSo looks at every answer that names a run or a
// variant.
func TestRunsOfEmulatorsAreNamedSo(t *testing.T) {
	w := newFixture(t)
	w.plans.emulator = "natsalike"
	e := w.submit()
	nats := e.RunList[slices.IndexFunc(e.RunList, func(r api.Run) bool { return r.Variant == "nats" })]
	const want = `"name":"nats (emulator) #1"`
	for _, path := range []string{"/runs", "/runs/" + nats.ID, "/experiments/" + e.ID, "/experiments/" + e.ID + "/comparison", "/comparison?run=" + nats.ID} {
		if body := string(w.get(at("%s", path)).is(200).body); !strings.Contains(body, want) || strings.Contains(body, `"nats #`) {
			t.Errorf("%s does not name the run of the emulator:\n%s", path, body)
		}
	}
	list := decode[api.Page[api.Experiment]](w.get(at("/experiments")).is(200))
	if got := list.Items[0].Variants[1]; got.Emulator != "natsalike" || got.Label != "nats" {
		t.Errorf("a variant in the list = %+v, want the emulator of nats", got)
	}
	found := decode[api.Comparison](w.get(at("/experiments/%s/comparison", e.ID)).is(200))
	if got := found.Variants[1]; got.Emulator != "natsalike" || got.Name != "nats (emulator)" {
		t.Errorf("a variant of the comparison = %+v, want the emulator of nats", got)
	}
}

func TestRunThatDoesNotCountIsComparedWithItsReason(t *testing.T) {
	w := newFixture(t)
	e := w.submit()
	w.claim().enter(experiment.PhaseProvision).collect(time.Millisecond).end(experiment.Failed, experiment.TeardownClean)
	w.finish()
	got := decode[api.Comparison](w.get(at("/experiments/%s/comparison", e.ID)).is(200))
	if got.Runs[0].Excluded != "failed" {
		t.Errorf("run %+v", got.Runs[0])
	}
}
