package comparison_test

import (
	"strings"
	"testing"
	"time"

	"dec.local/dec/internal/comparison"
	"dec.local/dec/internal/comparison/comparisontest"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
	"dec.local/dec/internal/stats"
)

// leaveUnsent is a run that left a fifth of what was offered unsent.
func leaveUnsent(r *measure.Result) {
	r.Counts.Unsent, r.Counts.Sent, r.Counts.Acked, r.Counts.Received = 12_000, 48_000, 48_000, 48_000
	r.E2E.Count, r.E2E.Open = 48_000, 12_000
	r.E2E.P99NS, r.E2E.P99AtLeastNS = nil, new((5800 * time.Millisecond).Nanoseconds())
	r.Publish = r.E2E
}

// TestWhoIsRanked changes some of the runs of nats, which is faster than kafka
// otherwise, and wants its reason not to be ranked.
func TestWhoIsRanked(t *testing.T) {
	tests := map[string]struct {
		runs   int // of nats that are changed, at most
		change func(*measure.Result)
		metric experiment.Metric
		want   string // part of the verdict; it is faster if empty
	}{
		"all came": {},
		"a fifth unsent in two runs": {runs: 2, change: leaveUnsent,
			want: "nats is not ranked: in 2 of 5 runs 20 % of the offered messages could not be sent, and its end-to-end p99 is at least 5.80 s."},
		"by publish latency alike": {runs: 1, change: leaveUnsent, metric: "publish_p99", want: "in 1 of 5 runs 20 % of the offered messages could not be sent"},
		"refused fast": {runs: 5, change: func(r *measure.Result) {
			r.Counts.Failed, r.Counts.Acked, r.Counts.Received = 30_000, 30_000, 30_000
			r.E2E.Count, r.E2E.Open = 30_000, 30_000
		}, want: "in 5 of 5 runs 50 % of the offered messages failed"},
		"a few did not come": {runs: 1, change: func(r *measure.Result) { r.E2E.Count, r.E2E.Open = 59_939, 61 },
			want: "in 1 of 5 runs 0.102 % of the offered messages had not come when observation ended."},
		"as few as do not matter":     {runs: 5, change: func(r *measure.Result) { r.E2E.Count, r.E2E.Open = 59_940, 60 }},
		"more matter to a higher one": {runs: 1, change: func(r *measure.Result) { r.E2E.Count, r.E2E.Open = 59_940, 60 }, metric: "e2e_p999", want: "0.1 %"},
		"a bound alone": {runs: 1, change: func(r *measure.Result) {
			r.E2E.Open, r.E2E.P99NS, r.E2E.P99AtLeastNS = 1, nil, new(int64(time.Second))
		}, want: "its end-to-end p99 is at least 1.00 s"},
		"it fell behind": {runs: 3, change: func(r *measure.Result) { r.Course = &measure.Course{Behind: &measure.Behind{End: 21_593, Grew: true}} },
			want: "nats is not ranked: in 3 of 5 runs it did not keep up, and was 21,593 messages behind at the end"},
		"it fell behind and caught up": {runs: 3, change: func(r *measure.Result) { r.Course = &measure.Course{Behind: &measure.Behind{End: 21_593}} }},
		"what a message costs is that of another load": {
			runs: 1, metric: "cpu_per_million", change: func(r *measure.Result) { r.Course = &measure.Course{Behind: &measure.Behind{End: 9, Grew: true}} },
			want: "so that its broker CPU per million messages is that of a smaller load"},
		"it lost some": {runs: 1, change: func(r *measure.Result) { r.Counts.Lost = 3 }, want: "nats lost 3 of 300,000 acknowledged messages"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := comparisontest.Synthetic(t)
			s.Experiment.Plan.Compare = tt.metric
			changed := 0
			for _, run := range s.Runs {
				if run.Of.Label == "nats" && run.Counts() && changed < tt.runs {
					tt.change(run.Result)
					changed++
				}
			}
			got := comparisontest.Compare(t, s)
			if tt.want == "" {
				if got.Stats.Best != "nats" {
					t.Errorf("verdict = %q, want that nats is faster", got.Stats.Sentence)
				}
				return
			}
			pair := got.Stats.Pairs[0]
			if got.Stats.Verdict != stats.NoVerdict || !strings.Contains(got.Stats.Sentence, tt.want) || pair.Ratio != nil || pair.Low != nil {
				t.Errorf("verdict = %q, ratio %v, want no ratio and %q", got.Stats.Sentence, pair.Ratio, tt.want)
			}
		})
	}
}

