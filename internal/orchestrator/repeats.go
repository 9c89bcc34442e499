package orchestrator

import (
	"math/rand/v2"
	"time"

	"dec.local/dec/internal/experiment"
)

// maxExtra is how many runs a variant gets in addition to the planned ones.
const maxExtra = 2

// extraRuns returns the runs that an experiment gets in addition once all of its
// runs have ended: one for each that failed or was not valid, at most [maxExtra]
// per variant over the whole experiment, interleaved in an order drawn from the
// seed. Cancelled runs are not repeated, nor is anything once the experiment was
// stopped or its wall time is over.
func extraRuns(e experiment.Experiment, runs []experiment.Run) []experiment.Run {
	if e.Reason != "" {
		return nil
	}
	missing, extra := make(map[string]int), make(map[string]int)
	var order int
	var last time.Time
	for _, run := range runs {
		if run.Phase != experiment.PhaseEnded {
			return nil
		}
		if run.Extra {
			extra[run.Variant]++
		} else {
			missing[run.Variant]++
		}
		if run.Outcome == experiment.Cancelled || run.Outcome == experiment.Succeeded && run.Validity.OK {
			missing[run.Variant]--
		}
		order = max(order, run.Order+1)
		if run.EndedAt.After(last) {
			last = run.EndedAt
		}
	}
	if wallTimeOver(e.Plan, runs, last) {
		return nil
	}
	var added []experiment.Run
	random := rand.New(rand.NewPCG(uint64(e.Plan.Workload.Seed), uint64(order)))
	for round := range maxExtra {
		for _, i := range random.Perm(len(e.Plan.Variants)) {
			label := e.Plan.Variants[i].Label
			if round < min(missing[label], maxExtra-extra[label]) {
				added = append(added, experiment.Run{ID: experiment.NewID("r"), Experiment: e.ID, Variant: label, Order: order, Extra: true})
				order++
			}
		}
	}
	return added
}
