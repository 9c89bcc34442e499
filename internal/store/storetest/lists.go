package storetest

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"dec.local/dec/internal/experiment"
)

// pages lists experiments page by page, and returns their ids and states.
func (f *fixture) pages(t *testing.T, q experiment.ExperimentQuery) []string {
	t.Helper()
	var all []string
	for {
		page, next, err := f.ListExperiments(t.Context(), q)
		must(t, err)
		if q.Limit > 0 && len(page) > q.Limit {
			t.Fatalf("ListExperiments(%+v) = %d experiments, want %d at most", q, len(page), q.Limit)
		}
		for _, e := range page {
			all = append(all, e.ID+" "+string(e.State))
		}
		if next == "" {
			return all
		}
		q.Cursor = next
	}
}

func testLists(t *testing.T, f *fixture) {
	for i := range 5 {
		f.admit(t, fmt.Sprintf("e%d", i), "local", 1)
		f.clock.advance(time.Second)
	}
	run, no := f.active(t, "e0-0", experiment.PhaseProvision)
	newest := []string{"e4 queued", "e3 queued", "e2 queued", "e1 queued", "e0 running"}
	for limit := range 7 {
		equal(t, fmt.Sprint("by pages of ", limit), f.pages(t, experiment.ExperimentQuery{Limit: limit}), newest)
		equal(t, fmt.Sprint("filtered by pages of ", limit), f.pages(t, experiment.ExperimentQuery{Limit: limit, Target: "local"}), newest)
		oldest := slices.Clone(newest)
		slices.Reverse(oldest)
		equal(t, fmt.Sprint("oldest by pages of ", limit), f.pages(t, experiment.ExperimentQuery{Limit: limit, Oldest: true}), oldest)
		equal(t, fmt.Sprint("oldest, filtered by pages of ", limit),
			f.pages(t, experiment.ExperimentQuery{Limit: limit, Oldest: true, By: "ann"}), oldest)
	}
	active, err := f.Active(t.Context())
	must(t, err)
	equal(t, "active runs", active, []experiment.Run{run})
	run = ended(run)
	_, err = f.End(t.Context(), &run, no, noRepeats)
	must(t, err)
	equal(t, "the ended", f.pages(t, experiment.ExperimentQuery{State: experiment.Ended}), []string{"e0 ended"})
	open, err := f.Unfinished(t.Context())
	must(t, err)
	equal(t, "number of unfinished", len(open), 4)
	for _, call := range []func() error{
		func() error { _, err := f.Experiment(t.Context(), "x"); return err },
		func() error { _, err := f.Summary(t.Context(), "x\x00"); return err },
		func() error { _, err := f.QueuedBefore(t.Context(), "x"); return err },
		func() error { _, err := f.Store.Run(t.Context(), "\xff"); return err },
		func() error { _, err := f.Expiry(t.Context(), "x"); return err },
		func() error { _, err := f.Home(t.Context(), "x"); return err },
		func() error { _, err := f.Secrets(t.Context(), "x"); return err },
		func() error { _, err := f.Delete(t.Context(), "x"); return err },
		func() error { return f.SetVerdict(t.Context(), "x", experiment.Verdict{}) },
	} {
		if err := call(); !errors.Is(err, experiment.ErrNotFound) {
			t.Errorf("call for what does not exist = %v, want %v", err, experiment.ErrNotFound)
		}
	}
}

