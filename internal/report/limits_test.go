package report_test

import (
	"encoding/csv"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
	"dec.local/dec/internal/report"
)

const (
	clusterEffective  = `{"producer_ack":"all","durability":"page_cache","replicas":1,"min_in_sync":1,"zones":1,"details":{"version":"4.4.0"},"raise":{"replicas":"brokers: {want} and workload.topology.replicas: {want}"}}`
	emulatorEffective = `{"producer_ack":"all","durability":"memory","replicas":3,"min_in_sync":1,"zones":1,"details":{"shards":"1"},"emulator":"kinesalite 3.3.3","nature":"Amazon Kinesis keeps every record in three zones before it acknowledges it; the emulator keeps it in the memory of one process."}`
)

// limitedPlan asks 1,500 messages a second of a cluster and of an emulated stream.
func limitedPlan(t *testing.T) experiment.Plan {
	t.Helper()
	p, err := experiment.DecodePlan([]byte(`{
		"name": "Kafka vs Kinesis, one shard at 1,500 msg/s",
		"workload": {"load": {"rate": 1500}, "stages": {"warmup": "10s", "measure": "30s", "drain": "5s"}},
		"variants": [
			{"label": "kafka", "technology": "kafka", "stack": "kraft", "options": {"brokers": 1}},
			{"label": "kinesis-emulator", "technology": "kinesis", "stack": "emulator", "options": {"shards": 1}}
		]
	}`))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// throttle makes a result that of a stream which takes 1,000 of the 1,500
// messages offered each second and refuses more of them as time goes by.
func throttle(r measure.Result) measure.Result {
	r.Timeline = slices.Clone(r.Timeline)
	r.Incidents = map[experiment.Incident]int64{}
	for i, s := range r.Timeline {
		if s.Stage == experiment.StageDrain {
			continue
		}
		s.Counts.Offered, s.Counts.Acked, s.Counts.Received = 1500, 1000, 1000
		s.Latencies = map[measure.Distribution]measure.Latency{measure.E2ELatency: s.Latencies[measure.E2ELatency]}
		since := int64(max(0, s.Second-10))
		s.Incidents = map[experiment.Incident]int64{"throttled_writes": 520 + since%7*15, "retried_sends": 520 + since%7*15}
		s.InFlight = 1000 + 20*since
		s.Latencies[measure.Backpressure] = measure.Latency{Count: 1000, P99NS: new(int64(280*time.Millisecond) * since)}
		if s.Stage == experiment.StageMeasure {
			for name, n := range s.Incidents {
				r.Incidents[name] += n
			}
		}
		r.Timeline[i] = s
	}
	r.Counts.Offered, r.Counts.Acked, r.Counts.Sent, r.Counts.Unsent = 45_000, 37_500, 37_500, 7_500
	return r
}

// steady makes a result that of a cluster which took all that was offered.
func steady(r measure.Result) measure.Result {
	r.Timeline = slices.Clone(r.Timeline)
	for i := range r.Timeline {
		r.Timeline[i].Counts.Offered, r.Timeline[i].Counts.Acked = 1500, 1500
	}
	return r
}

// limited is an experiment whose second variant refused writes; change may
// change the results of its runs.
func limited(t *testing.T, change func(n int, variant string, r *measure.Result)) report.Report {
	t.Helper()
	p := limitedPlan(t)
	var all []experiment.Run
	for n, variant := range experiment.Order(p) {
		var r measure.Result
		if variant == "kafka" {
			r = steady(shape{3 * time.Millisecond, 0.35, 45_000, 1500}.result(t, uint64(100+n), clusterEffective))
		} else {
			r = throttle(shape{400 * time.Millisecond, 0.5, 37_500, 1000}.result(t, uint64(200+n), emulatorEffective))
		}
		if change != nil {
			change(n, variant, &r)
		}
		all = append(all, finished(t, n, variant, r))
	}
	r, err := report.New(experiment.Experiment{ID: "e000000002", Plan: p, Digest: p.Digest(), CreatedAt: start, State: experiment.Ended}, all,
		report.Options{Version: "1.0.0", MadeAt: start.Add(time.Hour), Titles: map[string]string{"kinesis": "Amazon Kinesis"}})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestLimitsAreSaid(t *testing.T) {
	const emulator = "kinesis-emulator ran on kinesalite 3.3.3, which stands for Amazon Kinesis on this machine: its numbers tell how to use it, not how fast it is."
	const lagging = " Its latencies grow with the length of the run: they tell how far it fell behind, not how fast it answers."
	tests := map[string]struct {
		change func(n int, variant string, r *measure.Result)
		want   []string
	}{
		"writes refused by a variant that falls behind": {
			nil,
			[]string{"kinesis-emulator refused writes because a limit was reached: 16,340 refusals in the measure stage of a typical run (565 each second at the median, 610 at most); " +
				"it took 1,000 of the 1,500 messages offered each second, and the wait for a free slot grew from 280 ms to 7.84 s (p99)." + lagging},
		},
		"the run in the middle is told": {
			func(n int, _ string, r *measure.Result) {
				if r.Incidents != nil { // the runs 1, 3, 4, 6 and 8
					r.Incidents = map[experiment.Incident]int64{"throttled_writes": int64(100 * n)}
				}
			},
			[]string{"kinesis-emulator refused writes because a limit was reached: 400 refusals in the measure stage of a typical run (565 each second at the median, 610 at most); " +
				"it took 1,000 of the 1,500 messages offered each second, and the wait for a free slot grew from 280 ms to 7.84 s (p99)." + lagging},
		},
		"writes refused, sent again, and all taken": {
			func(_ int, variant string, r *measure.Result) {
				if variant == "kafka" {
					return
				}
				r.Counts.Unsent = 0
				for i := range r.Timeline {
					r.Timeline[i].Counts.Acked, r.Timeline[i].InFlight = r.Timeline[i].Counts.Offered, 40
					delete(r.Timeline[i].Latencies, measure.Backpressure)
				}
			},
			[]string{"kinesis-emulator refused writes because a limit was reached: 16,340 refusals in the measure stage of a typical run (565 each second at the median, 610 at most); " +
				"what it refused was sent again, and it kept up with the 1,500 messages offered each second."},
		},
		"reads refused in some of the runs": {
			func(n int, variant string, r *measure.Result) {
				if variant == "kafka" {
					return
				}
				r.Incidents, r.Counts.Unsent = nil, 0
				for i := range r.Timeline {
					r.Timeline[i].Incidents = nil
					if n < 5 {
						r.Timeline[i].Incidents, r.Timeline[i].Backlog = map[experiment.Incident]int64{"throttled_reads": 2}, int64(100*r.Timeline[i].Second)
						r.Incidents = map[experiment.Incident]int64{"throttled_reads": 58}
					}
				}
			},
			[]string{"Reads from kinesis-emulator were refused because a limit was reached: 58 refusals in the measure stage of a typical one of the 3 of 5 runs in which it happened " +
				"(2 each second at the median, 2 at most); the messages that waited to be read grew from 1,100 to 3,800."},
		},
		"nothing refused, but less taken than offered": {
			func(_ int, variant string, r *measure.Result) {
				r.Incidents = nil
				for i := range r.Timeline {
					r.Timeline[i].Incidents = nil
					delete(r.Timeline[i].Latencies, measure.Backpressure)
				}
			},
			[]string{"kinesis-emulator did not keep up with the load: 7,500 of 45,000 messages in the measure stage of a typical run were never sent; " +
				"it took 1,000 of the 1,500 messages offered each second, and the messages under way in its clients grew from 1,020 to 1,560." + lagging},
		},
		"a few messages that found no slot": {
			func(_ int, variant string, r *measure.Result) {
				r.Incidents, r.Counts.Unsent = nil, 0
				if variant == "kafka" {
					r.Counts.Unsent = 3
				}
			},
			[]string{"kafka did not take all that was offered: 3 of 45,000 messages in the measure stage of a typical run were never sent, for want of a free slot."},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := limited(t, tt.change)
			if r.Caveats[0] != emulator {
				t.Errorf("first caveat = %q, want that of the emulator", r.Caveats[0])
			}
			until := slices.IndexFunc(r.Caveats, func(c string) bool { return strings.HasPrefix(c, "Not like for like") })
			if diff := cmp.Diff(tt.want, r.Caveats[1:until]); diff != "" {
				t.Errorf("sentences on limits (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRunsThatDoNotCountReachNoLimit(t *testing.T) {
	r := limited(t, func(_ int, variant string, r *measure.Result) {
		if variant != "kafka" {
			r.Validity = experiment.Validity{Reasons: []string{"the load generator was the limit"}}
		}
	})
	if text := write(t, r, table(false)); strings.Contains(text, "because a limit was reached") || strings.Contains(text, "throttled") {
		t.Errorf("limits of runs that do not count are told:\n%s", text)
	}
}

func TestIncidentsAreShownWhereThereAreSome(t *testing.T) {
	with, without := limited(t, nil), synthetic(t)
	for form, want := range map[string][]string{
		"table": {"Writes refused for now (throttled)", "Sent again (retried)"},
		"html":  {"Writes refused for now (throttled)", "Throttled per second: kinesis-emulator", "Wait for a free slot, p99 of each second: kinesis-emulator"},
	} {
		write := map[string]func(report.Report) string{
			"table": func(r report.Report) string { return write(t, r, table(false)) },
			"html":  func(r report.Report) string { return write(t, r, report.HTML) },
		}[form]
		for _, text := range want {
			if !strings.Contains(write(with), text) {
				t.Errorf("%s lacks %q", form, text)
			}
			if strings.Contains(write(without), text) {
				t.Errorf("%s of runs without any has %q", form, text)
			}
		}
	}
	page := write(t, with, report.HTML)
	for _, absent := range []string{"Reads refused for now", "Reads throttled per second", "Throttled per second: kafka"} {
		if strings.Contains(page, absent) {
			t.Errorf("html has %q, of which there is none", absent)
		}
	}
}

func TestCSVHasIncidentsAndEmulators(t *testing.T) {
	rows, err := csv.NewReader(strings.NewReader(write(t, limited(t, nil), report.CSV))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	cell := func(row []string, name string) string { return row[slices.Index(rows[0], name)] }
	for _, row := range rows[1:] {
		want := map[string]string{"emulator": "", "throttled_writes": "0", "throttled_reads": "0", "retried_sends": "0", "reconnects": "0"}
		if cell(row, "variant") != "kafka" {
			want["emulator"], want["throttled_writes"], want["retried_sends"] = "kinesalite 3.3.3", "16340", "16340"
		}
		for name, value := range want {
			if got := cell(row, name); got != value {
				t.Errorf("%s of a run of %s = %q, want %q", name, cell(row, "variant"), got, value)
			}
		}
	}
}

// Every number stands beside a label that tells of the emulator, however narrow
// the place is.
func TestEmulatorIsNamedEverywhere(t *testing.T) {
	r := limited(t, nil)
	page := write(t, r, report.HTML)
	for _, want := range []string{`<span class="emulator">emulator</span>`, "<li class=\"warn\"><span aria-hidden=\"true\">⚠ </span>emulator</li>", ">kafka to kinesis-emulator</text>", ">kinesis-emulator</text>", "By nature: Amazon Kinesis keeps"} {
		if !strings.Contains(page, want) {
			t.Errorf("HTML() lacks %s", want)
		}
	}
	if !strings.Contains(r.Comparison.Sentence, "kinesis-emulator") {
		t.Errorf("the verdict %q does not name the emulator", r.Comparison.Sentence)
	}
	var view struct {
		Fairness report.Fairness `json:"fairness"`
	}
	if err := json.Unmarshal([]byte(write(t, r, report.JSON)), &view); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"kinesis-emulator": "kinesalite 3.3.3"}, view.Fairness.Emulators); diff != "" {
		t.Errorf("emulators (-want +got):\n%s", diff)
	}
}

func TestLongLabelsKeepThatTheyAreEmulators(t *testing.T) {
	p, err := limitedPlan(t).Relabel([]string{"kafka-with-three-brokers-and-two-copies", "kinesis-with-a-single-shard-emulator"})
	if err != nil {
		t.Fatal(err)
	}
	var all []experiment.Run
	for n, variant := range experiment.Order(p) {
		all = append(all, finished(t, n, variant, shape{time.Millisecond, 0.4, 2000, 2000}.result(t, uint64(400+n), clusterEffective)))
	}
	r, err := report.New(experiment.Experiment{ID: "e1", Plan: p}, all, report.Options{})
	if err != nil {
		t.Fatal(err)
	}
	const want = ">kafka-with-three-broker… to kinesis-with-a…emulator</text>"
	if page := write(t, r, report.HTML); !strings.Contains(page, want) {
		t.Errorf("HTML() lacks %s", want)
	}
}
