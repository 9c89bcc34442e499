package stats

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"dec.local/dec/internal/experiment"
)

// Compare answers a question from the runs of its variants. Those that must not be
// ranked have no ratio to any other; the others are ranked among themselves, and only
// their pairs count for Holm's correction. There is no verdict before the last planned
// run has ended, nor with fewer runs than [experiment.Decisive].
func Compare(q Question, samples []Sample) Comparison {
	c := Comparison{Metric: q.Metric, Variants: []Summary{}, Pairs: []Pair{}, Sentences: []string{}}
	w := wording{question: q, names: map[string]string{}, keptUp: map[string]bool{}}
	for _, s := range samples {
		c.Variants = append(c.Variants, summarize(s))
		w.names[s.Label], w.keptUp[s.Label] = s.name(), s.KeptUp
		if s.Unranked == "" {
			w.ranked = append(w.ranked, s.Label)
		} else {
			w.unranked = append(w.unranked, s.Unranked)
		}
	}
	c.Pairs, w.known = pairs(samples, q.Metric)
	if q.Ended < q.Planned || q.Withheld != "" {
		c.Pairs = hidden(c.Pairs)
	}
	c.Reason = withheld(q, samples)
	for i := range c.Pairs {
		c.Pairs[i].decide(w, experiment.Decisive(len(samples)), c.Reason != "")
		c.Pairs[i].plan(samples, q.Matters)
	}
	c.conclude(w)
	return c
}

// name is what sentences call the variant.
func (s Sample) name() string { return cmp.Or(s.Name, s.Label) }

func summarize(s Sample) Summary {
	summary := Summary{Label: s.Label, Values: slices.Clone(s.Values), N: len(s.Values)}
	if len(s.Values) == 0 {
		summary.Values = []float64{}
		return summary
	}
	sorted := slices.Sorted(slices.Values(s.Values))
	summary.Median, summary.Min, summary.Max = new(Median(sorted)), new(sorted[0]), new(sorted[len(sorted)-1])
	return summary
}

// known is what only the verdict needs to know of a pair.
type known struct {
	explained bool    // the instrument alone may have made the difference
	reach     float64 // the largest factor between the two, whatever the instrument did to either
	surely    float64 // the end of its interval that is nearer to 1, at a level at which those of all pairs hold at once; 1 if it holds 1
}

// pairs compares every two samples and corrects for their number.
func pairs(samples []Sample, m experiment.Metric) ([]Pair, map[[2]string]known) {
	all, more := []Pair{}, map[[2]string]known{}
	shifts := map[int]shift{}
	slack := map[int]shift{}       // as they would be without the part of the instrument
	extremes := map[int][2]shift{} // as they would be if that was a part of one of them alone
	var computed []int
	var p []float64
	for i, a := range samples {
		for _, b := range samples[i+1:] {
			pair := Pair{A: a.Label, B: b.Label, NA: len(a.Values), NB: len(b.Values), P: 1, PHolm: 1,
				Reason: cmp.Or(sentences(a.Unranked, b.Unranked), incomparable(a, b))}
			if pair.Reason == "" {
				s := newShift(a.Values, b.Values)
				slack[len(all)] = reduced(a, b, s.ratio(), m)
				extremes[len(all)] = [2]shift{reduced(a, b, math.Inf(1), m), reduced(a, b, 0, m)}
				pair.Ratio, pair.P = new(s.ratio()), s.p()
				shifts[len(all)] = s
				computed, p = append(computed, len(all)), append(p, pair.P)
			}
			all = append(all, pair)
		}
	}
	corrected, divisors := holm(p)
	for n, i := range computed {
		pair, alpha := &all[i], Alpha/divisors[n]
		pair.PHolm, pair.Nominal = corrected[n], 1-alpha
		low, high, level, ok := shifts[i].interval(alpha)
		if !ok {
			continue
		}
		pair.Low, pair.High, pair.Level = &low, &high, level
		k := known{surely: 1, reach: max(high, 1/low)}
		for _, extreme := range extremes[i] {
			if low, high, _, ok := extreme.interval(alpha); ok {
				k.reach = max(k.reach, high, 1/low)
			}
		}
		if without, over, _, ok := slack[i].interval(alpha); ok {
			k.explained = low > 1 && without <= 1 || high < 1 && over >= 1
		}
		if low, high, _, ok := shifts[i].interval(Alpha / float64(len(computed))); ok && excludes1(low, high) {
			k.surely = low
			if high < 1 {
				k.surely = high
			}
		}
		more[[2]string{pair.A, pair.B}] = k
	}
	return all, more
}

