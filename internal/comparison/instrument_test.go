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

// each changes the runs of a variant that count, at most n of them.
func each(s *comparison.Set, label string, n int, change func(*measure.Result)) {
	for _, run := range s.Runs {
		if run.Of.Label == label && run.Counts() && n > 0 {
			change(run.Result)
			n--
		}
	}
}

// lateBy makes the load generator late by a time at the p99.
func lateBy(d time.Duration) func(*measure.Result) {
	return func(r *measure.Result) { r.Lateness.P99NS = new(d.Nanoseconds()) }
}

func halves(first, second time.Duration) func(*measure.Result) {
	return func(r *measure.Result) {
		latency := func(d time.Duration) measure.Latency {
			return measure.Latency{Count: 5000, P99NS: new(d.Nanoseconds())}
		}
		r.Course = &measure.Course{Halves: map[measure.Distribution]measure.Halves{measure.E2ELatency: {First: latency(first), Second: latency(second)}}}
	}
}

// TestWhatTheInstrumentDid changes runs of kafka, which is slower than nats otherwise by
// several milliseconds.
func TestWhatTheInstrumentDid(t *testing.T) {
	const ms = time.Millisecond
	tests := map[string]struct {
		variant string
		runs    int
		change  func(*measure.Result)
		verdict stats.Kind
		caveat  string // part of one; none of those tested here if empty
	}{
		"nothing":                            {verdict: stats.Different},
		"late where it is slower":            {variant: "kafka", runs: 5, change: lateBy(5 * ms), verdict: stats.CantTell, caveat: "The load generator was late by up to 5.00 ms at the same quantile in 5 of 5 runs of kafka"},
		"late where it is faster":            {variant: "nats", runs: 5, change: lateBy(2 * ms), verdict: stats.Different, caveat: "was late by up to 2.00 ms at the same quantile in 5 of 5 runs of nats"},
		"late, and much slower all the same": {variant: "kafka", runs: 5, change: lateBy(ms), verdict: stats.Different, caveat: "was late by up to 1.00 ms"},
		"clocks that may be apart":           {variant: "kafka", runs: 5, change: func(r *measure.Result) { r.ClockBound = new((5 * ms).Nanoseconds()) }, verdict: stats.CantTell},
		"clocks of which nobody knows":       {variant: "kafka", runs: 1, change: func(r *measure.Result) { r.ClockBound = nil }, verdict: stats.CantTell, caveat: "Nobody knows by how much the clocks of the agents' machines differ"},
		"faster in the second half":          {variant: "kafka", runs: 3, change: halves(9*ms, 6*ms), verdict: stats.Different, caveat: "kafka was still warming up: in 3 of 5 runs its end-to-end p99 was lower in the second half of the measure stage, by a factor of up to 1.50."},
		"in few runs":                        {variant: "kafka", runs: 2, change: halves(9*ms, 6*ms), verdict: stats.Different},
		"a little faster":                    {variant: "kafka", runs: 5, change: halves(7*ms, 6*ms), verdict: stats.Different},
		"slower in the second half":          {variant: "kafka", runs: 5, change: halves(6*ms, 9*ms), verdict: stats.Different, caveat: "kafka got slower: in 5 of 5 runs"},
		"a backlog of the warm-up": {variant: "kafka", runs: 2, verdict: stats.Different, caveat: "kafka started with a backlog: in 2 of 5 runs up to 4,100 messages of the warm-up had not come",
			change: func(r *measure.Result) {
				r.Course = &measure.Course{Offered: measure.PerSecond{Median: 2000}, Behind: &measure.Behind{Start: 4100, End: 3}}
			}},
		"what is always under way": {variant: "kafka", runs: 5, verdict: stats.Different,
			change: func(r *measure.Result) {
				r.Course = &measure.Course{Offered: measure.PerSecond{Median: 2000}, Behind: &measure.Behind{Start: 1999, End: 1900}}
			}},
		"a contradiction": {variant: "kafka", runs: 5, verdict: stats.Different, caveat: "A contradiction: the end-to-end p99 of nats is lower than that of kafka from the intended time on, and higher from the real send on.",
			change: func(r *measure.Result) { r.E2ESvc.P99NS = new((100 * time.Microsecond).Nanoseconds()) }},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := comparisontest.Synthetic(t)
			for _, run := range s.Runs {
				if run.Result != nil {
					run.Result.E2ESvc = run.Result.E2E
				}
			}
			if tt.change != nil {
				each(s, tt.variant, tt.runs, tt.change)
			}
			got := comparisontest.Compare(t, s)
			if got.Stats.Verdict != tt.verdict {
				t.Errorf("verdict = %s, %q, want %s", got.Stats.Verdict, got.Stats.Sentence, tt.verdict)
			}
			caveats := strings.Join(got.Caveats, "\n")
			if tt.caveat != "" && !strings.Contains(caveats, tt.caveat) {
				t.Errorf("caveats =\n%s\nwant %q", caveats, tt.caveat)
			}
			for _, other := range []string{"was late by", "still warming up", "got slower", "with a backlog", "contradiction"} {
				if strings.Contains(caveats, other) && !strings.Contains(tt.caveat, other) {
					t.Errorf("caveats =\n%s\nwant none of %q", caveats, other)
				}
			}
		})
	}
}

// TestASystemThatDiedDidNotDeliver fails runs under their load.
func TestASystemThatDiedDidNotDeliver(t *testing.T) {
	s := comparisontest.Synthetic(t)
	for _, run := range s.Variants[1].Runs[:2] {
		run.Outcome, run.SystemDied, run.Reason = experiment.Failed, true, "load: service server-0 ended: exit code 137"
	}
	got := comparisontest.Compare(t, s)
	want := "nats is not ranked: in 2 of 6 runs it did not deliver, because it ended under the load."
	if got.Stats.Verdict != stats.NoVerdict || !strings.Contains(got.Stats.Sentence, want) {
		t.Errorf("verdict = %s, %q, want none and %q", got.Stats.Verdict, got.Stats.Sentence, want)
	}
	if !strings.Contains(strings.Join(got.Attention, "\n"), "did not deliver: load: service server-0 ended") {
		t.Errorf("attention = %q, want that the run did not deliver", got.Attention)
	}
}

// TestThroughputOfThoseThatKeptUp wants no ranking of what was offered to both.
func TestThroughputOfThoseThatKeptUp(t *testing.T) {
	for name, tt := range map[string]struct {
		kafka float64 // its throughput
		want  stats.Kind
		text  string
	}{
		"both kept up": {1985, stats.CantTell, "both kept up with all that was offered"},
		"one did not":  {1500, stats.Different, "nats is better than kafka at throughput"},
	} {
		t.Run(name, func(t *testing.T) {
			s := comparisontest.Synthetic(t)
			s.Experiment.Plan.Compare = experiment.Throughput
			for label, rate := range map[string]float64{"kafka": tt.kafka, "nats": 2000} {
				each(s, label, 5, func(r *measure.Result) {
					r.Throughput, r.Course = rate, &measure.Course{Offered: measure.PerSecond{Median: 2000}}
				})
			}
			got := comparisontest.Compare(t, s)
			if got.Stats.Verdict != tt.want || !strings.Contains(got.Stats.Sentence, tt.text) {
				t.Errorf("verdict = %s, %q, want %s and %q", got.Stats.Verdict, got.Stats.Sentence, tt.want, tt.text)
			}
		})
	}
}
