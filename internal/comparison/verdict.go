package comparison

import (
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/stats"
)

// Verdict is the answer that is kept with an experiment that has ended: that of
// the whole first, then that of each pair.
func (c Comparison) Verdict() experiment.Verdict {
	return experiment.Verdict{
		Decided:   c.Stats.Verdict == stats.Different,
		Sentences: append([]string{c.Stats.Sentence}, c.Stats.Sentences...),
		Caveats:   c.Caveats,
		Fairness:  c.Fairness.Label,
	}
}

// WithVerdict returns c in the words that were kept when the experiment ended,
// perhaps by an earlier version: an answer that was given does not change.
func (c Comparison) WithVerdict(kept *experiment.Verdict) Comparison {
	if kept == nil || len(kept.Sentences) == 0 {
		return c
	}
	c.Stats.Sentence, c.Stats.Sentences = kept.Sentences[0], append([]string{}, kept.Sentences[1:]...)
	c.Caveats, c.Fairness.Label = append([]string{}, kept.Caveats...), kept.Fairness
	return c
}
