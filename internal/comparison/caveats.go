package comparison

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/format"
)

// emulatorMark is what the label of a variant on an emulator has in it.
const emulatorMark = "emulator"

// caveats are the sentences that must stand beside every verdict: first what was
// not measured at all, then what kept variants from doing what was asked, then
// what was promised, then how it was measured.
func (s *Set) caveats(c Comparison, titles map[string]string) []string {
	caveats := []string{}
	if s.Separate {
		caveats = append(caveats, fmt.Sprintf("These %d runs were picked from several experiments, which were not shuffled together.", len(s.Runs)))
	}
	for _, v := range s.Variants {
		if program := v.Emulator(); program != "" {
			caveats = append(caveats, fmt.Sprintf("%s ran on %s, which stands for %s on this machine: "+
				"its numbers tell how to use it, not how fast it is.", v.Label, program, cmp.Or(titles[v.Technology], v.Technology)))
		}
	}
	for _, v := range s.Variants {
		caveats = append(caveats, v.limits()...)
	}
	for _, difference := range c.Fairness.Differences {
		caveats = append(caveats, "Not like for like: "+difference)
	}
	for _, sentence := range c.Fairness.Nature {
		caveats = append(caveats, "By nature: "+sentence)
	}
	for _, v := range s.Variants {
		if sentence := v.leftOut(); sentence != "" {
			caveats = append(caveats, sentence)
		}
	}
	if c.OneMachine {
		caveats = append(caveats, "Brokers and agents shared one machine: good for function, settings and method, not for a purchase.")
	}
	if bound := s.clockBound(); bound > 0 {
		caveats = append(caveats, fmt.Sprintf("The clocks agree to ±%s: end-to-end differences below twice that can't be told.",
			format.Nanoseconds(float64(bound))))
	}
	return caveats
}

// Emulator names the program that stood for a variant's technology; "" where the
// technology itself ran.
func (v *Variant) Emulator() string {
	if e, ok := v.Effective(); ok && e.Emulator != "" {
		return e.Emulator
	}
	measured := func(r *Run) bool { return r.Result != nil }
	if strings.Contains(v.Label, emulatorMark) && slices.ContainsFunc(v.Runs, measured) {
		return "an emulator" // its driver does not tell which one
	}
	return ""
}

// Emulated reports whether an emulator stands for a variant's technology, which
// its label tells before anything was measured.
func (v *Variant) Emulated() bool {
	return v.Emulator() != "" || strings.Contains(v.Label, emulatorMark)
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
	verb := "are"
	if excluded == 1 {
		verb = "is"
	}
	return fmt.Sprintf("%d of %d %s runs %s not counted; the reasons stand with the runs.", excluded, ended, v.Label, verb)
}

// clockBound is the largest error of the agents' clocks, in nanoseconds.
func (s *Set) clockBound() int64 {
	var bound int64
	for _, v := range s.Variants {
		for _, run := range v.Counted() {
			bound = max(bound, run.Result.ClockBound)
		}
	}
	return bound
}