func testSearch(t *testing.T, f *fixture) {
	submit := func(id, name, technology, target, by string) {
		t.Helper()
		p := plan(target)
		p.Name, p.Variants[0] = name, experiment.Variant{Label: "first of " + id, Technology: technology, Stack: "s"}
		_, _, err := f.Admit(t.Context(), experiment.Experiment{ID: id, Plan: p, Digest: "digest of " + technology},
			[]experiment.Run{{ID: id + "-0", Variant: p.Variants[0].Label}}, nil, experiment.Submission{By: by})
		must(t, err)
	}
	submit("ea", "Straße nach ÄGYPTEN", "kafka", "local", "ann")
	submit("eb", "100% of _fsync_", "kinesis", "aws", "bob")
	submit("ec", "what fsync costs", "kafka", "local", "bob")
	run, no := f.active(t, "ea-0", experiment.PhaseLoad)
	run = ended(run)
	_, err := f.End(t.Context(), &run, no, noRepeats)
	must(t, err)
	run, _ = f.active(t, "eb-0", experiment.PhaseLoad)
	tests := map[string]struct {
		query experiment.ExperimentQuery
		want  []string
	}{
		"part of the name":         {experiment.ExperimentQuery{Text: "sync"}, []string{"ec queued", "eb running"}},
		"case does not count":      {experiment.ExperimentQuery{Text: "ägyp"}, []string{"ea ended"}},
		"nothing is a wildcard":    {experiment.ExperimentQuery{Text: "0% of _f"}, []string{"eb running"}},
		"nor is a percent sign":    {experiment.ExperimentQuery{Text: "1%0"}, nil},
		"part of the id":           {experiment.ExperimentQuery{Text: "EC"}, []string{"ec queued"}},
		"part of a label":          {experiment.ExperimentQuery{Text: "first of eb"}, []string{"eb running"}},
		"part of a technology":     {experiment.ExperimentQuery{Text: "KINES"}, []string{"eb running"}},
		"a miss":                   {experiment.ExperimentQuery{Text: "absent"}, nil},
		"the character 0":          {experiment.ExperimentQuery{Text: "\x00"}, nil},
		"no text but \\xff":        {experiment.ExperimentQuery{Text: "\xff"}, nil},
		"technology":               {experiment.ExperimentQuery{Technology: "kafka"}, []string{"ec queued", "ea ended"}},
		"technology of all":        {experiment.ExperimentQuery{Technology: "nats"}, []string{"ec queued", "eb running", "ea ended"}},
		"part of a technology's":   {experiment.ExperimentQuery{Technology: "kaf"}, nil},
		"target":                   {experiment.ExperimentQuery{Target: "aws"}, []string{"eb running"}},
		"who":                      {experiment.ExperimentQuery{By: "bob"}, []string{"ec queued", "eb running"}},
		"digest":                   {experiment.ExperimentQuery{Digest: "digest of kafka"}, []string{"ec queued", "ea ended"}},
		"state":                    {experiment.ExperimentQuery{State: experiment.Running}, []string{"eb running"}},
		"state and text":           {experiment.ExperimentQuery{State: experiment.Queued, Text: "fsync"}, []string{"ec queued"}},
		"ended and technology":     {experiment.ExperimentQuery{State: experiment.Ended, Technology: "kafka"}, []string{"ea ended"}},
		"two filters without both": {experiment.ExperimentQuery{By: "ann", Target: "aws"}, nil},
		"a target never seen":      {experiment.ExperimentQuery{Target: "moon"}, nil},
	}
	for name, tt := range tests {
		equal(t, name, f.pages(t, tt.query), tt.want)
	}
	// What is removed or added after a search is known to the next.
	_, err = f.Delete(t.Context(), "ea")
	must(t, err)
	submit("ed", "fsync again", "kafka", "local", "ann")
	equal(t, "kafka after a removal and an admission",
		f.pages(t, experiment.ExperimentQuery{Technology: "kafka"}), []string{"ed queued", "ec queued"})
	for _, id := range []string{"eb", "ec", "ed"} {
		_, err := f.Stop(t.Context(), id, "enough", never)
		must(t, err)
	}
	for _, id := range []string{"ec", "ed"} {
		_, err := f.Delete(t.Context(), id)
		must(t, err)
	}
	equal(t, "after most were removed", f.pages(t, experiment.ExperimentQuery{Text: "fsync"}), []string{"eb running"})
	equal(t, "the run that is left", f.read(t, "eb-0"), run)
}

