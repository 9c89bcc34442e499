package storetest

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"dec.local/dec/internal/experiment"
)

func testPhases(t *testing.T, f *fixture) {
	f.admit(t, "e1", "local", 1)
	queued := f.clock.Now()
	f.clock.advance(time.Second)
	run, no := f.claim(t, "e1-0")
	expires, err := f.SetExpiry(t.Context(), run.ID, no, time.Hour)
	must(t, err)
	stored, err := f.Expiry(t.Context(), run.ID)
	must(t, err)
	equal(t, "expiry", []time.Time{expires, stored}, []time.Time{f.clock.Now().Add(time.Hour), f.clock.Now().Add(time.Hour)})

	run.Phase, run.Teardown = experiment.PhaseProvision, experiment.TeardownPending
	provision := f.clock.Now()
	events, err := f.Enter(t.Context(), &run, no)
	must(t, err)
	equal(t, "event", events, []experiment.Event{{ID: 2, At: provision, Experiment: "e1", Run: "e1-0", Variant: "a",
		Kind: experiment.EventPhase, Phase: experiment.PhaseProvision}})
	f.clock.advance(time.Second)
	run.Phase, run.Outcome, run.Reason = experiment.PhaseDestroy, experiment.Failed, "it broke"
	run.Validity.Reasons = []string{"the pacer was late"}
	_, err = f.Enter(t.Context(), &run, no)
	must(t, err)
	want := experiment.Run{ID: "e1-0", Experiment: "e1", Target: "local", Variant: "a", Phase: experiment.PhaseDestroy, Outcome: experiment.Failed,
		Validity: experiment.Validity{Reasons: []string{"the pacer was late"}}, Teardown: experiment.TeardownPending, Reason: "it broke",
		Since: f.clock.Now(), StartedAt: provision,
		Phases: []experiment.PhaseTime{
			{Phase: experiment.PhaseQueued, At: queued},
			{Phase: experiment.PhaseProvision, At: provision},
			{Phase: experiment.PhaseDestroy, At: f.clock.Now()},
		}}
	equal(t, "the run in memory", run, want)
	equal(t, "the stored run", f.read(t, "e1-0"), want)
	all := f.events(t)
	if last := all[len(all)-1]; last.Message != "it broke" || last.Phase != experiment.PhaseDestroy {
		t.Errorf("last event = %+v, want the phase with its reason", last)
	}
	if cancel, err := f.Renew(t.Context(), run.ID, no, lease); cancel != "" || err != nil {
		t.Errorf("Renew() = %q, %v, want no reason to cancel", cancel, err)
	}
	if now, err := f.Now(t.Context()); err != nil || !now.Equal(f.clock.Now()) {
		t.Errorf("Now() = %v, %v, want %v", now, err, f.clock.Now())
	}
}

func testEnds(t *testing.T, f *fixture) {
	f.admit(t, "e1", "local", 1)
	run, no := f.active(t, "e1-0", experiment.PhaseVerify)
	refused := map[string]func(*experiment.Run){
		"clean without a receipt": func(r *experiment.Run) { r.Receipt = nil },
		"leaked with a receipt":   func(r *experiment.Run) { r.Teardown = experiment.TeardownLeaked },
		"pending with a receipt":  func(r *experiment.Run) { r.Teardown = experiment.TeardownPending },
		"without an outcome":      func(r *experiment.Run) { r.Outcome = "" },
		"never created, unproven": func(r *experiment.Run) { r.Teardown, r.Receipt = experiment.TeardownNone, nil },
		"pending and no receipt":  func(r *experiment.Run) { r.Teardown, r.Receipt = experiment.TeardownPending, nil },
	}
	before := f.read(t, run.ID)
	for name, spoil := range refused {
		bad := ended(run)
		spoil(&bad)
		if _, err := f.End(t.Context(), &bad, no, noRepeats); err == nil {
			t.Errorf("End() %s = nil, want an error", name)
		}
	}
	equal(t, "the run after refused ends", f.read(t, run.ID), before)
	equal(t, "obligations after refused ends", f.open(t), []string{"e1-0"})

	run = ended(run)
	f.clock.advance(time.Second)
	events, err := f.End(t.Context(), &run, no, noRepeats)
	must(t, err)
	if len(events) != 1 || events[0].Kind != experiment.EventOutcome || events[0].Message != "succeeded" {
		t.Errorf("End() = events %+v, want one outcome", events)
	}
	equal(t, "the stored run", f.read(t, run.ID), run)
	equal(t, "end", []any{run.Phase, run.EndedAt}, []any{experiment.PhaseEnded, f.clock.Now()})
	equal(t, "obligations", f.open(t), []string(nil))
	f.clock.advance(48 * time.Hour)
	if got, _, err := f.Adopt(t.Context(), "owner", here, lease); !errors.Is(err, experiment.ErrNotFound) {
		t.Errorf("Adopt() of a clean run = %q, %v, want %v", got.ID, err, experiment.ErrNotFound)
	}
}

