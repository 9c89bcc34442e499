package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"dec.local/dec/internal/experiment"
)

// emulatorMark is what the label of a variant on an emulator has in it.
const emulatorMark = "emulator"

// local is the target where brokers and load share a machine.
const local = "local"

// caveats are the sentences that must stand beside every verdict: first what was
// not measured at all, then what kept variants from doing what was asked, then
// what was promised, then how it was measured.
func (r *Report) caveats() []string {
	caveats := []string{}
	for _, v := range r.variants {
		if program := v.emulator(); program != "" {
			caveats = append(caveats, fmt.Sprintf("%s ran on %s, which stands for %s on this machine: its numbers tell how to use it, not how fast it is.",
				v.Label, program, cmp.Or(r.titles[v.Technology], v.Technology)))
		}
	}
	for _, v := range r.variants {
		caveats = append(caveats, v.limits()...)
	}
	for _, difference := range r.Fairness.Differences {
		caveats = append(caveats, "Not like for like: "+difference)
	}
	for _, sentence := range r.Fairness.Nature {
		caveats = append(caveats, "By nature: "+sentence)
	}
	for _, v := range r.variants {
		if sentence := v.leftOut(); sentence != "" {
			caveats = append(caveats, sentence)
		}
	}
	if r.Experiment.Plan.Target == local {
		caveats = append(caveats, "Brokers and agents shared one machine: good for function, settings and method, not for a purchase.")
	}
	if bound := r.clockBound(); bound > 0 {
		caveats = append(caveats, fmt.Sprintf("The clocks agree to ±%s: end-to-end differences below twice that can't be told.", Nanoseconds(float64(bound))))
	}
	return caveats
}

// emulator names the program that stood for a variant's technology; "" where the
// technology itself ran.
func (v variant) emulator() string {
	if g, ok := v.effective(); ok && g.Emulator != "" {
		return g.Emulator
	}
	measured := func(r run) bool { return r.result != nil }
	if strings.Contains(v.Label, emulatorMark) && slices.ContainsFunc(v.runs, measured) {
		return "an emulator" // its driver does not tell which one
	}
	return ""
}

// emulated reports whether an emulator stands for a variant's technology, which
// its label tells before anything was measured.
func (v variant) emulated() bool {
	return v.emulator() != "" || strings.Contains(v.Label, emulatorMark)
}

// leftOut says how many runs of a variant do not count; "" where all do.
func (v variant) leftOut() string {
	ended, excluded := 0, 0
	for _, run := range v.runs {
		if run.Phase != experiment.PhaseEnded {
			continue
		}
		ended++
		if !run.counts() {
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
func (r *Report) clockBound() int64 {
	var bound int64
	for _, v := range r.variants {
		for _, run := range v.counted() {
			bound = max(bound, run.result.ClockBound)
		}
	}
	return bound
}
