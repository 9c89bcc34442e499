package storetest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/store"
)

// Who reads events after the last that it has seen misses none, though many
// write at once.
func testEventOrder(t *testing.T, f *fixture) {
	const writers, each = 4, 25
	f.admit(t, "e1", "local", writers)
	must(t, f.SetSlots(t.Context(), "local", writers))
	var group sync.WaitGroup
	defer group.Wait()
	for range writers {
		run, no, err := f.Claim(t.Context(), "owner", here, lease)
		must(t, err)
		group.Go(func() {
			for i := range each {
				notice := experiment.Event{Experiment: "e1", Run: run.ID, Kind: experiment.EventNotice, Message: fmt.Sprint(i)}
				if _, err := f.Record(t.Context(), notice, no); err != nil {
					t.Errorf("Record(): %v", err)
					return
				}
			}
		})
	}
	seen, last := map[string]int{}, int64(0)
	for n := 0; n < writers*each; {
		events, err := f.Events(t.Context(), experiment.EventQuery{After: last})
		must(t, err)
		for _, e := range events {
			if e.ID <= last {
				t.Fatalf("event %d came after %d", e.ID, last)
			}
			last = e.ID
			if e.Kind != experiment.EventNotice {
				continue
			}
			if want := fmt.Sprint(seen[e.Run]); e.Message != want {
				t.Fatalf("of run %s came event %s, want %s", e.Run, e.Message, want)
			}
			seen[e.Run]++
			n++
		}
		if t.Failed() {
			return
		}
	}
}

// The same submission that comes many times at once admits one experiment.
func testSubmissionRace(t *testing.T, f *fixture) {
	var group sync.WaitGroup
	var mu sync.Mutex
	ids := map[string]bool{}
	for i := range 8 {
		group.Go(func() {
			id := fmt.Sprint("e", i)
			e, _, err := f.Admit(t.Context(), experiment.Experiment{ID: id, Plan: plan("local")}, []experiment.Run{{ID: id + "-0"}}, nil,
				experiment.Submission{By: "ann", Key: "k", Digest: "d"})
			if err != nil {
				t.Errorf("Admit(): %v", err)
			}
			mu.Lock()
			defer mu.Unlock()
			ids[e.ID] = true
		})
	}
	group.Wait()
	equal(t, "number of experiments", len(ids), 1)
}

// While a run is claimed no drain is granted, and no more runs are claimed than
// there are slots.
func testDrainRace(t *testing.T, f *fixture) {
	const owners, slots = 4, 2
	f.admit(t, "e1", "local", owners)
	must(t, f.SetSlots(t.Context(), "local", slots))
	ctx, cancel := context.WithCancel(t.Context())
	var claimed atomic.Int32
	var group sync.WaitGroup
	for owner := range owners {
		group.Go(func() {
			for ctx.Err() == nil {
				run, no, err := f.Claim(ctx, fmt.Sprint(owner), here, lease)
				if err != nil {
					continue
				}
				if n := claimed.Add(1); n > slots {
					t.Errorf("%d runs are claimed on %d slots", n, slots)
				}
				if d, err := f.Drain(t.Context()); err != nil || !d.GrantedAt.IsZero() {
					t.Errorf("Drain() while a run is claimed = %+v, %v, want none granted", d, err)
				}
				claimed.Add(-1)
				if err := f.Release(t.Context(), run.ID, no); err != nil {
					t.Errorf("Release(): %v", err)
				}
			}
		})
	}
	for range 30 {
		d, err := f.RequestDrain(t.Context(), "ann", time.Hour)
		for err == nil && d.GrantedAt.IsZero() {
			d, err = f.PollDrain(t.Context(), time.Hour)
		}
		if err := errors.Join(err, f.EndDrain(t.Context())); err != nil {
			t.Errorf("drain: %v", err)
			break
		}
	}
	cancel()
	group.Wait()
}

