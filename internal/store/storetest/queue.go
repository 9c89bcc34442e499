package storetest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"dec.local/dec/internal/experiment"
)

func testAdmission(t *testing.T, f *fixture) {
	admitted := f.admit(t, "e1", "local", 2)
	got, err := f.Experiment(t.Context(), "e1")
	must(t, err)
	want := experiment.Experiment{
		ID: "e1", Plan: plan("local"), Digest: "digest of e1", By: "ann", CreatedAt: f.clock.Now(), State: experiment.Queued,
	}
	equal(t, "the stored experiment", got, want)
	equal(t, "the returned experiment", admitted, want)
	equal(t, "open obligations", f.open(t), []string{"e1-0", "e1-1"})
	equal(t, "run", f.read(t, "e1-1"), experiment.Run{
		ID: "e1-1", Experiment: "e1", Target: "local", Variant: "b", Order: 1, Phase: experiment.PhaseQueued,
		Teardown: experiment.TeardownNone, Since: f.clock.Now(), Phases: []experiment.PhaseTime{{Phase: experiment.PhaseQueued, At: f.clock.Now()}},
	})
	var phases []string
	for _, e := range f.events(t) {
		phases = append(phases, fmt.Sprint(e.ID, e.Run, e.Kind, e.Phase))
	}
	equal(t, "events", phases, []string{"1e1-0phasequeued", "2e1-1phasequeued"})

	// An experiment is admitted whole or not at all.
	_, _, err = f.Admit(t.Context(), experiment.Experiment{ID: "e2", Plan: plan("local")},
		[]experiment.Run{{ID: "e2-0", Order: 0}, {ID: "e1-0", Order: 1}}, nil, experiment.Submission{})
	if err == nil {
		t.Error("Admit() with a run id in use = nil, want an error")
	}
	if _, err := f.Experiment(t.Context(), "e2"); !errors.Is(err, experiment.ErrNotFound) {
		t.Errorf("Experiment(e2) = %v, want %v", err, experiment.ErrNotFound)
	}
	equal(t, "open obligations after a refused admission", f.open(t), []string{"e1-0", "e1-1"})
}

func testClaims(t *testing.T, f *fixture) {
	f.admit(t, "e1", "local", 2)
	f.admit(t, "e2", "local", 1)
	for _, want := range []string{"e1-0", "e1-1", "e2-0"} {
		run, no := f.active(t, want, experiment.PhaseProvision)
		if _, _, err := f.Claim(t.Context(), "other", here, lease); !errors.Is(err, experiment.ErrNotFound) {
			t.Errorf("Claim() while %s is active on a target with one slot = %v, want %v", want, err, experiment.ErrNotFound)
		}
		run = ended(run)
		_, err := f.End(t.Context(), &run, no, noRepeats)
		must(t, err)
	}
	if _, _, err := f.Claim(t.Context(), "owner", here, lease); !errors.Is(err, experiment.ErrNotFound) {
		t.Errorf("Claim() from an empty queue = %v, want %v", err, experiment.ErrNotFound)
	}

	// A claim counts as a taken slot before the run leaves the queue, until the
	// lease expires or is given back.
	f.admit(t, "e3", "local", 2)
	_, no := f.claim(t, "e3-0")
	if run, _, err := f.Claim(t.Context(), "other", here, lease); !errors.Is(err, experiment.ErrNotFound) {
		t.Errorf("Claim() while e3-0 is claimed = %q, %v, want %v", run.ID, err, experiment.ErrNotFound)
	}
	f.clock.advance(lease + time.Second)
	_, again := f.claim(t, "e3-0")
	if again <= no {
		t.Errorf("lease numbers %d, %d do not rise", no, again)
	}
	must(t, f.Release(t.Context(), "e3-0", again))
	f.claim(t, "e3-0")
}

func testSlots(t *testing.T, f *fixture) {
	f.admit(t, "e1", "local", 2)
	f.admit(t, "e2", "far", 3)
	must(t, f.SetSlots(t.Context(), "far", 2))
	var got []string
	for {
		run, _, err := f.Claim(t.Context(), "owner", here, lease)
		if errors.Is(err, experiment.ErrNotFound) {
			break
		}
		must(t, err)
		got = append(got, run.ID)
	}
	equal(t, "claimed with 1 slot on local and 2 far", got, []string{"e1-0", "e2-0", "e2-1"})
}

func testRaces(t *testing.T, f *fixture) {
	const runs, owners = 40, 4
	f.admit(t, "e1", "local", runs)
	must(t, f.SetSlots(t.Context(), "local", runs))
	var mu sync.Mutex
	var got []string
	var group sync.WaitGroup
	for owner := range owners {
		group.Go(func() {
			for {
				run, _, err := f.Claim(t.Context(), fmt.Sprint("owner ", owner), here, lease)
				if errors.Is(err, experiment.ErrNotFound) {
					return
				}
				if err != nil {
					t.Errorf("Claim(): %v", err)
					return
				}
				mu.Lock()
				got = append(got, run.ID)
				mu.Unlock()
			}
		})
	}
	group.Wait()
	slices.Sort(got)
	if unique := slices.Compact(slices.Clone(got)); len(got) != runs || len(unique) != runs {
		t.Errorf("%d owners claimed %d times, %d different runs, want each of %d once", owners, len(got), len(unique), runs)
	}
}