func testLeaks(t *testing.T, f *fixture) {
	f.admit(t, "e1", "local", 2)
	run, no := f.active(t, "e1-0", experiment.PhaseVerify)
	run = ended(run)
	run.Teardown, run.Receipt, run.Reason = experiment.TeardownLeaked, nil, "leaked: process p"
	_, err := f.End(t.Context(), &run, no, noRepeats)
	must(t, err)
	equal(t, "obligations of a leaked run", f.open(t), []string{"e1-0", "e1-1"})
	f.claim(t, "e1-1") // its slot is free

	if got, _, err := f.Adopt(t.Context(), "owner", here, lease); !errors.Is(err, experiment.ErrNotFound) {
		t.Errorf("Adopt() at once = %q, %v, want %v", got.ID, err, experiment.ErrNotFound)
	}
	f.clock.advance(25 * time.Hour)
	again, no, err := f.Adopt(t.Context(), "owner", here, lease)
	if err != nil || again.ID != "e1-0" {
		t.Fatalf("Adopt() a day later = %q, %v, want e1-0", again.ID, err)
	}
	_, err = f.Settle(t.Context(), &again, no)
	must(t, err)
	var leaks int
	var problem string
	f.rows(t, func(scan func(...any) error) error { return scan(&leaks, &problem) }, `SELECT leaks, problem FROM obligations WHERE run = 'e1-0'`)
	equal(t, "leaks of e1-0", leaks, 2)
	equal(t, "the problem of e1-0", problem, "leaked: process p")
	must(t, f.Reclaim(t.Context(), "owner")) // a new start tries at once
	again, no, err = f.Adopt(t.Context(), "owner", here, lease)
	must(t, err)
	again.Teardown, again.Receipt = experiment.TeardownClean, &experiment.Receipt{Statement: "gone at last"}
	_, err = f.Settle(t.Context(), &again, no)
	must(t, err)
	equal(t, "obligations after the receipt", f.open(t), []string{"e1-1"})
	stored := f.read(t, "e1-0")
	equal(t, "the run", []any{stored.Teardown, stored.Receipt.Statement, stored.EndedAt},
		[]any{experiment.TeardownClean, "gone at last", run.EndedAt})
}

func testRepeats(t *testing.T, f *fixture) {
	f.admit(t, "e1", "local", 2)
	var seen [][]string
	repeat := func(e experiment.Experiment, runs []experiment.Run) []experiment.Run {
		var phases []string
		for _, run := range runs {
			phases = append(phases, string(run.Phase))
		}
		seen = append(seen, append(phases, e.ID))
		if len(seen) < 2 {
			return nil
		}
		return []experiment.Run{{ID: "extra", Variant: "a", Order: 2, Extra: true}}
	}
	for _, id := range []string{"e1-0", "e1-1"} {
		run, no := f.active(t, id, experiment.PhaseVerify)
		run = ended(run)
		_, err := f.End(t.Context(), &run, no, repeat)
		must(t, err)
	}
	equal(t, "what repeats saw", seen, [][]string{{"ended", "queued", "e1"}, {"ended", "ended", "e1"}})
	equal(t, "obligations", f.open(t), []string{"extra"})
	if extra, _ := f.claim(t, "extra"); !extra.Extra || extra.Order != 2 || extra.Variant != "a" {
		t.Errorf("the added run = %+v, want an extra of a", extra)
	}
}

// testRepeatsInBetween adds a run where others are still to come: they move back, and are
// claimed in the new order.
func testRepeatsInBetween(t *testing.T, f *fixture) {
	f.admit(t, "e1", "local", 4)
	f.admit(t, "e2", "local", 1)
	run, no := f.active(t, "e1-0", experiment.PhaseVerify)
	run = ended(run)
	_, err := f.End(t.Context(), &run, no, func(experiment.Experiment, []experiment.Run) []experiment.Run {
		return []experiment.Run{
			{ID: "extra", Variant: "a", Order: 2, Round: 1, Extra: true},
			{ID: "last", Variant: "b", Order: 5, Extra: true},
		}
	})
	must(t, err)
	runs, err := f.Runs(t.Context(), "e1")
	must(t, err)
	var order []string
	for i, run := range runs {
		order = append(order, run.ID)
		equal(t, "position of "+run.ID, run.Order, i)
	}
	want := []string{"e1-0", "e1-1", "extra", "e1-2", "e1-3", "last"}
	equal(t, "runs", order, want)
	equal(t, "round of the extra run", f.read(t, "extra").Round, 1)
	for _, id := range append(want[1:], "e2-0") {
		run, no := f.active(t, id, experiment.PhaseVerify)
		run = ended(run)
		run.SystemDied = id == "e1-3"
		_, err := f.End(t.Context(), &run, no, nil)
		must(t, err)
	}
	equal(t, "whose system died", []bool{f.read(t, "e1-3").SystemDied, f.read(t, "last").SystemDied}, []bool{true, false})
}