// Whatever happens, what is counted beside the runs is what the runs are.
func testCountsHold(t *testing.T, f *fixture) {
	random := rand.New(rand.NewPCG(1, 2))
	pick := func(all ...any) any { return all[random.IntN(len(all))] }
	var ids []string
	repeat := func(e experiment.Experiment, runs []experiment.Run) []experiment.Run {
		if len(runs) > 5 || random.IntN(3) > 0 {
			return nil
		}
		return []experiment.Run{{ID: fmt.Sprintf("%s-%d", e.ID, len(runs)), Variant: "a", Order: len(runs), Extra: true}}
	}
	for step := range 120 {
		f.clock.advance(time.Second)
		switch random.IntN(6) {
		case 0:
			id := fmt.Sprint("e", step)
			f.admit(t, id, pick("local", "far").(string), 1+random.IntN(4))
			ids = append(ids, id)
		case 1, 2:
			run, no, err := f.Claim(t.Context(), "owner", here, lease)
			if errors.Is(err, experiment.ErrNotFound) {
				continue
			}
			must(t, err)
			run.Phase, run.Teardown = pick(experiment.PhaseProvision, experiment.PhaseLoad).(experiment.Phase), experiment.TeardownPending
			_, err = f.Enter(t.Context(), &run, no)
			must(t, err)
			must(t, f.Release(t.Context(), run.ID, no))
		case 3, 4:
			run, no, err := f.Adopt(t.Context(), "owner", here, lease)
			if errors.Is(err, experiment.ErrNotFound) {
				continue
			}
			must(t, err)
			if f.finish(t, random, run, no, repeat) {
				f.clock.advance(25 * time.Hour)
			}
		case 5:
			if len(ids) > 0 {
				_, err := f.Stop(t.Context(), ids[random.IntN(len(ids))], "enough", never)
				must(t, err)
			}
		}
		if step%10 == 9 {
			f.recount(t)
		}
	}
	_, err := f.Prune(t.Context(), 0)
	must(t, err)
	f.recount(t)
}

// finish ends a run, or another try to destroy it, somehow; it reports whether
// the run leaked.
func (f *fixture) finish(t *testing.T, random *rand.Rand, run experiment.Run, no int64, repeat store.Repeats) bool {
	t.Helper()
	outcome := run.Outcome
	run = ended(run)
	run.Validity.OK = random.IntN(2) == 0
	if random.IntN(2) == 0 {
		run.Outcome = experiment.Failed
	}
	leaked := random.IntN(3) == 0
	if leaked {
		run.Teardown, run.Receipt = experiment.TeardownLeaked, nil
	}
	var err error
	if run.Phase == experiment.PhaseEnded {
		run.Outcome = outcome
		_, err = f.Settle(t.Context(), &run, no)
	} else {
		_, err = f.End(t.Context(), &run, no, repeat)
	}
	must(t, err)
	return leaked
}

// recount compares every count with the runs themselves.
func (f *fixture) recount(t *testing.T) {
	t.Helper()
	page, next, err := f.ListExperiments(t.Context(), experiment.ExperimentQuery{Limit: 200})
	must(t, err)
	equal(t, "the next page", next, "")
	kinds := map[experiment.RunQuery][]string{}
	for _, e := range page {
		runs, err := f.Runs(t.Context(), e.ID)
		must(t, err)
		want := experiment.RunCounts{Planned: len(runs)}
		for _, run := range runs {
			tally(&want, run)
			target := e.Plan.Target
			for _, q := range []experiment.RunQuery{{Phase: run.Phase}, {Outcome: run.Outcome, Target: target}, {Teardown: run.Teardown}} {
				kinds[q] = append([]string{run.ID}, kinds[q]...)
			}
		}
		equal(t, "counts of "+e.ID, e.Runs, want)
	}
	for q, want := range kinds {
		if q.Outcome == "" && q.Phase == "" && q.Teardown == "" {
			continue
		}
		q.Limit = 200
		runs, _, err := f.ListRuns(t.Context(), q)
		must(t, err)
		var got []string
		for _, run := range runs {
			got = append(got, run.ID)
		}
		slices.Sort(got)
		slices.Sort(want)
		equal(t, fmt.Sprintf("runs by %+v", q), got, want)
	}
}

// tally counts one run.
func tally(c *experiment.RunCounts, run experiment.Run) {
	switch run.Phase {
	case experiment.PhaseQueued:
		c.Queued++
		return
	case experiment.PhaseEnded:
		c.Ended++
	default:
		c.Active++
		return
	}
	switch {
	case run.Outcome == experiment.Failed:
		c.Failed++
	case run.Outcome == experiment.Cancelled:
		c.Cancelled++
	case run.Validity.OK:
		c.Valid++
		fallthrough
	default:
		c.Succeeded++
	}
	if run.Teardown == experiment.TeardownLeaked {
		c.Leaked++
	}
}