func testFencing(t *testing.T, f *fixture) {
	f.admit(t, "e1", "local", 1)
	run, old := f.active(t, "e1-0", experiment.PhaseLoad)
	leased := f.Leased(t.Context(), run.ID, old)
	n, err := f.BeginAttempt(leased, experiment.Attempt{Run: run.ID, Kind: experiment.AttemptApply})
	must(t, err)
	f.clock.advance(lease + time.Second)
	adopted, no, err := f.Adopt(t.Context(), "other", here, lease)
	if err != nil || adopted.ID != run.ID || no == old {
		t.Fatalf("Adopt() = %q, %d, %v, want %q with a new lease", adopted.ID, no, err, run.ID)
	}
	before, events := f.read(t, run.ID), f.events(t)
	late := ended(run)
	late.Phase, late.Result = experiment.PhaseDestroy, []byte(`{}`)
	writes := map[string]func() error{
		"Renew":         func() error { _, err := f.Renew(t.Context(), run.ID, old, lease); return err },
		"Release":       func() error { return f.Release(t.Context(), run.ID, old) },
		"SetExpiry":     func() error { _, err := f.SetExpiry(t.Context(), run.ID, old, lease); return err },
		"Enter":         func() error { _, err := f.Enter(t.Context(), &late, old); return err },
		"SaveResult":    func() error { return f.SaveResult(t.Context(), &late, old) },
		"Record":        func() error { _, err := f.Record(t.Context(), experiment.Event{Run: run.ID}, old); return err },
		"End":           func() error { _, err := f.End(t.Context(), &late, old, noRepeats); return err },
		"BeginAttempt":  func() error { _, err := f.BeginAttempt(leased, experiment.Attempt{Run: run.ID}); return err },
		"EndAttempt":    func() error { return f.EndAttempt(leased, experiment.Attempt{Run: run.ID, N: n}) },
		"SaveState":     func() error { return f.SaveState(leased, run.ID, n, 1, []byte("{}")) },
		"RecordIntents": func() error { return f.RecordIntents(leased, run.ID, n, []experiment.Intent{{Action: "create"}}) },
	}
	for name, write := range writes {
		if err := write(); !errors.Is(err, experiment.ErrFenced) {
			t.Errorf("%s with a lost lease = %v, want %v", name, err, experiment.ErrFenced)
		}
	}
	equal(t, "the run after fenced writes", f.read(t, run.ID), before)
	equal(t, "events after fenced writes", f.events(t), events)
	if attempts := f.attempts(t, run.ID); len(attempts) != 1 || !attempts[0].EndedAt.IsZero() {
		t.Errorf("attempts after fenced writes = %+v, want the one that has not ended", attempts)
	}
	created, err := f.Created(t.Context(), run.ID)
	must(t, err)
	equal(t, "intents after fenced writes", created, []experiment.Intent(nil))
	if _, err := f.Renew(t.Context(), run.ID, no, lease); err != nil {
		t.Errorf("Renew() by the new owner: %v", err)
	}
}

func testReclaim(t *testing.T, f *fixture) {
	f.admit(t, "e1", "local", 1)
	f.admit(t, "e2", "far", 1)
	run, no := f.active(t, "e1-0", experiment.PhaseLoad)
	if _, _, err := f.Claim(t.Context(), "other", here, lease); err != nil {
		t.Fatalf("Claim(e2-0): %v", err)
	}
	must(t, f.Reclaim(t.Context(), "owner"))
	if got, _, err := f.Adopt(t.Context(), "owner", here, lease); err != nil || got.ID != run.ID {
		t.Errorf("Adopt() after Reclaim = %q, %v, want %q", got.ID, err, run.ID)
	}
	if _, err := f.Renew(t.Context(), run.ID, no, lease); !errors.Is(err, experiment.ErrFenced) {
		t.Errorf("Renew() of the lease from before = %v, want %v", err, experiment.ErrFenced)
	}
	if got, _, err := f.Claim(t.Context(), "owner", here, lease); !errors.Is(err, experiment.ErrNotFound) {
		t.Errorf("Claim() of what another owner holds = %q, %v, want %v", got.ID, err, experiment.ErrNotFound)
	}
}

func testEvents(t *testing.T, f *fixture) {
	f.admit(t, "e1", "local", 1)
	run, no := f.active(t, "e1-0", experiment.PhaseProvision)
	f.admit(t, "e2", "local", 1)
	resource := experiment.Resource{Address: "a.b", Action: "create", State: "complete", ID: "i", Seconds: 1.5}
	recorded, err := f.Record(t.Context(), experiment.Event{
		Experiment: "e1", Run: run.ID, Variant: "a", Kind: experiment.EventResource, Resource: &resource,
	}, no)
	must(t, err)
	want := []experiment.Event{{
		ID: 4, At: f.clock.Now(), Experiment: "e1", Run: "e1-0", Variant: "a", Kind: experiment.EventResource, Resource: &resource,
	}}
	equal(t, "recorded event", recorded, want)
	tests := map[string]struct {
		filter experiment.EventQuery
		want   []int64
	}{
		"all":                     {experiment.EventQuery{}, []int64{1, 2, 3, 4}},
		"after the second":        {experiment.EventQuery{After: 2}, []int64{3, 4}},
		"of a run":                {experiment.EventQuery{Run: "e1-0"}, []int64{1, 2, 4}},
		"of an experiment, later": {experiment.EventQuery{Experiment: "e1", After: 1}, []int64{2, 4}},
		"the first two":           {experiment.EventQuery{Limit: 2}, []int64{1, 2}},
		"of nothing":              {experiment.EventQuery{Run: "x"}, nil},
	}
	for name, tt := range tests {
		events, err := f.Events(t.Context(), tt.filter)
		must(t, err)
		var ids []int64
		for _, e := range events {
			ids = append(ids, e.ID)
		}
		equal(t, name, ids, tt.want)
	}
	equal(t, "the stored event", f.events(t)[3:], want)
}