func testCursors(t *testing.T, f *fixture) {
	f.admit(t, "e1", "local", 3)
	f.admit(t, "e2", "local", 3)
	_, experiments, err := f.ListExperiments(t.Context(), experiment.ExperimentQuery{Limit: 1})
	must(t, err)
	_, runs, err := f.ListRuns(t.Context(), experiment.RunQuery{Limit: 1})
	must(t, err)
	_, of, err := f.ListRuns(t.Context(), experiment.RunQuery{Limit: 1, Experiment: "e1"})
	must(t, err)
	for _, bad := range []string{"x", "e-", "e--1", "e-01", "r-zzzzzzzzzzzzzzzzzzzzzz", "\x00", experiments, runs, of} {
		_, _, first := f.ListExperiments(t.Context(), experiment.ExperimentQuery{Cursor: bad})
		_, _, second := f.ListRuns(t.Context(), experiment.RunQuery{Cursor: bad})
		_, _, third := f.ListRuns(t.Context(), experiment.RunQuery{Cursor: bad, Experiment: "e1"})
		_, _, fourth := f.ListAudit(t.Context(), bad, 1)
		for i, err := range []error{first, second, third, fourth} {
			own := []string{experiments, runs, of, "none"}[i] == bad
			if errors.Is(err, experiment.ErrCursor) == own || (err == nil) != own {
				t.Errorf("list %d with cursor %q = %v", i, bad, err)
			}
		}
	}
}

func testRunLists(t *testing.T, f *fixture) {
	f.admit(t, "e1", "local", 4)
	f.admit(t, "e2", "far", 2)
	must(t, f.SetSlots(t.Context(), "far", 5))
	pages := func(q experiment.RunQuery) []string {
		t.Helper()
		var all []string
		for {
			page, next, err := f.ListRuns(t.Context(), q)
			must(t, err)
			for _, run := range page {
				all = append(all, run.ID)
			}
			if next == "" {
				return all
			}
			q.Cursor = next
		}
	}
	run, no := f.active(t, "e1-0", experiment.PhaseVerify)
	run = ended(run)
	_, err := f.End(t.Context(), &run, no, noRepeats)
	must(t, err)
	f.active(t, "e1-1", experiment.PhaseLoad)
	run, no = f.active(t, "e2-0", experiment.PhaseVerify)
	run = ended(run)
	run.Teardown, run.Receipt = experiment.TeardownLeaked, nil
	_, err = f.End(t.Context(), &run, no, noRepeats)
	must(t, err)
	tests := map[string]struct {
		query experiment.RunQuery
		want  []string
	}{
		"all":                   {experiment.RunQuery{}, []string{"e2-1", "e2-0", "e1-3", "e1-2", "e1-1", "e1-0"}},
		"of an experiment":      {experiment.RunQuery{Experiment: "e1"}, []string{"e1-0", "e1-1", "e1-2", "e1-3"}},
		"of none":               {experiment.RunQuery{Experiment: "e3"}, nil},
		"phase":                 {experiment.RunQuery{Phase: experiment.PhaseQueued}, []string{"e2-1", "e1-3", "e1-2"}},
		"phase, of one":         {experiment.RunQuery{Phase: experiment.PhaseQueued, Experiment: "e1"}, []string{"e1-2", "e1-3"}},
		"outcome":               {experiment.RunQuery{Outcome: experiment.Succeeded}, []string{"e2-0", "e1-0"}},
		"teardown":              {experiment.RunQuery{Teardown: experiment.TeardownLeaked}, []string{"e2-0"}},
		"technology":            {experiment.RunQuery{Technology: "kafka"}, []string{"e2-0", "e1-2", "e1-0"}},
		"target":                {experiment.RunQuery{Target: "far"}, []string{"e2-1", "e2-0"}},
		"technology and target": {experiment.RunQuery{Technology: "nats", Target: "far"}, []string{"e2-1"}},
		"what nothing is":       {experiment.RunQuery{Outcome: experiment.Failed}, nil},
		"text of no database":   {experiment.RunQuery{Technology: "\xff\x00"}, nil},
	}
	for name, tt := range tests {
		for limit := range 4 {
			tt.query.Limit = limit
			equal(t, fmt.Sprintf("%s by %d", name, limit), pages(tt.query), tt.want)
		}
	}
	list, _, err := f.ListRuns(t.Context(), experiment.RunQuery{Experiment: "e1"})
	must(t, err)
	runs, err := f.Runs(t.Context(), "e1")
	must(t, err)
	equal(t, "the runs of a list", list, runs)
}
