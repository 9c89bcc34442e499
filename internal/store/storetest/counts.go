package storetest

import (
	"testing"
	"time"

	"dec.local/dec/internal/experiment"
)

func testCounts(t *testing.T, f *fixture) {
	f.admit(t, "e1", "local", 5)
	f.admit(t, "e2", "local", 2)
	admitted := f.clock.Now()
	check := func(what string, want experiment.RunCounts, state experiment.State) {
		t.Helper()
		s, err := f.Summary(t.Context(), "e1")
		must(t, err)
		equal(t, "counts "+what, s.Runs, want)
		equal(t, "state "+what, s.State, state)
		e, err := f.Experiment(t.Context(), "e1")
		must(t, err)
		equal(t, "the experiment "+what, s.Experiment, e)
	}
	before, err := f.QueuedBefore(t.Context(), "e2")
	must(t, err)
	equal(t, "queued before e2", before, 5)
	check("at first", experiment.RunCounts{Planned: 5, Queued: 5}, experiment.Queued)
	f.clock.advance(time.Minute)
	started := f.clock.Now()
	end := func(id string, change func(*experiment.Run)) {
		t.Helper()
		run, no := f.active(t, id, experiment.PhaseVerify)
		f.clock.advance(time.Second)
		run = ended(run)
		change(&run)
		_, err := f.End(t.Context(), &run, no, noRepeats)
		must(t, err)
	}
	end("e1-0", func(r *experiment.Run) {})
	end("e1-1", func(r *experiment.Run) { r.Validity.OK = false })
	check("after two", experiment.RunCounts{Planned: 5, Queued: 3, Ended: 2, Succeeded: 2, Valid: 1}, experiment.Running)
	end("e1-2", func(r *experiment.Run) {
		r.Outcome, r.Teardown, r.Receipt = experiment.Failed, experiment.TeardownLeaked, nil
	})
	run, no := f.active(t, "e1-3", experiment.PhaseLoad)
	check("with one active", experiment.RunCounts{
		Planned: 5, Queued: 1, Active: 1, Ended: 3, Succeeded: 2, Valid: 1, Failed: 1, Leaked: 1,
	}, experiment.Running)
	totals, err := f.Totals(t.Context())
	must(t, err)
	last, err := f.LastEvent(t.Context())
	must(t, err)
	equal(t, "totals", totals, experiment.Totals{Runs: map[experiment.Phase]int{experiment.PhaseQueued: 3, experiment.PhaseLoad: 1},
		Outcomes: map[experiment.Outcome]int64{experiment.Succeeded: 2, experiment.Failed: 1}, Leaked: 1, OldestQueue: admitted,
		Attempts: map[string]int64{}, LastEvent: last})
	_, err = f.Stop(t.Context(), "e1", "enough", never)
	must(t, err)
	ids, err := f.Unconcluded(t.Context())
	must(t, err)
	equal(t, "unconcluded while one is active", ids, []string(nil))
	f.clock.advance(time.Second)
	run = ended(run)
	_, err = f.End(t.Context(), &run, no, noRepeats)
	must(t, err)
	check("at the end", experiment.RunCounts{Planned: 5, Ended: 5, Succeeded: 3, Valid: 2, Failed: 1, Cancelled: 1, Leaked: 1}, experiment.Ended)
	s, err := f.Summary(t.Context(), "e1")
	must(t, err)
	equal(t, "times", []time.Time{s.StartedAt, s.EndedAt}, []time.Time{started, f.clock.Now()})

	testCountsAfterALeak(t, f, check)
	testVerdict(t, f)
}

// testCountsAfterALeak settles the run that leaked.
func testCountsAfterALeak(t *testing.T, f *fixture, check func(what string, want experiment.RunCounts, state experiment.State)) {
	again := adopt(t, f, 25*time.Hour)
	again.Teardown, again.Receipt = experiment.TeardownClean, &experiment.Receipt{Statement: "gone at last"}
	_, err := f.Settle(t.Context(), &again, 2)
	must(t, err)
	check("without the leak", experiment.RunCounts{Planned: 5, Ended: 5, Succeeded: 3, Valid: 2, Failed: 1, Cancelled: 1}, experiment.Ended)
}

// adopt adopts the one run that may be after a while.
func adopt(t *testing.T, f *fixture, after time.Duration) experiment.Run {
	t.Helper()
	f.clock.advance(after)
	run, no, err := f.Adopt(t.Context(), "owner", here, lease)
	must(t, err)
	equal(t, "number of the second lease", no, int64(2))
	return run
}

func testVerdict(t *testing.T, f *fixture) {
	ids, err := f.Unconcluded(t.Context())
	must(t, err)
	equal(t, "unconcluded", ids, []string{"e1"})
	verdict := experiment.Verdict{Decided: true, Sentences: []string{"a is better"}, Caveats: []string{}, Fairness: "same guarantees"}
	must(t, f.SetVerdict(t.Context(), "e1", verdict))
	s, err := f.Summary(t.Context(), "e1")
	must(t, err)
	equal(t, "verdict", s.Verdict, &verdict)
	ids, err = f.Unconcluded(t.Context())
	must(t, err)
	equal(t, "unconcluded after the verdict", ids, []string(nil))
}

func testAttemptTotals(t *testing.T, f *fixture) {
	f.admit(t, "e1", "local", 1)
	for _, kind := range []experiment.AttemptKind{experiment.AttemptPlan, experiment.AttemptApply, experiment.AttemptApply} {
		n, err := f.BeginAttempt(t.Context(), experiment.Attempt{Run: "e1-0", Kind: kind})
		must(t, err)
		for range 2 { // of two ends one is counted
			must(t, f.EndAttempt(t.Context(), experiment.Attempt{Run: "e1-0", N: n, Outcome: "ok", Error: "broken \xff\x00 text"}))
		}
	}
	totals, err := f.Totals(t.Context())
	must(t, err)
	equal(t, "attempts", totals.Attempts, map[string]int64{"plan ok": 1, "apply ok": 2})
}
