package storetest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"dec.local/dec/internal/experiment"
)

func testSubmissions(t *testing.T, f *fixture) {
	submit := func(id, by, key, digest string) (string, []experiment.Event, error) {
		t.Helper()
		submission := experiment.Submission{By: by, Key: key, Digest: digest}
		known, asked := f.Submitted(t.Context(), submission)
		e, events, err := f.Admit(t.Context(), experiment.Experiment{ID: id, Plan: plan("local")},
			[]experiment.Run{{ID: id + "-0", Variant: "a"}}, nil, submission)
		if (asked == nil) != (err == nil) || known != "" && known != e.ID || err == nil && known == "" && e.ID != id {
			t.Errorf("Submitted() = %q, %v, but Admit() = %q, %v", known, asked, e.ID, err)
		}
		return e.ID, events, err
	}
	first, _, err := submit("e1", "ann", "k", "d")
	must(t, err)
	again, events, err := submit("e2", "ann", "k", "d")
	must(t, err)
	equal(t, "the same submission", []any{first, again, len(events)}, []any{"e1", "e1", 0})
	if _, _, err := submit("e3", "ann", "k", "other"); !errors.Is(err, experiment.ErrKeyReused) {
		t.Errorf("Admit() with a key of another request = %v, want %v", err, experiment.ErrKeyReused)
	}
	other, _, err := submit("e4", "bob", "k", "other")
	must(t, err)
	equal(t, "the same key of somebody else", other, "e4")
	for _, id := range []string{"e5", "e6"} {
		got, _, err := submit(id, "ann", "", "d")
		must(t, err)
		equal(t, "without a key", got, id)
	}
	f.clock.advance(24 * time.Hour)
	later, _, err := submit("e7", "ann", "k", "other")
	must(t, err)
	equal(t, "the same key a day later", later, "e7")
	equal(t, "experiments", f.pages(t, experiment.ExperimentQuery{}), []string{"e7 queued", "e6 queued", "e5 queued", "e4 queued", "e1 queued"})
}

func testDrain(t *testing.T, f *fixture) {
	f.admit(t, "e1", "local", 3)
	must(t, f.SetSlots(t.Context(), "local", 3))
	d, err := f.PollDrain(t.Context(), time.Hour)
	must(t, err)
	equal(t, "drain in force before", d.InForce(), false)
	run, no := f.active(t, "e1-0", experiment.PhaseLoad)
	_, claimed := f.claim(t, "e1-1")
	since := f.clock.Now()
	d, err = f.RequestDrain(t.Context(), "ann", time.Hour)
	must(t, err)
	var waits []string
	for _, run := range d.Active {
		waits = append(waits, run.ID)
	}
	equal(t, "the drain", []any{d.By, d.Since, d.LapsesAt, d.GrantedAt, waits, d.Queued},
		[]any{"ann", since, since.Add(time.Hour), time.Time{}, []string{"e1-0", "e1-1"}, 1})
	if _, _, err := f.Claim(t.Context(), "owner", here, lease); !errors.Is(err, experiment.ErrNotFound) {
		t.Errorf("Claim() while a drain is in force = %v, want %v", err, experiment.ErrNotFound)
	}
	must(t, f.ClearGranted(t.Context())) // a restart finds it in force
	f.clock.advance(time.Second)
	must(t, f.Release(t.Context(), "e1-1", claimed))
	run = ended(run)
	_, err = f.End(t.Context(), &run, no, noRepeats)
	must(t, err)
	d, err = f.RequestDrain(t.Context(), "bob", time.Hour)
	must(t, err)
	granted := f.clock.Now()
	equal(t, "the drain once no run is active", []any{d.By, d.Since, d.LapsesAt, d.GrantedAt, len(d.Active), d.Queued},
		[]any{"ann", since, granted.Add(time.Hour), granted, 0, 2})
	if _, _, err := f.Claim(t.Context(), "owner", here, lease); !errors.Is(err, experiment.ErrNotFound) {
		t.Errorf("Claim() after a drain was granted = %v, want %v", err, experiment.ErrNotFound)
	}
	must(t, f.ClearGranted(t.Context()))
	f.claim(t, "e1-1")
	testDrainEnds(t, f)
}

func testDrainEnds(t *testing.T, f *fixture) {
	_, err := f.RequestDrain(t.Context(), "ann", time.Hour)
	must(t, err)
	must(t, f.EndDrain(t.Context()))
	_, no := f.claim(t, "e1-2")
	must(t, f.Release(t.Context(), "e1-2", no))
	_, err = f.RequestDrain(t.Context(), "ann", time.Hour)
	must(t, err)
	f.clock.advance(50 * time.Minute)
	d, err := f.PollDrain(t.Context(), time.Hour)
	must(t, err)
	equal(t, "prolonged until", d.LapsesAt, f.clock.Now().Add(time.Hour))
	f.clock.advance(time.Hour)
	d, err = f.Drain(t.Context())
	must(t, err)
	equal(t, "the drain that nobody asked for in an hour", d, experiment.Drain{})
	f.claim(t, "e1-1")
}

