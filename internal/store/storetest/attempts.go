package storetest

import (
	"errors"
	"testing"
	"time"

	"dec.local/dec/internal/experiment"
)

func testAttempts(t *testing.T, f *fixture) {
	f.admit(t, "e1", "local", 2)
	for want := 1; want <= 2; want++ {
		n, err := f.BeginAttempt(t.Context(), experiment.Attempt{Run: "e1-0", Kind: experiment.AttemptPlan, Folder: "f"})
		if n != want || err != nil {
			t.Fatalf("BeginAttempt(e1-0) = %d, %v, want %d", n, err, want)
		}
	}
	if n, err := f.BeginAttempt(t.Context(), experiment.Attempt{Run: "e1-1", Kind: experiment.AttemptPlan}); n != 1 || err != nil {
		t.Errorf("BeginAttempt(e1-1) = %d, %v, want 1", n, err)
	}
	started := f.clock.Now()
	f.clock.advance(time.Second)
	must(t, f.EndAttempt(t.Context(), experiment.Attempt{Run: "e1-0", N: 1, Outcome: "dirty", Error: "killed"}))
	must(t, f.EndAttempt(t.Context(), experiment.Attempt{Run: "e1-0", N: 1, Outcome: "ok"}))
	equal(t, "attempts", f.attempts(t, "e1-0"), []experiment.Attempt{
		{Run: "e1-0", N: 1, Kind: experiment.AttemptPlan, Folder: "f", StartedAt: started, EndedAt: f.clock.Now(), Outcome: "ok"},
		{Run: "e1-0", N: 2, Kind: experiment.AttemptPlan, Folder: "f", StartedAt: started},
	})
	if err := f.EndAttempt(t.Context(), experiment.Attempt{Run: "e1-0", N: 9}); !errors.Is(err, experiment.ErrNotFound) {
		t.Errorf("EndAttempt(9) = %v, want %v", err, experiment.ErrNotFound)
	}
	if _, err := f.BeginAttempt(t.Context(), experiment.Attempt{Run: "x"}); err == nil {
		t.Error("BeginAttempt() of a run that does not exist = nil, want an error")
	}
}

func testIntents(t *testing.T, f *fixture) {
	f.admit(t, "e1", "local", 1)
	port := experiment.Intent{Address: "dec_port.p", Action: "create", Kind: "port", ID: "20001"}
	process := experiment.Intent{Address: "dec_process.s", Action: "create", Kind: "process", ID: "e1-0-s"}
	gone := experiment.Intent{Address: "dec_process.s", Action: "delete", Kind: "process", ID: "e1-0-s"}
	for range 2 {
		_, err := f.BeginAttempt(t.Context(), experiment.Attempt{Run: "e1-0", Kind: experiment.AttemptApply})
		must(t, err)
	}
	must(t, f.RecordIntents(t.Context(), "e1-0", 1, []experiment.Intent{port}))
	must(t, f.RecordIntents(t.Context(), "e1-0", 1, []experiment.Intent{process, port}))
	must(t, f.RecordIntents(t.Context(), "e1-0", 2, []experiment.Intent{gone}))
	created, err := f.Created(t.Context(), "e1-0")
	must(t, err)
	equal(t, "created", created, []experiment.Intent{process, port})
	deleted, err := f.Deleted(t.Context(), "e1-0")
	must(t, err)
	equal(t, "deleted", deleted, []experiment.Intent{gone})
	if err := f.RecordIntents(t.Context(), "e1-0", 9, []experiment.Intent{port}); err == nil {
		t.Error("RecordIntents() of an attempt that does not exist = nil, want an error")
	}
}

func testStates(t *testing.T, f *fixture) {
	f.admit(t, "e1", "local", 1)
	for range 2 {
		_, err := f.BeginAttempt(t.Context(), experiment.Attempt{Run: "e1-0", Kind: experiment.AttemptApply})
		must(t, err)
	}
	save := func(n int, serial int64, state string) {
		t.Helper()
		must(t, f.SaveState(t.Context(), "e1-0", n, serial, []byte(state)))
	}
	save(1, 1, "first")
	save(1, 12, "twelfth")
	save(1, 3, "third, late")
	save(1, 12, "another twelfth")
	save(2, 1, "of the second attempt")
	var states []string
	f.rows(t, func(scan func(...any) error) error {
		var state string
		err := scan(&state)
		states = append(states, state)
		return err
	}, `SELECT state FROM states WHERE run = $1 ORDER BY attempt, serial`, "e1-0")
	equal(t, "states", states, []string{"first", "third, late", "twelfth", "of the second attempt"})
}

func testSeconds(t *testing.T, f *fixture) {
	f.admit(t, "e1", "local", 1)
	run, no := f.active(t, "e1-0", experiment.PhaseProvision)
	record := func(address, action, state string) {
		t.Helper()
		_, err := f.Record(t.Context(), experiment.Event{Run: run.ID, Kind: experiment.EventResource,
			Resource: &experiment.Resource{Address: address, Action: action, State: state}}, no)
		must(t, err)
	}
	record("a", "create", "started")
	f.clock.advance(time.Second)
	record("a", "create", "complete")
	record("b", "create", "complete")
	f.clock.advance(5 * time.Second)
	record("a", "delete", "started")
	record("a", "delete", "complete")
	got, err := f.Seconds(t.Context(), run.ID)
	must(t, err)
	equal(t, "Seconds()", got, map[string]float64{"a": 5})
}
