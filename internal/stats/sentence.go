package stats

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"dec.local/dec/internal/experiment"
)

// factorFrom is the ratio from which a difference is told as a factor instead
// of in percent.
const factorFrom = 2

// wording is what sentences need beside the numbers.
type wording struct {
	question Question
	names    map[string]string // of the variants, by label
	keptUp   map[string]bool   // variants that took all that was offered, by label
	known    map[[2]string]known
	ranked   []string // labels of the variants that may be ranked
	unranked []string // why the others may not
}

// conclude sets the verdict of the whole comparison and its sentences, once the
// pairs have theirs. What must not be ranked, such as a variant that lost
// messages, is said by the verdict itself once the last run has ended, also
// where other reasons speak against a verdict.
func (c *Comparison) conclude(w wording) {
	q := w.question
	if c.Reason != "" {
		c.Verdict = NoVerdict
		switch {
		case q.Ended < q.Planned:
			c.Sentence = "No verdict yet: " + lowerFirst(c.Reason)
			return
		case q.Withheld != "":
			c.Sentence = "No verdict: " + lowerFirst(c.Reason)
		case q.Separate:
			c.Sentence = "Numbers and intervals only: these runs were not randomised together."
		default:
			c.Sentence = "No verdict: " + lowerFirst(c.Reason)
		}
		c.Sentence = sentences(append([]string{c.Sentence}, w.unranked...)...)
		return
	}
	if len(c.Pairs) == 1 {
		pair := c.Pairs[0]
		c.Verdict, c.Best, c.Reason = pair.Verdict, pair.Better, pair.Reason
		c.Sentence = pair.sentence(w, 1)
		return
	}
	pairs := slices.DeleteFunc(slices.Clone(c.Pairs), func(p Pair) bool { return !w.isRanked(p.A) || !w.isRanked(p.B) })
	if len(pairs) == 1 {
		c.Verdict, c.Best, c.Reason = pairs[0].Verdict, pairs[0].Better, pairs[0].Reason
		c.Sentence = sentences(append([]string{pairs[0].sentence(w, 1)}, w.unranked...)...)
		return
	}
	for _, pair := range pairs {
		c.Sentences = append(c.Sentences, pair.sentence(w, len(pairs)))
	}
	if len(w.ranked) < 2 {
		c.Verdict, c.Reason = NoVerdict, "Fewer than two variants can be ranked."
		c.Sentence = sentences(append([]string{"No verdict: fewer than two variants can be ranked."}, w.unranked...)...)
		return
	}
	c.rank(w, pairs)
	if len(w.unranked) > 0 && c.Verdict != NoVerdict {
		c.Sentence = sentences(append([]string{c.Sentence}, w.unranked...)...)
	}
}

// isRanked reports whether a variant may be ranked.
func (w wording) isRanked(label string) bool { return slices.Contains(w.ranked, label) }

// among words the number of the variants that were ranked.
func (w wording) among() string {
	if len(w.unranked) > 0 {
		return fmt.Sprintf("%d variants that can be ranked", len(w.ranked))
	}
	return fmt.Sprintf("%d variants", len(w.ranked))
}

// rank looks for a variant that beats every other one that can be ranked, and tells
// the verdict over more than two variants.
func (c *Comparison) rank(w wording, pairs []Pair) {
	beaten, beats := map[string]bool{}, map[string]int{}
	decided, alike := true, true
	for _, pair := range pairs {
		decided, alike = decided && pair.Verdict != NoVerdict, alike && pair.Verdict == Alike
		if pair.Better != "" {
			beats[pair.Better]++
			beaten[pair.other(pair.Better)] = true
		}
	}
	said := wordsFor(c.Metric)
	var unbeaten []string
	for _, label := range w.ranked {
		if beats[label] == len(w.ranked)-1 {
			c.Best = label
		}
		if !beaten[label] {
			unbeaten = append(unbeaten, w.names[label])
		}
	}
	switch {
	case c.Best != "":
		c.Verdict = Different
		c.Sentence = fmt.Sprintf("Of %s, %s %s at %s%s.",
			w.among(), w.names[c.Best], said.best, c.Metric.Title(), c.leastLead(w, said.direction, len(pairs)))
	case alike:
		c.Verdict = Alike
		c.Sentence = fmt.Sprintf("No difference that matters (%s) between the %s at %s.", w.matters(), w.among(), c.Metric.Title())
	case !decided:
		c.Verdict, c.Reason = NoVerdict, "Not every pair of variants has a verdict."
		c.Sentence = sentences(append([]string{"No verdict for all variants together: not every pair has one."}, w.unranked...)...)
	case len(unbeaten) == len(w.ranked):
		c.Verdict = CantTell
		c.Sentence = fmt.Sprintf("Can't tell which of the %s %s at %s.", w.among(), said.best, c.Metric.Title())
	default:
		c.Verdict = CantTell
		c.Sentence = fmt.Sprintf("Can't tell which of the %s %s at %s. Not beaten by any other: %s.",
			w.among(), said.best, c.Metric.Title(), list(unbeaten))
	}
}