// Leaked runs do not keep a server from being replaced, unless it is at them.
func testDrainLeaked(t *testing.T, f *fixture) {
	f.admit(t, "e1", "local", 1)
	run, no := f.active(t, "e1-0", experiment.PhaseVerify)
	run = ended(run)
	run.Teardown, run.Receipt = experiment.TeardownLeaked, nil
	_, err := f.End(t.Context(), &run, no, noRepeats)
	must(t, err)
	must(t, f.Reclaim(t.Context(), "owner"))
	run, no, err = f.Adopt(t.Context(), "owner", here, lease)
	must(t, err)
	d, err := f.RequestDrain(t.Context(), "ann", time.Hour)
	must(t, err)
	equal(t, "waits for a leaked run that is being destroyed", []any{len(d.Active), d.GrantedAt.IsZero()}, []any{1, true})
	must(t, f.Release(t.Context(), run.ID, no))
	if _, _, err := f.Adopt(t.Context(), "owner", here, lease); !errors.Is(err, experiment.ErrNotFound) {
		t.Errorf("Adopt() of a leaked run while a drain is in force = %v, want %v", err, experiment.ErrNotFound)
	}
	d, err = f.PollDrain(t.Context(), time.Hour)
	must(t, err)
	equal(t, "granted", d.GrantedAt, f.clock.Now())
}

func testHosts(t *testing.T, f *fixture) {
	there := experiment.Host{ID: "another", Boot: "b2", Home: "/there"}
	f.admit(t, "e1", "local", 2)
	f.admit(t, "e2", "far", 2)
	must(t, f.SetSlots(t.Context(), "local", 5))
	must(t, f.SetSlots(t.Context(), "far", 5))
	run, no := f.active(t, "e1-0", experiment.PhaseLoad)
	home, err := f.Home(t.Context(), run.ID)
	must(t, err)
	equal(t, "host of a claimed run", home, here)
	claim := func(h experiment.Host) string {
		t.Helper()
		run, _, err := f.Claim(t.Context(), "owner of "+h.ID, h, lease)
		if !errors.Is(err, experiment.ErrNotFound) {
			must(t, err)
		}
		return run.ID
	}
	equal(t, "what another machine may claim", []string{claim(there), claim(there), claim(there)}, []string{"e2-0", "e2-1", ""})
	equal(t, "what this machine may claim", claim(here), "e1-1")

	f.clock.advance(2 * lease) // the server of this machine is dead
	if got, _, err := f.Adopt(t.Context(), "other", there, lease); !errors.Is(err, experiment.ErrNotFound) {
		t.Errorf("Adopt() by another machine = %q, %v, want %v", got.ID, err, experiment.ErrNotFound)
	}
	equal(t, "the first that another machine may claim", claim(there), "e2-0")
	equal(t, "the second, local is held by an active run", claim(there), "e2-1")
	second := experiment.Host{ID: here.ID, Boot: "next", Home: "/second"}
	run, again, err := f.Adopt(t.Context(), "other", second, lease)
	must(t, err)
	equal(t, "adopted", []any{run.ID, again}, []any{"e1-0", no + 1})
	home, err = f.Home(t.Context(), run.ID)
	must(t, err)
	equal(t, "host of an adopted run: where its files are", home, here)
	run = ended(run)
	_, err = f.End(t.Context(), &run, again, noRepeats)
	must(t, err)
	equal(t, "once no run of local is active", claim(there), "e1-1")
}

func testSessions(t *testing.T, f *fixture) {
	s := f.Sessions()
	commit := func(token, data string, ttl time.Duration) {
		t.Helper()
		must(t, s.Commit(token, []byte(data), f.clock.Now().Add(ttl)))
	}
	find := func(token string) string {
		t.Helper()
		data, found, err := s.Find(token)
		must(t, err)
		if found != (data != nil) {
			t.Errorf("Find(%s) = %q, %v", token, data, found)
		}
		return string(data)
	}
	commit("one", "first", time.Hour)
	commit("two", "second", time.Minute)
	commit("one", "changed", time.Hour)
	equal(t, "sessions", []string{find("one"), find("two"), find("three"), find("\xff")}, []string{"changed", "second", "", ""})
	f.clock.advance(time.Minute)
	equal(t, "an expired session", find("two"), "")
	must(t, s.Delete("one"))
	must(t, s.Delete("one"))
	equal(t, "a removed session", find("one"), "")
}

