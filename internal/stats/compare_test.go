package stats_test

import (
	"encoding/json"
	"testing"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/stats"
)

// around returns n values close to x.
func around(x float64, n int) []float64 {
	all := make([]float64, n)
	for i := range all {
		all[i] = x * (1 + 0.01*float64(i))
	}
	return all
}

func TestVerdicts(t *testing.T) {
	kafka := func(x float64, n int) stats.Sample { return stats.Sample{Label: "kafka", Values: around(x, n)} }
	nats := func(x float64, n int) stats.Sample { return stats.Sample{Label: "nats", Values: around(x, n)} }
	redis := stats.Sample{Label: "redis", Values: around(9, 5)}
	done := stats.Question{Metric: "e2e_p99", Ended: 10, Planned: 10}
	with := func(change func(*stats.Question)) stats.Question {
		q := done
		change(&q)
		return q
	}
	three := with(func(q *stats.Question) { q.Ended, q.Planned = 15, 15 })
	tests := map[string]struct {
		question stats.Question
		samples  []stats.Sample
		verdict  stats.Kind
		best     string
		sentence string
	}{
		"a factor": {
			done, []stats.Sample{kafka(3.1, 5), nats(1, 5)}, stats.Different, "nats",
			"nats is faster than kafka at end-to-end p99 by a factor of 3.10 (95 % CI 3.01–3.19; 5 against 5 runs).",
		},
		"percent, and the better one first with its runs": {
			done, []stats.Sample{nats(0.88, 6), kafka(1, 5)}, stats.Different, "nats",
			"nats is faster than kafka at end-to-end p99: 11.6 % lower (95 % CI 9.4–13.7 %; 6 against 5 runs).",
		},
		"throughput, where more is better": {
			with(func(q *stats.Question) { q.Metric = experiment.Throughput }), []stats.Sample{kafka(1200, 5), nats(1000, 5)}, stats.Different, "kafka",
			"kafka is better than nats at throughput: 20 % higher (95 % CI 17–24 %; 5 against 5 runs).",
		},
		"processor time": {
			with(func(q *stats.Question) { q.Metric = experiment.CPUPerMillion }), []stats.Sample{kafka(120, 5), nats(60, 5)}, stats.Different, "nats",
			"nats is better than kafka at broker CPU per million messages by a factor of 2.00 (95 % CI 1.94–2.06; 5 against 5 runs).",
		},
		"overlapping runs": {
			done, []stats.Sample{kafka(1, 5), nats(1.01, 5)}, stats.CantTell, "",
			"Can't tell which is faster at end-to-end p99: the difference could be anything from kafka 3.8 % lower to nats 1.9 % lower (95 % CI; 5 against 5 runs). At this spread it would take about 41 runs of each variant to show a difference of 1 %.",
		},
		"runs that have not ended": {
			with(func(q *stats.Question) { q.Ended = 4 }), []stats.Sample{kafka(3, 2), nats(1, 2)}, stats.NoVerdict, "",
			"No verdict yet: 4 of 10 runs have ended.",
		},
		"one run that has ended": {
			with(func(q *stats.Question) { q.Ended = 1 }), []stats.Sample{kafka(3, 1), nats(1, 0)}, stats.NoVerdict, "",
			"No verdict yet: 1 of 10 runs has ended.",
		},
		"one valid run": {
			done, []stats.Sample{kafka(3, 5), nats(1, 1)}, stats.NoVerdict, "",
			"No verdict on kafka and nats: nats has only 1 valid run; 5 are needed.",
		},
		"runs that were not planned together": {
			with(func(q *stats.Question) { q.Separate = true }), []stats.Sample{kafka(3, 5), nats(1, 5)}, stats.NoVerdict, "",
			"Numbers and intervals only: these runs were not randomised together.",
		},
		"a plan with too few runs": {
			with(func(q *stats.Question) { q.Ended, q.Planned = 8, 8 }), []stats.Sample{kafka(3, 4), nats(1, 4)}, stats.NoVerdict, "",
			"No verdict: 8 runs were planned; 2 variants need 5 runs each.",
		},
		"too few valid runs": {
			done, []stats.Sample{kafka(3, 5), nats(1, 4)}, stats.NoVerdict, "",
			"No verdict on kafka and nats: nats has only 4 valid runs; 5 are needed.",
		},
		"no valid run": {
			done, []stats.Sample{kafka(3, 5), {Label: "nats", Missing: "nats could not be measured: port in use."}}, stats.NoVerdict, "",
			"No verdict on kafka and nats: nats could not be measured: port in use.",
		},
		"lost messages": {
			done, []stats.Sample{{Label: "kafka", Values: around(3, 5), Unranked: "kafka lost 214 of 600,000 acknowledged messages, so its numbers are shown but not ranked."}, nats(1, 5)}, stats.NoVerdict, "",
			"No verdict on kafka and nats: kafka lost 214 of 600,000 acknowledged messages, so its numbers are shown but not ranked.",
		},
		"lost messages on both sides": {
			done, []stats.Sample{{Label: "kafka", Values: around(3, 5), Unranked: "kafka lost 2."}, {Label: "nats", Values: around(1, 5), Unranked: "nats lost 3."}}, stats.NoVerdict, "",
			"No verdict on kafka and nats: kafka lost 2. nats lost 3.",
		},
		"lost messages where nothing can be compared": {
			done, []stats.Sample{{Label: "kafka", Missing: "no run of kafka has enough messages.", Unranked: "kafka lost 2."}, nats(1, 5)}, stats.NoVerdict, "",
			"No verdict on kafka and nats: kafka lost 2.",
		},
		"lost messages in a plan with too few runs": {
			with(func(q *stats.Question) { q.Ended, q.Planned = 2, 2 }), []stats.Sample{{Label: "kafka", Values: around(3, 1), Unranked: "kafka lost 2."}, nats(1, 1)}, stats.NoVerdict, "",
			"No verdict: 2 runs were planned; 2 variants need 5 runs each. kafka lost 2.",
		},
		"lost messages of one of three": {
			three, []stats.Sample{kafka(3, 5), nats(1, 5), {Label: "redis", Values: around(2, 5), Unranked: "redis lost 2."}}, stats.Different, "nats",
			"nats is faster than kafka at end-to-end p99 by a factor of 3.00 (95 % CI 2.91–3.09; 5 against 5 runs). redis lost 2.",
		},
		"lost messages of two of three": {
			three, []stats.Sample{kafka(3, 5), {Label: "nats", Unranked: "nats lost 1."}, {Label: "redis", Values: around(2, 5), Unranked: "redis lost 2."}}, stats.NoVerdict, "",
			"No verdict: fewer than two variants can be ranked. nats lost 1. redis lost 2.",
		},
		"stopped": {
			with(func(q *stats.Question) { q.Withheld = "It was stopped." }), []stats.Sample{kafka(3, 5), nats(1, 5)}, stats.NoVerdict, "",
			"No verdict: it was stopped.",
		},
		"a value that has no logarithm": {
			done, []stats.Sample{{Label: "kafka", Values: []float64{1, 0, 2, 3, 4}}, nats(1, 5)}, stats.NoVerdict, "",
			"No verdict on kafka and nats: kafka has a run with the value 0, for which there is no ratio.",
		},
		"one variant": {
			with(func(q *stats.Question) { q.Ended, q.Planned = 5, 5 }), []stats.Sample{kafka(3, 5)}, stats.NoVerdict, "",
			"No verdict: there is only one variant, so there is nothing to compare.",
		},
		"one of three is best": {
			three, []stats.Sample{kafka(3, 5), nats(1, 5), redis}, stats.Different, "nats",
			"Of 3 variants, nats is fastest at end-to-end p99: lower than every other one by at least a factor of 2.9 (95 % simultaneous CI of 3 comparisons).",
		},
		"alike": {
			with(func(q *stats.Question) { q.Matters = 0.05 }), []stats.Sample{kafka(1, 5), nats(1.01, 5)}, stats.Alike, "",
			"No difference that matters (5 %) between kafka and nats at end-to-end p99: it could be anything from kafka 3.8 % lower to nats 1.9 % lower (95 % CI; 5 against 5 runs).",
		},
		"a difference, but too small to matter": {
			with(func(q *stats.Question) { q.Matters = 0.2 }), []stats.Sample{kafka(1.1, 5), nats(1, 5)}, stats.Alike, "",
			"No difference that matters (20 %) between kafka and nats at end-to-end p99: it could be anything from nats 6.4 % lower to nats 11.7 % lower (95 % CI; 5 against 5 runs).",
		},
		"too few runs for what matters": {
			with(func(q *stats.Question) { q.Matters = 0.02 }), []stats.Sample{kafka(1, 5), nats(1.01, 5)}, stats.CantTell, "",
			"Can't tell which is faster at end-to-end p99: the difference could be anything from kafka 3.8 % lower to nats 1.9 % lower (95 % CI; 5 against 5 runs). At this spread it would take about 12 runs of each variant to show a difference of 2 %.",
		},
		"three that are alike": {
			with(func(q *stats.Question) { q.Ended, q.Planned, q.Matters = 15, 15, 0.1 }),
			[]stats.Sample{kafka(1, 5), nats(1.01, 5), {Label: "redis", Values: around(0.99, 5)}}, stats.Alike, "",
			"No difference that matters (10 %) between the 3 variants at end-to-end p99.",
		},
		"a late load generator": {
			done, []stats.Sample{{Label: "kafka", Values: around(1.2, 5), Slack: []float64{0.2, 0.2, 0.2, 0.2, 0.2}}, nats(1, 5)}, stats.CantTell, "",
			"Can't tell which of kafka and nats is faster at end-to-end p99: the load generator or the clocks could explain the difference.",
		},
		"a load generator that was late for the better one": {
			done, []stats.Sample{kafka(1.2, 5), {Label: "nats", Values: around(1, 5), Slack: []float64{0.2, 0.2, 0.2, 0.2, 0.2}}}, stats.Different, "nats",
			"nats is faster than kafka at end-to-end p99: 16.7 % lower (95 % CI 14.2–19.1 %; 5 against 5 runs).",
		},
		"more lateness than latency": {
			done, []stats.Sample{{Label: "kafka", Values: around(2, 5), Slack: []float64{9, 9, 9, 9, 9}}, nats(1, 5)}, stats.CantTell, "",
			"Can't tell which of kafka and nats is faster at end-to-end p99: the load generator or the clocks could explain the difference.",
		},
		"a late load generator that may hide what matters": {
			with(func(q *stats.Question) { q.Matters = 0.1 }),
			[]stats.Sample{kafka(1, 5), {Label: "nats", Values: around(1.01, 5), Slack: []float64{0.3, 0.3, 0.3, 0.3, 0.3}}}, stats.CantTell, "",
			"Can't tell which of kafka and nats is faster at end-to-end p99: the load generator's own lateness or the clocks could hide a difference that matters.",
		},
		"clocks that may be wrong for both": {
			done, []stats.Sample{{Label: "kafka", Values: around(1.2, 5), Error: []float64{0.1, 0.1, 0.1, 0.1, 0.1}},
				{Label: "nats", Values: around(1, 5), Error: []float64{0.1, 0.1, 0.1, 0.1, 0.1}}}, stats.CantTell, "",
			"Can't tell which of kafka and nats is faster at end-to-end p99: the load generator or the clocks could explain the difference.",
		},
		"both kept up": {
			with(func(q *stats.Question) { q.Metric = experiment.Throughput }),
			[]stats.Sample{{Label: "kafka", Values: around(1000, 5), KeptUp: true}, {Label: "nats", Values: around(900, 5), KeptUp: true}}, stats.CantTell, "",
			"Can't tell which of kafka and nats is better at throughput: both kept up with all that was offered. Raise the rate to find out which takes more.",
		},
		"two of three are not beaten": {
			three, []stats.Sample{kafka(1, 5), nats(1.01, 5), redis}, stats.CantTell, "",
			"Can't tell which of the 3 variants is fastest at end-to-end p99. Not beaten by any other: kafka and nats.",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := stats.Compare(tt.question, tt.samples)
			if got.Verdict != tt.verdict || got.Best != tt.best || got.Sentence != tt.sentence {
				t.Errorf("Compare() = %s, best %q:\n%s\nwant %s, best %q:\n%s", got.Verdict, got.Best, got.Sentence, tt.verdict, tt.best, tt.sentence)
			}
			if _, err := json.Marshal(got); err != nil {
				t.Errorf("Marshal(comparison) = %v, want no error", err)
			}
		})
	}
}

func TestPairsAreCorrectedAndTold(t *testing.T) {
	c := stats.Compare(stats.Question{Metric: "e2e_p99", Ended: 15, Planned: 15}, []stats.Sample{
		{Label: "kafka", Values: around(3, 5)}, {Label: "nats", Values: around(1, 5)}, {Label: "redis", Values: around(1.01, 5)},
	})
	want := []string{
		"nats is faster than kafka at end-to-end p99 by a factor of 3.00 (95 % CI of this pair 2.91–3.09; corrected for 3 comparisons; 5 against 5 runs).",
		"redis is faster than kafka at end-to-end p99 by a factor of 2.97 (95 % CI of this pair 2.88–3.06; corrected for 3 comparisons; 5 against 5 runs).",
	}
	for i, sentence := range want {
		if c.Sentences[i] != sentence {
			t.Errorf("Sentences[%d] = %s, want %s", i, c.Sentences[i], sentence)
		}
	}
	if p := c.Pairs[0]; p.PHolm != 3*p.P || p.Nominal != 1-stats.Alpha/3 {
		t.Errorf("first pair has the corrected P %v and level %v, want %v and %v", p.PHolm, p.Nominal, 3*p.P, 1-stats.Alpha/3)
	}
}