func testCancel(t *testing.T, f *fixture) {
	f.admit(t, "e1", "local", 3)
	run, no := f.active(t, "e1-0", experiment.PhaseLoad)
	asked := 0
	count := func(experiment.Experiment, []experiment.Run) []experiment.Run { asked++; return nil }
	cancel := func(id, reason string) {
		t.Helper()
		_, err := f.Cancel(t.Context(), id, reason, never, count)
		must(t, err)
	}
	cancel("e1-1", "not wanted")
	got := f.read(t, "e1-1")
	equal(t, "a cancelled queued run", []any{got.Phase, got.Outcome, got.Teardown, got.Reason, got.Receipt.Statement, got.StartedAt.IsZero()},
		[]any{experiment.PhaseEnded, experiment.Cancelled, experiment.TeardownNone, "not wanted", "never started", true})
	equal(t, "calls of repeats", asked, 1)
	equal(t, "obligations", f.open(t), []string{"e1-0", "e1-2"})

	cancel("e1-0", "first")
	cancel("e1-0", "second")
	if reason, err := f.Renew(t.Context(), run.ID, no, lease); reason != "first" || err != nil {
		t.Errorf("Renew() of a cancelled run = %q, %v, want the first reason", reason, err)
	}
	equal(t, "a cancelled active run", f.read(t, "e1-0").Phase, experiment.PhaseLoad)
	run = ended(run)
	_, err := f.End(t.Context(), &run, no, noRepeats)
	must(t, err)
	cancel("e1-0", "too late")
	equal(t, "a run cancelled after its end", f.read(t, "e1-0").Outcome, experiment.Succeeded)

	_, no = f.claim(t, "e1-2")
	cancel("e1-2", "claimed")
	equal(t, "a claimed run that was cancelled", f.read(t, "e1-2").Phase, experiment.PhaseQueued)
	if reason, _ := f.Renew(t.Context(), "e1-2", no, lease); reason != "claimed" {
		t.Errorf("Renew() = %q, want the reason", reason)
	}
	if _, err := f.Cancel(t.Context(), "x", "r", never, count); !errors.Is(err, experiment.ErrNotFound) {
		t.Errorf("Cancel(x) = %v, want %v", err, experiment.ErrNotFound)
	}
}

func testStop(t *testing.T, f *fixture) {
	f.admit(t, "e1", "local", 3)
	f.admit(t, "e2", "local", 1)
	_, no := f.active(t, "e1-0", experiment.PhaseLoad)
	events, err := f.Stop(t.Context(), "e1", "enough", never)
	must(t, err)
	equal(t, "number of events", len(events), 2)
	runs, err := f.Runs(t.Context(), "e1")
	must(t, err)
	var got []any
	for _, run := range runs {
		got = append(got, run.Phase, run.Outcome, run.Reason)
	}
	equal(t, "runs", got, []any{experiment.PhaseLoad, experiment.Outcome(""), "",
		experiment.PhaseEnded, experiment.Cancelled, "enough", experiment.PhaseEnded, experiment.Cancelled, "enough"})
	if reason, err := f.Renew(t.Context(), "e1-0", no, lease); reason != "" || err != nil {
		t.Errorf("Renew() of an active run = %q, %v, want it to go on", reason, err)
	}
	_, err = f.Stop(t.Context(), "e1", "later", never)
	must(t, err)
	e, err := f.Experiment(t.Context(), "e1")
	must(t, err)
	equal(t, "reason", e.Reason, "enough")
	equal(t, "obligations", f.open(t), []string{"e1-0", "e2-0"})
}

func testResults(t *testing.T, f *fixture) {
	f.admit(t, "e1", "local", 1)
	run, no := f.active(t, "e1-0", experiment.PhaseCollect)
	run.Result, run.Validity = json.RawMessage(`{"n": 1}`), experiment.Validity{OK: true}
	must(t, f.SaveResult(t.Context(), &run, no))
	run.Result = json.RawMessage(`{"n": 2}`)
	must(t, f.SaveResult(t.Context(), &run, no)) // collected once more after a crash
	equal(t, "the run", f.read(t, run.ID), run)
	runs, err := f.Runs(t.Context(), "e1")
	must(t, err)
	if runs[0].Result != nil || !runs[0].Validity.OK {
		t.Errorf("Runs() = %+v, want the validity and no result", runs[0])
	}
}
