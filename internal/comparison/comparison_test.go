package comparison_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"dec.local/dec/internal/comparison"
	"dec.local/dec/internal/comparison/comparisontest"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/stats"
)

// lose takes messages away from the results of some runs.
func lose(runs []experiment.Run, n int, from func(n int, variant string) bool) []experiment.Run {
	for i := range runs {
		if from(i, runs[i].Variant) {
			runs[i].Result = bytes.Replace(runs[i].Result, []byte(`"lost":0`), fmt.Appendf(nil, `"lost":%d`, n), 1)
		}
	}
	return runs
}

func TestWhatCounts(t *testing.T) {
	tests := map[string]struct {
		change   func([]experiment.Run) []experiment.Run
		verdict  stats.Kind
		sentence string
	}{
		"an invalid run that was repeated": {
			func(runs []experiment.Run) []experiment.Run { return runs },
			stats.Different, "nats is faster than kafka at end-to-end p99 by a factor of 2.70 (95 % CI 2.56–2.90; 5 against 5 runs).",
		},
		"an extra run that is still going on": {
			func(runs []experiment.Run) []experiment.Run {
				runs[10].Phase, runs[10].Outcome, runs[10].Result = experiment.PhaseLoad, "", nil
				return runs
			},
			stats.NoVerdict, "No verdict yet: 10 of 11 runs have ended.",
		},
		"runs that have not been made": {
			func(runs []experiment.Run) []experiment.Run { return runs[:6] },
			stats.NoVerdict, "No verdict yet: 6 of 10 runs have ended.",
		},
		"a variant that never ran": {
			func(runs []experiment.Run) []experiment.Run {
				for i := range runs {
					if runs[i].Variant == "nats" {
						runs[i].Outcome, runs[i].Reason = experiment.Failed, "port 4222 is in use"
					}
				}
				return runs
			},
			stats.NoVerdict, "No verdict on kafka and nats: nats could not be measured: none of its 6 runs is counted (failed: port 4222 is in use).",
		},
		"messages lost by one run of one variant": {
			func(runs []experiment.Run) []experiment.Run {
				return lose(runs, 214, func(n int, _ string) bool { return n == 0 })
			},
			stats.NoVerdict, "No verdict on kafka and nats: kafka lost 214 of 300,000 acknowledged messages, so its numbers are shown but not ranked.",
		},
		"messages lost by every run of one variant": {
			func(runs []experiment.Run) []experiment.Run {
				return lose(runs, 7, func(_ int, variant string) bool { return variant == "nats" })
			},
			stats.NoVerdict, "No verdict on kafka and nats: nats lost 35 of 300,000 acknowledged messages, so its numbers are shown but not ranked.",
		},
		"messages lost by every run of all variants": {
			func(runs []experiment.Run) []experiment.Run {
				return lose(runs, 7, func(int, string) bool { return true })
			},
			stats.NoVerdict, "No verdict on kafka and nats: kafka lost 35 of 300,000 acknowledged messages, so its numbers are shown but not ranked. " +
				"nats lost 35 of 300,000 acknowledged messages, so its numbers are shown but not ranked.",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := comparisontest.Plan(t)
			set := comparisontest.Set(t, experiment.Experiment{ID: "e1", Plan: p}, tt.change(comparisontest.Runs(t, p)))
			if got := comparisontest.Compare(t, set).Stats; got.Verdict != tt.verdict || got.Sentence != tt.sentence {
				t.Errorf("New() = %s: %s\nwant %s: %s", got.Verdict, got.Sentence, tt.verdict, tt.sentence)
			}
		})
	}
}

// What a variant has measured is told when its last run has ended.
func TestVariantIsNotGivenUpWhileItRuns(t *testing.T) {
	p := comparisontest.Plan(t)
	for name, phase := range map[string]experiment.Phase{"queued": experiment.PhaseQueued, "active": experiment.PhaseLoad} {
		all := comparisontest.Runs(t, p)
		last := -1
		for i := range all {
			if all[i].Variant == "nats" {
				all[i].Outcome, all[i].Reason, last = experiment.Failed, "port 4222 is in use", i
			}
		}
		all[last].Phase, all[last].Outcome, all[last].Reason, all[last].Result = phase, "", "", nil
		for sentence, separate := range map[string]bool{
			"No verdict yet: 10 of 11 runs have ended.":                            false,
			"Numbers and intervals only: these runs were not randomised together.": true,
		} {
			set := comparisontest.Set(t, experiment.Experiment{ID: "e1", Plan: p}, all)
			set.Separate = separate
			found := comparisontest.Compare(t, set)
			if got, want := found.Stats.Pairs[0].Reason, "5 of 6 nats runs have ended."; got != want || found.Stats.Sentence != sentence {
				t.Errorf("%s: the pair says %q and the comparison %q, want %q and %q", name, got, found.Stats.Sentence, want, sentence)
			}
			data, err := json.Marshal(found)
			if err != nil || strings.Contains(string(data), "could not be measured") {
				t.Errorf("%s: a variant is given up: %v\n%s", name, err, data)
			}
		}
	}
}