func testAudit(t *testing.T, f *fixture) {
	var want []experiment.AuditEntry
	for i := range 5 {
		f.clock.advance(time.Second)
		e := experiment.AuditEntry{By: "ann", Action: "experiment.create", Object: fmt.Sprint("e", i), Status: 202, Remote: "127.0.0.1"}
		must(t, f.Audit(t.Context(), e))
		e.ID, e.At = int64(i+1), f.clock.Now()
		want = append([]experiment.AuditEntry{e}, want...)
	}
	var got []experiment.AuditEntry
	cursor := ""
	for {
		page, next, err := f.ListAudit(t.Context(), cursor, 2)
		must(t, err)
		got = append(got, page...)
		if cursor = next; next == "" {
			break
		}
	}
	equal(t, "audit log", got, want)
}

func testRemoval(t *testing.T, f *fixture) {
	f.admit(t, "e1", "local", 2)
	f.admit(t, "e2", "local", 1)
	busy := func(what string) {
		t.Helper()
		if _, err := f.Delete(t.Context(), "e1"); !errors.Is(err, experiment.ErrBusy) {
			t.Errorf("Delete() %s = %v, want %v", what, err, experiment.ErrBusy)
		}
		removed, err := f.Prune(t.Context(), 0)
		must(t, err)
		equal(t, "pruned "+what, len(removed), 0)
	}
	busy("while it is queued")
	run, no := f.active(t, "e1-0", experiment.PhaseLoad)
	n, err := f.BeginAttempt(t.Context(), experiment.Attempt{Run: run.ID, Kind: experiment.AttemptApply})
	must(t, err)
	must(t, f.RecordIntents(t.Context(), run.ID, n, []experiment.Intent{{Action: "create", Address: "a"}}))
	must(t, f.SaveState(t.Context(), run.ID, n, 1, []byte("state")))
	run.Result = []byte(`{}`)
	must(t, f.SaveResult(t.Context(), &run, no))
	_, err = f.Stop(t.Context(), "e1", "enough", never)
	must(t, err)
	busy("while a run is active")
	run = ended(run)
	run.Teardown, run.Receipt = experiment.TeardownLeaked, nil
	_, err = f.End(t.Context(), &run, no, noRepeats)
	must(t, err)
	f.clock.advance(25 * time.Hour)
	busy("while a run is leaked")
	run, no, err = f.Adopt(t.Context(), "owner", here, lease)
	must(t, err)
	run = ended(run)
	_, err = f.Settle(t.Context(), &run, no)
	must(t, err)
	removed, err := f.Prune(t.Context(), 26*time.Hour)
	must(t, err)
	equal(t, "pruned of those that ended before its end", len(removed), 0)
	removed, err = f.Prune(t.Context(), 24*time.Hour)
	must(t, err)
	var ids []string
	for _, run := range removed {
		ids = append(ids, run.ID)
	}
	equal(t, "pruned", ids, []string{"e1-0", "e1-1"})
	equal(t, "what is left", f.pages(t, experiment.ExperimentQuery{}), []string{"e2 queued"})
	events := f.events(t)
	equal(t, "events that are left", []any{len(events), events[0].Run}, []any{1, "e2-0"})
	runs, _, err := f.ListRuns(t.Context(), experiment.RunQuery{Phase: experiment.PhaseEnded})
	must(t, err)
	equal(t, "runs that are left", len(runs), 0)
	totals, err := f.Totals(t.Context())
	must(t, err)
	equal(t, "outcomes that were counted", totals.Outcomes, map[experiment.Outcome]int64{experiment.Succeeded: 1, experiment.Cancelled: 1})
}

func testSecrets(t *testing.T, f *fixture) {
	_, _, err := f.Admit(t.Context(), experiment.Experiment{ID: "e1", Plan: plan("local")},
		[]experiment.Run{{ID: "e1-0"}, {ID: "e1-1", Order: 1}}, []byte{0, 0xff, 1}, experiment.Submission{})
	must(t, err)
	kept := func(what string, want bool) {
		t.Helper()
		sealed, err := f.Secrets(t.Context(), "e1")
		if want {
			must(t, err)
			equal(t, "secrets "+what, sealed, []byte{0, 0xff, 1})
		} else if !errors.Is(err, experiment.ErrNotFound) {
			t.Errorf("Secrets() %s = %v, want %v", what, err, experiment.ErrNotFound)
		}
	}
	run, no := f.active(t, "e1-0", experiment.PhaseVerify)
	run = ended(run)
	run.Teardown, run.Receipt = experiment.TeardownLeaked, nil
	_, err = f.End(t.Context(), &run, no, noRepeats)
	must(t, err)
	kept("while a run is queued", true)
	_, err = f.Cancel(t.Context(), "e1-1", "enough", never, noRepeats)
	must(t, err)
	kept("while a run is leaked", true)
	f.clock.advance(25 * time.Hour)
	run, no, err = f.Adopt(t.Context(), "owner", here, lease)
	must(t, err)
	run = ended(run)
	_, err = f.Settle(t.Context(), &run, no)
	must(t, err)
	kept("after everything is discharged", false)
}
