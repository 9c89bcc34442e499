package certify

import (
	"fmt"
	"strings"
	"time"

	"dec.local/dec/internal/format"
)

// conclude tells what the trials come to: a sentence for people, and the bounds that were
// missed.
func conclude(trials []Outcome) (line string, misses []string) {
	worst := func(quantile string, fits func(Outcome) bool) (most time.Duration, any bool) {
		for _, o := range trials {
			for _, f := range append(append([]Figure{}, o.E2E...), o.Publish...) {
				if off, ok := f.Error(); ok && o.Precise && f.Quantile == quantile && fits(o) {
					most, any = max(most, off.Abs()), true
				}
			}
		}
		return most, any
	}
	var errors []string
	for _, rate := range []float64{slowRate, fastRate} {
		at := func(o Outcome) bool { return o.Rate == rate }
		p50, ok := worst("p50", at)
		p99, _ := worst("p99", at)
		if ok {
			errors = append(errors, fmt.Sprintf("p50 error ±%s, p99 ±%s at %s", nanoseconds(p50), nanoseconds(p99), format.Rate(rate)))
		}
	}
	parts := []string{strings.Join(errors, "; ")}
	for _, o := range trials {
		if text := o.stall(); text != "" {
			parts = append(parts, text)
			break
		}
	}
	for _, text := range []string{found(trials), sleeping(trials, slowRate), sleeping(trials, fastRate)} {
		if text != "" {
			parts = append(parts, text)
		}
	}
	return strings.Join(parts, "; "), summarise(trials)
}

// summarise tells of the worst miss of each kind, and in how many trials there were some.
func summarise(trials []Outcome) (misses []string) {
	type kind struct {
		worst Miss
		of    Outcome
		in    int // trials
	}
	var order []string
	kinds := map[string]*kind{}
	for _, o := range trials {
		seen := map[string]bool{}
		for _, m := range o.Misses {
			k, known := kinds[m.Kind]
			if !known {
				order = append(order, m.Kind)
				k = &kind{worst: m, of: o}
				kinds[m.Kind] = k
			}
			if m.badly > k.worst.badly {
				k.worst, k.of = m, o
			}
			if !seen[m.Kind] {
				seen[m.Kind] = true
				k.in++
			}
		}
	}
	for _, name := range order {
		k := kinds[name]
		text := fmt.Sprintf("%s at %s: %s", k.of.Name, format.Rate(k.of.Rate), strings.TrimSuffix(k.worst.Text, "."))
		if k.in > 1 {
			text += fmt.Sprintf(" (the worst of %d of %d trials)", k.in, len(trials))
		}
		misses = append(misses, text)
	}
	return misses
}

// sleeping tells how much later a pacer sends that sleeps than one that spins, at a rate;
// "" if that is not known.
func sleeping(trials []Outcome, rate float64) string {
	var slept, spun *Lateness
	for i, o := range trials {
		switch {
		case o.Rate != rate || o.Lateness.P50NS == nil || o.Lateness.P99NS == nil:
		case o.Spins && spun == nil:
			spun = &trials[i].Lateness
		case o.Precise && slept == nil:
			slept = &trials[i].Lateness
		}
	}
	if slept == nil || spun == nil || slept.Timer == spun.Timer { // one that cannot spin here
		return ""
	}
	return fmt.Sprintf("pacer %s late at p50 and %s at p99 sleeping, %s and %s spinning, at %s",
		ns(*slept.P50NS), ns(*slept.P99NS), ns(*spun.P50NS), ns(*spun.P99NS), format.Rate(rate))
}

// stall tells how a stall was seen; "" if there was none.
func (o *Outcome) stall() string {
	for _, f := range o.E2E {
		if f.Quantile == "p99" && f.Expected != nil && f.Reported != nil {
			return fmt.Sprintf("%s seen as p99 = %s, expected %s", o.Name, ns(*f.Reported), ns(*f.Expected))
		}
	}
	return ""
}

// found tells how many of what the broker did wrong was found; "" if it did nothing.
func found(trials []Outcome) string {
	nouns := []struct{ what, noun string }{
		{"lost", "losses"}, {"duplicates", "duplicates"}, {"reordered", "reorderings"}, {"corrupt", "corruptions"},
	}
	var parts []string
	for _, n := range nouns {
		var done, got int64
		for _, o := range trials {
			for _, f := range o.Findings {
				if f.What == n.what && !o.Precise {
					done, got = done+f.Done, got+f.Found
				}
			}
		}
		if done > 0 || got > 0 {
			parts = append(parts, fmt.Sprintf("%s of %s %s", format.Count(got), format.Count(done), n.noun))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return strings.Join(parts, ", ") + " found"
}

// Summary is the outcome in a few words.
func (o *Outcome) Summary() string {
	var parts []string
	for _, f := range o.E2E {
		off, ok := f.Error()
		if !ok || f.Quantile != "p50" && f.Quantile != "p99" {
			continue
		}
		switch {
		case f.Expected != nil:
			parts = append(parts, fmt.Sprintf("p99 %s, expected %s", ns(*f.Reported), ns(*f.Expected)))
		case o.Precise:
			parts = append(parts, fmt.Sprintf("%s error %s", f.Quantile, signed(off)))
		}
	}
	for _, f := range o.Findings {
		parts = append(parts, fmt.Sprintf("%s %s of %s", f.What, format.Count(f.Found), format.Count(f.Done)))
	}
	if o.Spins && o.Lateness.P50NS != nil && o.Lateness.P99NS != nil {
		parts = append(parts, fmt.Sprintf("late by %s at p50, %s at p99", ns(*o.Lateness.P50NS), ns(*o.Lateness.P99NS)))
	}
	if len(o.Misses) > 0 {
		parts = append(parts, "NOT as it should be")
	}
	return strings.Join(parts, ", ")
}
