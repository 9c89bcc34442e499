package experiment

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// setup is the time that a run needs at least around its stages: to provision,
// prepare, collect and destroy.
const setup = 2 * time.Minute

// minDecisive is the smallest number of runs per variant that gives a verdict.
const minDecisive = 5

// Digest identifies the question that p asks: plans that differ in nothing but
// their name have equal digests. What admission adds, the programs that stand for
// technologies, is no part of the question. It is hexadecimal.
func (p Plan) Digest() string {
	p.Name = ""
	p.Variants = slices.Clone(p.Variants)
	for i := range p.Variants {
		p.Variants[i].Emulator = ""
	}
	data, err := json.Marshal(p)
	if err != nil {
		// Only an option that is not JSON can do this, and no decoder lets one in.
		panic("experiment: digest of a plan that was not decoded: " + err.Error())
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// Total is how long the load phase takes at most.
func (s Stages) Total() time.Duration { return s.Warmup.Std() + s.Measure.Std() + s.Drain.Std() }

// Decisive returns how many runs of each variant a verdict needs. With fewer,
// even runs that do not overlap at all leave the exact Mann–Whitney test above
// 5 % once Holm has divided that by the number of pairs. It is never below five:
// two variants could be told apart with four, but then only if no run of one
// comes near the other.
func Decisive(variants int) int {
	pairs := variants * (variants - 1) / 2
	runs, arrangements := 1, 2 // the ways in which the runs of a pair can be ranked, C(2·runs, runs)
	for runs < minDecisive || 2*20*pairs > arrangements {
		runs++
		arrangements = arrangements * 2 * (2*runs - 1) / runs
	}
	return runs
}

// Warnings tells what is allowed but probably not meant, for people.
func (p Plan) Warnings() []string {
	var warnings []string
	if need := Decisive(len(p.Variants)); p.Repeat < need && len(p.Variants) > 1 {
		too := "1 run per variant is"
		if p.Repeat > 1 {
			too = fmt.Sprintf("%d runs per variant are", p.Repeat)
		}
		warnings = append(warnings, fmt.Sprintf(
			"%s too few for a verdict: %d variants need at least %d runs each (repeat: %d).", too, len(p.Variants), need, need))
	}
	if len(p.Variants) == 1 {
		warnings = append(warnings, "There is only one variant: it is measured but not compared.")
	}
	stages := p.Workload.Stages
	if p.Limits.TTL.Std() < stages.Total()+setup {
		warnings = append(warnings, fmt.Sprintf(
			"limits.ttl leaves %s for provisioning and collecting in addition to the stages: "+
				"a run that needs longer is destroyed before it has finished.", Duration(p.Limits.TTL.Std()-stages.Total())))
	}
	if wall := p.Limits.MaxWall.Std(); wall > 0 && wall < time.Duration(p.Repeat*len(p.Variants))*stages.Total() {
		warnings = append(warnings, fmt.Sprintf(
			"limits.max_wall is shorter than the load phases of all %d runs, so not all of them will start.", p.Repeat*len(p.Variants)))
	}
	if stages.Warmup.Std() < 10*time.Second {
		warnings = append(warnings, "With a warmup stage under 10 s, the results describe how a broker starts, not its steady state.")
	}
	return warnings
}

// Complete fills in what derives from other fields.
func (p *Plan) Complete() {
	w := &p.Workload
	if w.Stages.Measure == 0 {
		w.Stages.Measure = w.Load.length()
	}
	w.spreadKeys()
	if p.Name == "" {
		p.Name = p.defaultName()
	}
}

// defaultName is what a plan without a name is called.
func (p Plan) defaultName() string {
	names := make([]string, len(p.Variants))
	for i, v := range p.Variants {
		names[i] = v.Name()
	}
	return shortenTo(strings.Join(names, " vs "), MaxName)
}

// WithEmulators returns the plan with the program that stands for the technology
// of each variant, "" where the technology itself runs. A name that was made of
// the labels tells of it, too.
func (p Plan) WithEmulators(program func(Variant) string) Plan {
	named := p.Name != p.defaultName()
	p.Variants = slices.Clone(p.Variants)
	for i, v := range p.Variants {
		p.Variants[i].Emulator = program(v)
	}
	if !named {
		p.Name = p.defaultName()
	}
	return p
}

// shortenTo cuts text to a number of characters.
func shortenTo(text string, limit int) string {
	if runes := []rune(text); len(runes) > limit {
		return string(runes[:limit-1]) + "…"
	}
	return text
}

// length is how long the schedule is; zero for a constant rate.
func (l Load) length() Duration {
	var sum Duration
	for _, s := range l.Schedule {
		sum += s.For
	}
	return sum
}