// leastLead words the smallest difference that the best variant is sure to have to any
// other one, with the intervals of all pairs at a level at which all hold at once
// (Bonferroni): Holm's do not. "" where one of those is not wide of 1.
func (c *Comparison) leastLead(w wording, direction string, comparisons int) string {
	least := math.Inf(1)
	for _, pair := range c.Pairs {
		if pair.Better == c.Best {
			surely := w.known[[2]string{pair.A, pair.B}].surely
			least = min(least, max(surely, 1/surely))
		}
	}
	if least <= 1 {
		return ""
	}
	text, _ := size(least, least, least, c.Metric)
	return fmt.Sprintf(": %s than every other one by at least %s (95 %% simultaneous CI of %d comparisons)", direction, text, comparisons)
}

// lead returns how far the better one of a pair is ahead, at least 1, with its
// interval: for latency the other's value divided by its own.
func (p Pair) lead(m experiment.Metric) (point, low, high float64) {
	point, low, high = *p.Ratio, *p.Low, *p.High
	if (p.Better == p.A) != m.MoreIsBetter() {
		point, low, high = 1/point, 1/high, 1/low
	}
	return point, low, high
}

// other returns the label of the pair that is not this one.
func (p Pair) other(label string) string {
	if label == p.A {
		return p.B
	}
	return p.A
}

// sentence tells the verdict of a pair.
func (p Pair) sentence(w wording, comparisons int) string {
	said, metric := wordsFor(w.question.Metric), w.question.Metric
	against := fmt.Sprintf("%d against %d runs", p.NA, p.NB)
	ci := "95 % CI"
	if comparisons > 1 {
		ci = "95 % CI of this pair"
		against = fmt.Sprintf("corrected for %d comparisons; %s", comparisons, against)
	}
	switch p.Verdict {
	case NoVerdict:
		return fmt.Sprintf("No verdict on %s and %s: %s", w.names[p.A], w.names[p.B], lowerFirst(p.Reason))
	case Different:
		if p.Better == p.B {
			against = strings.Replace(against, fmt.Sprintf("%d against %d", p.NA, p.NB), fmt.Sprintf("%d against %d", p.NB, p.NA), 1)
		}
		text, interval := size(p.leadWithMetric(metric))
		head := fmt.Sprintf("%s %s than %s at %s", w.names[p.Better], said.better, w.names[p.other(p.Better)], metric.Title())
		if strings.HasPrefix(text, "a factor") {
			return fmt.Sprintf("%s by %s (%s %s; %s).", head, text, ci, interval, against)
		}
		return fmt.Sprintf("%s: %s %s (%s %s; %s).", head, text, said.direction, ci, interval, against)
	}
	if p.Verdict == CantTell && p.Reason != "" {
		return fmt.Sprintf("Can't tell which of %s and %s %s at %s: %s",
			w.names[p.A], w.names[p.B], said.better, metric.Title(), lowerFirst(p.Reason))
	}
	reach := fmt.Sprintf("anything from %s to %s (%s; %s)", p.side(w, *p.Low), p.side(w, *p.High), ci, against)
	if p.Verdict == Alike {
		return fmt.Sprintf("No difference that matters (%s) between %s and %s at %s: it could be %s.",
			w.matters(), w.names[p.A], w.names[p.B], metric.Title(), reach)
	}
	return fmt.Sprintf("Can't tell which %s at %s: the difference could be %s. %s", said.better, metric.Title(), reach, p.more())
}

// matters words the smallest difference that matters.
func (w wording) matters() string { return percent(w.question.Matters, 1) }

// more words how many runs would tell.
func (p Pair) more() string {
	if p.RunsNeeded == 0 {
		return "More runs would narrow this range."
	}
	return fmt.Sprintf("At this spread it would take %s runs of each variant to show a difference of %s.",
		About(p.RunsNeeded), percent(p.Difference, 1))
}

// About words a number that [Needed] returned.
func About(runs int) string {
	if runs > manyRuns {
		return fmt.Sprintf("more than %d", manyRuns)
	}
	return fmt.Sprintf("about %d", runs)
}

// leadWithMetric returns the arguments of size.
func (p Pair) leadWithMetric(m experiment.Metric) (point, low, high float64, metric experiment.Metric) {
	point, low, high = p.lead(m)
	return point, low, high, m
}

// side words one end of an interval that holds 1: whose values are lower there,
// and by how much.
func (p Pair) side(w wording, ratio float64) string {
	lower, higher := w.names[p.A], ratio
	if ratio > 1 {
		lower, higher = w.names[p.B], 1/ratio
	}
	if ratio == 1 {
		return "no difference"
	}
	if higher <= 1.0/factorFrom {
		return fmt.Sprintf("%s lower by a factor of %s", lower, decimal(1/higher, 1))
	}
	return fmt.Sprintf("%s %s lower", lower, percent(1-higher, 1))
}
