package comparison

import (
	"cmp"
	"fmt"
	"slices"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
)

// Set holds the runs that are compared, with their results decoded. Make one
// with [NewSet], [Pick] or [PutTogether].
type Set struct {
	Experiment experiment.Experiment
	Variants   []*Variant
	Runs       []*Run       // in the order in which they ran
	Calibrated *Calibration // of the plan; nil if there is none
	Separate   bool         // the runs are of several experiments, which were not planned together
	unpicked   int          // how many runs of the experiment are not in the set
}

// Variant is a variant with its runs.
type Variant struct {
	experiment.Variant
	Plan experiment.Plan // of its experiment
	Runs []*Run
}

// Run is a run with its result decoded.
type Run struct {
	experiment.Run
	Of     *Variant
	Number int             // from 1 within the variant
	Result *measure.Result // nil when none was collected
}

// Name is how people call the run: "kafka #3".
func (r *Run) Name() string { return fmt.Sprintf("%s #%d", r.Of.Name(), r.Number) }

// Counts reports whether the run takes part in the statistics.
func (r *Run) Counts() bool {
	return r.Outcome == experiment.Succeeded && r.Validity.OK && r.Result != nil
}

// Excluded says why the run takes no part in the statistics, or "".
func (r *Run) Excluded() string {
	switch {
	case r.Counts():
		return ""
	case r.Phase != experiment.PhaseEnded:
		return "has not ended"
	case r.SystemDied:
		return withReason("did not deliver", r.Reason)
	case r.Outcome != experiment.Succeeded:
		return withReason(string(cmp.Or(r.Outcome, experiment.Failed)), r.Reason)
	case !r.Validity.OK:
		return withReason("invalid", r.Validity.Text())
	}
	return "has no result"
}

func withReason(text, reason string) string {
	if reason == "" {
		return text
	}
	return text + ": " + reason
}

// Counted are the variant's runs that take part in the statistics.
func (v *Variant) Counted() []*Run {
	return slices.DeleteFunc(slices.Clone(v.Runs), func(r *Run) bool { return !r.Counts() })
}

// Metric is the primary one.
func (s *Set) Metric() experiment.Metric {
	return cmp.Or(s.Experiment.Plan.Compare, experiment.DefaultMetric)
}

// NewSet decodes the runs of one experiment. It fails when a stored result can't
// be read.
func NewSet(e experiment.Experiment, runs []experiment.Run) (*Set, error) {
	s := &Set{Experiment: e}
	for _, v := range e.Plan.Variants {
		s.Variants = append(s.Variants, &Variant{Variant: v, Plan: e.Plan})
	}
	return s, s.add(runs)
}

// Pick decodes some of the runs of one experiment, which has that many.
func Pick(e experiment.Experiment, runs []experiment.Run, of int) (*Set, error) {
	s, err := NewSet(e, runs)
	s.unpicked = of - len(runs)
	return s, err
}

// add decodes runs, whose variants the set has.
func (s *Set) add(runs []experiment.Run) error {
	ordered := slices.SortedStableFunc(slices.Values(runs), func(a, b experiment.Run) int { return cmp.Compare(a.Order, b.Order) })
	for _, stored := range ordered {
		i := slices.IndexFunc(s.Variants, func(v *Variant) bool { return v.Label == stored.Variant })
		if i < 0 {
			return fmt.Errorf("compare experiment %s: run %s is of the variant %q, which its plan does not have",
				s.Experiment.ID, stored.ID, stored.Variant)
		}
		v := s.Variants[i]
		run := &Run{Run: stored, Of: v, Number: len(v.Runs) + 1}
		if len(stored.Result) > 0 {
			result, err := measure.ReadResult(stored.Result)
			if err != nil {
				return fmt.Errorf("compare experiment %s: run %s: %w", s.Experiment.ID, stored.ID, err)
			}
			run.Result = &result
		}
		v.Runs, s.Runs = append(v.Runs, run), append(s.Runs, run)
	}
	return nil
}

// PutTogether makes one set of the runs of several experiments. Its variants are
// those that the runs are of; where two have the same label, the later one's has
// its experiment behind it. The metric is the first experiment's if empty.
func PutTogether(experiments []experiment.Experiment, runs []experiment.Run, metric experiment.Metric) (*Set, error) {
	first := experiments[0]
	s := &Set{Experiment: experiment.Experiment{Plan: first.Plan, State: experiment.Ended, CreatedAt: first.CreatedAt}, Separate: true}
	s.Experiment.Plan.Name = fmt.Sprintf("%d runs of %d experiments", len(runs), len(experiments))
	s.Experiment.Plan.Compare = cmp.Or(metric, first.Plan.Compare)
	s.Experiment.Plan.Variants = nil
	runs = slices.Clone(runs)
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
			s.Experiment.Plan.Variants = append(s.Experiment.Plan.Variants, v)
			s.Variants = append(s.Variants, &Variant{Variant: v, Plan: e.Plan})
		}
	}
	return s, s.add(runs)
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