func TestAnEmulatorIsNeverRanked(t *testing.T) {
	got := comparisontest.Compare(t, comparisontest.Limited(t, nil))
	if got.Stats.Verdict != stats.NoVerdict || !strings.Contains(got.Stats.Sentence, "kinesis (emulator) is not ranked: kinesalite 3.3.3 is an emulator") {
		t.Errorf("verdict = %s, %q, want none, since one is an emulator", got.Stats.Verdict, got.Stats.Sentence)
	}
	if got.Figures[1].Values[1].Value == nil {
		t.Error("the figures of the emulator are missing: they stand side by side with the others")
	}
}

func TestNoVerdictOnAStoppedExperiment(t *testing.T) {
	s := comparisontest.Synthetic(t)
	s.Runs[len(s.Runs)-1].Outcome = experiment.Cancelled
	unrun := comparisontest.Synthetic(t)
	unrun.Experiment.Reason = "somebody has seen enough" // instead of a run more
	for _, stopped := range []*comparison.Set{s, unrun} {
		got := comparisontest.Compare(t, stopped)
		if got.Stats.Verdict != stats.NoVerdict || !strings.Contains(got.Stats.Sentence, "stopped before all planned runs had ended") {
			t.Errorf("verdict = %s, %q, want none: it was stopped at a moment that somebody chose", got.Stats.Verdict, got.Stats.Sentence)
		}
	}
}

func TestNoVerdictOverTwoMethods(t *testing.T) {
	s := comparisontest.Synthetic(t)
	s.Runs[0].Result.Method = 0
	got := comparisontest.Compare(t, s)
	if got.Stats.Verdict != stats.NoVerdict || !strings.Contains(got.Stats.Sentence, "different versions of the method") {
		t.Errorf("verdict = %s, %q, want none over two methods", got.Stats.Verdict, got.Stats.Sentence)
	}
	for _, run := range s.Runs {
		run.Result.Method = 0
	}
	got = comparisontest.Compare(t, s)
	for _, f := range got.Figures {
		if f.Name == "unanswered" || f.Name == "delivered_share" {
			if f.Values[0].Value != nil {
				t.Errorf("%s of results that did not have it = %g, want unknown", f.Name, *f.Values[0].Value)
			}
		}
	}
}

// TestAFigureOfSomeBounds wants the median where it is known in spite of them.
func TestAFigureOfSomeBounds(t *testing.T) {
	s := comparisontest.Synthetic(t)
	for n, run := range s.Variants[1].Counted() {
		if n < 2 {
			leaveUnsent(run.Result)
		}
	}
	value := func(name string) comparison.FigureValue {
		for _, f := range comparisontest.Compare(t, s).Figures {
			if f.Name == name {
				return f.Values[1]
			}
		}
		t.Fatalf("there is no figure %s", name)
		return comparison.FigureValue{}
	}
	v := value("e2e_p99")
	if v.Value == nil || v.Low == nil || v.High != nil || v.HighAtLeast == nil || *v.HighAtLeast != 5.8e9 || v.Runs != 5 {
		t.Errorf("e2e_p99 of three values and two bounds = %+v, want a median, a lowest value, and a bound for the highest", v)
	}
	for _, run := range s.Variants[1].Counted() {
		leaveUnsent(run.Result)
	}
	if v := value("e2e_p99"); v.Value != nil || v.ValueAtLeast == nil || *v.ValueAtLeast != 5.8e9 {
		t.Errorf("e2e_p99 of bounds alone = %+v, want a bound", v)
	}
}
