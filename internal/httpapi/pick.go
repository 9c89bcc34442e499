package httpapi

import (
	"cmp"
	"context"
	"fmt"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/report"
)

// pickedReport compares picked runs: those of one experiment as such, others
// side by side without a verdict.
func (s *server) pickedReport(ctx context.Context, in pickedInput) (compared, error) {
	var runs []experiment.Run
	var experiments []experiment.Experiment
	known := map[string]bool{}
	for _, id := range in.Runs {
		run, err := s.Store.Run(ctx, id)
		if err != nil {
			return compared{}, err
		}
		runs = append(runs, run)
		if known[run.Experiment] {
			continue
		}
		known[run.Experiment] = true
		summary, err := s.Store.Summary(ctx, run.Experiment)
		if err != nil {
			return compared{}, err
		}
		experiments = append(experiments, summary.Experiment)
	}
	o, err := s.reportOptions(ctx)
	if err != nil {
		return compared{}, err
	}
	if len(experiments) == 1 {
		r, err := report.New(experiments[0], runs, o)
		return compared{r, sidesOf(experiments[0].Plan)}, err
	}
	together, sides := putTogether(experiments, runs)
	together.Plan.Compare = cmp.Or(in.Metric, together.Plan.Compare)
	r, err := report.Separate(together, runs, o)
	return compared{r, sides}, err
}

// putTogether makes one experiment of several whose variants are those that the
// runs are of. Where two have the same label, the later one's has its
// experiment behind it. The runs get the new labels.
func putTogether(experiments []experiment.Experiment, runs []experiment.Run) (experiment.Experiment, []side) {
	together := experiment.Experiment{Plan: experiments[0].Plan, State: experiment.Ended, CreatedAt: experiments[0].CreatedAt}
	together.Plan.Name = fmt.Sprintf("%d runs of %d experiments", len(runs), len(experiments))
	together.Plan.Variants = nil
	var sides []side
	taken := map[string]bool{}
	for _, e := range experiments {
		for _, v := range e.Plan.Variants {
			label := v.Label
			if taken[label] {
				label += " " + e.ID
			}
			if relabel(runs, e.ID, v.Label, label) == 0 {
				continue
			}
			taken[label] = true
			v.Label = label
			together.Plan.Variants = append(together.Plan.Variants, v)
			sides = append(sides, side{label, e.Plan, v})
		}
	}
	return together, sides
}

// relabel gives the runs of a variant another label, and counts them.
func relabel(runs []experiment.Run, experimentID, from, to string) int {
	n := 0
	for i := range runs {
		if runs[i].Experiment == experimentID && runs[i].Variant == from {
			runs[i].Variant = to
			n++
		}
	}
	return n
}