// A variant with a single run is spoken of in the singular.
func TestOneRunIsNotCounted(t *testing.T) {
	p := comparisontest.Plan(t)
	var runs []experiment.Run
	seen := false
	for _, run := range comparisontest.Runs(t, p) {
		if run.Variant == "nats" {
			if seen {
				continue
			}
			seen, run.Outcome, run.Reason = true, experiment.Failed, "port 4222 is in use"
		}
		runs = append(runs, run)
	}
	set := comparisontest.Set(t, experiment.Experiment{ID: "e1", Plan: p}, runs)
	set.Separate = true
	found := comparisontest.Compare(t, set)
	if got, want := found.Stats.Pairs[0].Reason, "nats could not be measured: its only run is not counted (failed: port 4222 is in use)."; got != want {
		t.Errorf("the pair says %q, want %q", got, want)
	}
	if want := "The only ended run of nats is not counted; see the run for the reason."; !slices.Contains(found.Caveats, want) {
		t.Errorf("caveats = %q, want %q among them", found.Caveats, want)
	}
	for i := range runs {
		if runs[i].Variant == "nats" {
			runs[i].Phase, runs[i].Outcome, runs[i].Reason, runs[i].Result = experiment.PhaseLoad, "", "", nil
		}
	}
	set = comparisontest.Set(t, experiment.Experiment{ID: "e1", Plan: p}, runs)
	set.Separate = true
	if got, want := comparisontest.Compare(t, set).Stats.Pairs[0].Reason, "The nats run has not ended."; got != want {
		t.Errorf("the pair says %q, want %q", got, want)
	}
}

func TestUnequalGuaranteesAreSaid(t *testing.T) {
	p := comparisontest.Plan(t)
	all := comparisontest.Runs(t, p)
	for i := range all {
		if all[i].Variant == "kafka" {
			all[i].Result = bytes.ReplaceAll(all[i].Result, []byte("page_cache"), []byte("fsync_before_ack"))
		}
	}
	found := comparisontest.Compare(t, comparisontest.Set(t, experiment.Experiment{ID: "e1", Plan: p}, all))
	const want = "The guarantees differ. Durability at acknowledgement: kafka fsync before ack, nats page cache."
	if found.Caveats[0] != want || found.Fairness.Label != "guarantees differ" {
		t.Errorf("first caveat = %q, label %q, want %q", found.Caveats[0], found.Fairness.Label, want)
	}
}

// An answer that was given keeps its words, whatever a later version would say.
func TestKeptVerdictIsShown(t *testing.T) {
	found := comparisontest.Compare(t, comparisontest.Synthetic(t))
	kept := found.Verdict()
	if diff := cmp.Diff(found, found.WithVerdict(&kept)); diff != "" {
		t.Errorf("a comparison in its own words (-want +got):\n%s", diff)
	}
	if !kept.Decided || kept.Sentences[0] != found.Stats.Sentence || kept.Fairness != found.Fairness.Label {
		t.Errorf("the verdict that is kept: %+v", kept)
	}
	old := experiment.Verdict{Sentences: []string{"kafka wins.", "kafka beats nats."}, Caveats: []string{"One machine."}, Fairness: "alike"}
	if diff := cmp.Diff(old, found.WithVerdict(&old).Verdict(), cmpopts.IgnoreFields(experiment.Verdict{}, "Decided")); diff != "" {
		t.Errorf("the verdict of an earlier version (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(found, found.WithVerdict(nil)); diff != "" {
		t.Errorf("a comparison without a verdict (-want +got):\n%s", diff)
	}
}

func TestFiguresAreOverTheRunsThatCount(t *testing.T) {
	found := comparisontest.Compare(t, comparisontest.Synthetic(t))
	figure := func(name string) comparison.Figure {
		return found.Figures[slices.IndexFunc(found.Figures, func(f comparison.Figure) bool { return f.Name == name })]
	}
	p99 := figure("e2e_p99")
	if kafka := p99.Values[0]; p99.Unit != experiment.UnitNanoseconds || kafka.Runs != 5 || *kafka.Low > *kafka.Value || *kafka.Value > *kafka.High {
		t.Errorf("figure %+v, want the median of 5 runs between their ends", p99)
	}
	if nats := figure("acked").Values[1]; *nats.Value != 300_000 || nats.Low != nil || nats.Runs != 5 {
		t.Errorf("acknowledged by nats: %+v, want the sum of 5 of its 6 runs", nats)
	}
	want := []string{"nats #2 (r000000003): invalid: the load generator was the limit: p99 lateness 41 ms, allowed 5 ms"}
	if diff := cmp.Diff(want, found.Attention); diff != "" {
		t.Errorf("runs to look at (-want +got):\n%s", diff)
	}
}
