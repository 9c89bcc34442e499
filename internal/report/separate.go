package report

import (
	"fmt"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/stats"
)

// Separate is [New] for runs that were not planned together, put together as the
// variants of e: numbers and intervals, but no verdict.
func Separate(e experiment.Experiment, runs []experiment.Run, o Options) (Report, error) {
	r, err := New(e, runs, o)
	if err != nil {
		return Report{}, err
	}
	q := r.question(o.Floor)
	q.Separate, q.Planned, q.Ended = true, len(runs), len(runs)
	r.Comparison = stats.Compare(q, r.samples())
	r.Caveats = append([]string{fmt.Sprintf("These %d runs were picked from several experiments, which were not shuffled together.", len(runs))}, r.Caveats...)
	return r, nil
}

// Excluded says why a run takes no part in the statistics, or "".
func (r *Report) Excluded(run string) string {
	_, found := r.find(experiment.Run{ID: run})
	return found.excluded()
}
