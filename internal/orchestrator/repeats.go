package orchestrator

import (
	"math/rand/v2"
	"slices"
	"time"

	"dec.local/dec/internal/experiment"
)

// maxExtra is how many runs a variant gets in addition to the planned ones.
const maxExtra = 2

// extraRuns returns the runs that an experiment gets in addition, now that one of its
// runs has ended: one for each that failed or was not valid, at most [maxExtra] per
// variant over the whole experiment. Each is of the round of the run that it repeats,
// and gets a random place among the runs still to come, so that the repeats of a
// variant do not all run last. Cancelled runs are not repeated, nor are those in which
// the system under test died under the load: that is an answer. Nor is anything
// repeated once the experiment was stopped or its wall time is over.
func extraRuns(e experiment.Experiment, runs []experiment.Run) []experiment.Run {
	var last time.Time
	for _, run := range runs {
		if run.EndedAt.After(last) {
			last = run.EndedAt
		}
	}
	if e.Reason != "" || wallTimeOver(e.Plan, runs, last) {
		return nil
	}
	var added []experiment.Run
	for _, v := range e.Plan.Variants {
		for _, round := range toRepeat(v.Label, runs) {
			run := experiment.Run{ID: experiment.NewID("r"), Experiment: e.ID, Variant: v.Label, Round: round, Extra: true}
			run.Order = place(e.Plan.Workload.Seed, append(slices.Clone(runs), added...))
			added = append(added, run)
		}
	}
	return added
}

// toRepeat returns the rounds of the runs of a variant that are to be repeated and have
// not been yet.
func toRepeat(variant string, runs []experiment.Run) []int {
	var rounds []int
	extra := 0
	for _, run := range runs {
		switch {
		case run.Variant != variant:
		case run.Extra:
			extra++
		}
		if run.Variant == variant && spoiled(run) {
			rounds = append(rounds, run.Round)
		}
	}
	// The extra runs there are stand for as many of these, whichever.
	for _, run := range runs {
		if i := slices.Index(rounds, run.Round); run.Variant == variant && run.Extra && i >= 0 {
			rounds = slices.Delete(rounds, i, i+1)
		}
	}
	return rounds[:min(len(rounds), max(0, maxExtra-extra))]
}

// spoiled reports whether a run has ended without telling anything of its variant.
func spoiled(r experiment.Run) bool {
	return r.Phase == experiment.PhaseEnded && r.Outcome != experiment.Cancelled && !r.SystemDied &&
		(r.Outcome != experiment.Succeeded || !r.Validity.OK)
}

// place draws a place for one more run: before any of those that are still queued, or
// after the last. The store moves the ones behind it.
func place(seed int64, runs []experiment.Run) int {
	var queued []int
	end := 0
	for _, run := range runs {
		end = max(end, run.Order+1)
	}
	for _, run := range runs {
		if run.Phase == experiment.PhaseQueued {
			queued = append(queued, run.Order)
		}
	}
	places := append(queued, end)
	return places[rand.New(rand.NewPCG(uint64(seed), uint64(len(runs)))).IntN(len(places))]
}
