package comparison

import (
	"cmp"
	"fmt"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/format"
	"dec.local/dec/internal/measure"
)

// caveats are the sentences that must stand beside every verdict: first what was
// not measured at all, then what kept variants from doing what was asked, then
// what was promised, then how it was measured.
func (s *Set) caveats(c Comparison, titles map[string]string) []string {
	caveats := []string{}
	if s.Separate {
		caveats = append(caveats, fmt.Sprintf("These %d runs are from several experiments, which were not randomised together.", len(s.Runs)))
	}
	for _, v := range s.Variants {
		if program := v.Program(); program != "" {
			caveats = append(caveats, fmt.Sprintf("%s ran on %s, which stands in for %s: "+
				"the results do not show how fast the technology itself is.", v.Name(), program, cmp.Or(titles[v.Technology], v.Technology)))
		}
	}
	for _, v := range s.Variants {
		caveats = append(caveats, v.limits()...)
		for _, sentence := range []string{v.backlog(), v.unsteady(s.Metric()), v.lateGenerator(s.Metric()), v.strangers(), v.unwatched()} {
			if sentence != "" {
				caveats = append(caveats, sentence)
			}
		}
	}
	caveats = append(caveats, s.contradictions(c.Stats)...)
	for i, difference := range c.Fairness.Differences {
		what := "The guarantees differ. "
		if c.Fairness.Unequal[i].Client {
			what = "The settings of the clients differ. "
		}
		caveats = append(caveats, what+format.UpperFirst(difference))
	}
	for _, sentence := range c.Fairness.Nature {
		caveats = append(caveats, "For reference: "+sentence)
	}
	for _, v := range s.Variants {
		if sentence := v.leftOut(); sentence != "" {
			caveats = append(caveats, sentence)
		}
	}
	caveats = append(caveats, s.Calibrated.caveats(c.Stats, s.Metric(), s.Experiment.Plan.NameOf)...)
	caveats = append(caveats, s.outOfBounds()...)
	if c.SharedMachine {
		caveats = append(caveats, "Brokers and agents shared one machine: suitable for testing functionality, settings and methods, "+
			"not for purchase decisions.")
	}
	switch bound, known := s.clockBound(); {
	case !known:
		caveats = append(caveats, "Nobody knows by how much the clocks of the agents' machines differ, so nothing is concluded "+
			"from end-to-end latencies. Run a time service such as chrony on them.")
	case bound > 0:
		caveats = append(caveats, fmt.Sprintf("The clocks agree to within ±%s: end-to-end latencies below that are not known, "+
			"and differences of less than twice that cannot be detected.", format.Nanoseconds(float64(bound))))
	}
	return caveats
}

// Program names the program that stood for a variant's technology, as exactly as
// it is known; "" where the technology itself runs.
func (v *Variant) Program() string {
	if e, _ := v.Effective(); e.Emulator != "" {
		return e.Emulator
	}
	return v.Emulator
}

// strangers tells of messages that no producer of the run had sent; "" where there are
// none. Something else uses the destination, and its load too.
func (v *Variant) strangers() string {
	n := v.sum(exceptions["foreign"])
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("%s received %s that its run had not sent: something else wrote to its destination.",
		v.Name(), format.Counted(int(n), "message"))
}

// unwatched tells of messages whose order was not checked; "" where there are none.
func (v *Variant) unwatched() string {
	n := v.sum(exceptions["unwatched"])
	if n == 0 {
		return ""
	}
	received := v.sum(func(r measure.Result) int64 { return r.Counts.Received })
	return fmt.Sprintf("The order of %s of %s messages that %s delivered was not checked, because there are too many keys: "+
		"there may be more reordered ones.", format.Count(n), format.Count(received), v.Name())
}

// leftOut says how many runs of a variant do not count; "" where all do.
func (v *Variant) leftOut() string {
	ended, excluded := 0, 0
	for _, run := range v.Runs {
		if run.Phase != experiment.PhaseEnded {
			continue
		}
		ended++
		if !run.Counts() {
			excluded++
		}
	}
	if excluded == 0 {
		return ""
	}
	if ended == 1 {
		return fmt.Sprintf("The only ended run of %s is not counted; see the run for the reason.", v.Name())
	}
	verb := "are"
	if excluded == 1 {
		verb = "is"
	}
	return fmt.Sprintf("%d of %d %s runs %s not counted; see the runs for the reasons.", excluded, ended, v.Name(), verb)
}

// clockBound is the largest error of the agents' clocks, in nanoseconds; false if it is
// not known of some run.
func (s *Set) clockBound() (bound int64, known bool) {
	for _, v := range s.Variants {
		for _, run := range v.Counted() {
			if run.Result.ClockBound == nil {
				return 0, false
			}
			bound = max(bound, *run.Result.ClockBound)
		}
	}
	return bound, true
}