// excludes1 reports whether an interval of a ratio shows a difference.
func excludes1(low, high float64) bool { return low > 1 || high < 1 }

// reduced is the shift of two samples when the instrument's part is taken from the
// values of the worse one, and the error of the better one's added to them. Their ratio
// is given.
func reduced(a, b Sample, ratio float64, m experiment.Metric) shift {
	if !m.Latency() {
		return newShift(a.Values, b.Values)
	}
	if ratio > 1 {
		return newShift(least(a), most(b))
	}
	return newShift(most(a), least(b))
}

// least returns the smallest that the values of a sample may be without the part of the
// instrument. A value of which that may be all is as good as zero.
func least(s Sample) []float64 {
	values := slices.Clone(s.Values)
	for i := range values {
		for _, part := range [][]float64{s.Slack, s.Error} {
			if part != nil {
				values[i] -= part[i]
			}
		}
		values[i] = max(values[i], math.SmallestNonzeroFloat64)
	}
	return values
}

// most returns the largest that the values of a sample may be by their error.
func most(s Sample) []float64 {
	values := slices.Clone(s.Values)
	for i, e := range s.Error {
		values[i] += e
	}
	return values
}

// hidden takes the numbers from pairs while runs are still to come. Whoever watches an
// interval may stop at the moment that it excludes 1, which it does by chance sooner
// or later.
func hidden(pairs []Pair) []Pair {
	for i, p := range pairs {
		pairs[i] = Pair{A: p.A, B: p.B, NA: p.NA, NB: p.NB, P: 1, PHolm: 1, Reason: p.Reason}
	}
	return pairs
}

// incomparable says why two samples have no ratio, or "".
func incomparable(samples ...Sample) string {
	for _, s := range samples {
		if len(s.Values) == 0 {
			return cmp.Or(s.Missing, fmt.Sprintf("%s has no valid run.", s.name()))
		}
		for _, x := range s.Values {
			if !(x > 0) || math.IsInf(x, 1) {
				return fmt.Sprintf("%s has a run with the value %g, for which there is no ratio.", s.name(), x)
			}
		}
	}
	return ""
}

// withheld says why a question gets no verdict at all, or "".
func withheld(q Question, samples []Sample) string {
	need := experiment.Decisive(len(samples))
	switch {
	case len(samples) < 2:
		return "There is only one variant, so there is nothing to compare."
	case q.Ended < q.Planned:
		verb := "have"
		if q.Ended == 1 {
			verb = "has"
		}
		return fmt.Sprintf("%d of %d runs %s ended.", q.Ended, q.Planned, verb)
	case q.Withheld != "":
		return q.Withheld
	case q.Separate:
		return "These runs were not randomised together."
	case q.Planned < need*len(samples):
		return fmt.Sprintf("%d runs were planned; %d variants need %d runs each.", q.Planned, len(samples), need)
	}
	return ""
}

// decide sets the verdict of a pair whose variants need that many runs each.
func (p *Pair) decide(w wording, need int, withheld bool) {
	p.Verdict = CantTell
	switch {
	case withheld:
		p.Verdict = NoVerdict
	case p.Reason != "": // said already
		p.Verdict = NoVerdict
	case min(p.NA, p.NB) < need:
		p.Verdict = NoVerdict
		label, n := p.A, p.NA
		if p.NB < p.NA {
			label, n = p.B, p.NB
		}
		runs := "runs"
		if n == 1 {
			runs = "run"
		}
		p.Reason = fmt.Sprintf("%s has only %d valid %s; %d are needed.", w.names[label], n, runs, need)
	case w.keptUp[p.A] && w.keptUp[p.B]:
		p.Reason = "Both kept up with all that was offered. Raise the rate to find out which takes more."
	case p.Low == nil:
		p.Reason = fmt.Sprintf("%d against %d runs are too few to decide at this level.", p.NA, p.NB)
	case w.question.Matters > 0 && w.known[[2]string{p.A, p.B}].reach <= 1+w.question.Matters:
		p.Verdict = Alike
	case w.question.Matters > 0 && max(*p.High, 1 / *p.Low) <= 1+w.question.Matters:
		p.Reason = "The load generator's own lateness or the clocks could hide a difference that matters."
	case w.known[[2]string{p.A, p.B}].explained:
		p.Reason = "The load generator or the clocks could explain the difference."
	case *p.Low > 1:
		p.Verdict, p.Better = Different, p.B
	case *p.High < 1:
		p.Verdict, p.Better = Different, p.A
	}
	if p.Better != "" && w.question.Metric.MoreIsBetter() {
		p.Better = map[string]string{p.A: p.B, p.B: p.A}[p.Better]
	}
}
