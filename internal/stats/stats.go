// Package stats compares the runs of an experiment's variants: the effect, its
// exact interval, and a verdict in a sentence. It works on one number per run,
// never on samples within a run, and prefers "can't tell" to a guess.
//
// The effect of a pair is the Hodges–Lehmann estimate on the log scale, a
// ratio. Its interval inverts the exact Mann–Whitney test, so interval and test
// agree by construction: the interval excludes 1 exactly when the test rejects.
// Ties count against a difference in both, which keeps them exact bounds (the
// level is at least the stated one) where the tied distribution would be only
// conditional.
package stats

import "dec.local/dec/internal/experiment"

// Alpha is the chance of claiming any difference at all in a comparison whose
// variants are alike.
const Alpha = 0.05

// Question says what is compared, and what the answer may rest on.
type Question struct {
	Metric   experiment.Metric
	Ended    int    // planned runs that have ended, whatever their outcome, over all variants
	Planned  int    // planned runs over all variants
	Separate bool   // the runs were not planned together: numbers and intervals, but no verdict
	Withheld string // why there is no verdict whatever the numbers, as a sentence; "" if there may be one
	// Matters is the smallest difference that matters to who asks, as a share: 0.05 is
	// 5 %. Zero if that was not said: then none is ever called too small.
	Matters float64
}

// Sample is what the runs of one variant measured.
type Sample struct {
	Label    string
	Name     string    // in sentences; the label if empty
	Values   []float64 // one per valid run, in the order of the runs
	Missing  string    // why fewer values than runs, for people; "" if none is missing
	Unranked string    // why its values must not be ranked, such as lost messages; "" if they may be
	// Slack is by how much each value may be too large because of the instrument; nil if
	// it has no part in them. Error is by how much each may be wrong to either side beside
	// that.
	Slack, Error []float64
	KeptUp       bool // of a throughput: it took all that was offered, so it could be more
}

// Kind is the answer for a pair or a comparison.
type Kind string

// The kinds of answers.
const (
	Different Kind = "different" // the interval excludes 1
	Alike     Kind = "alike"     // whatever difference there is, it is too small to matter
	CantTell  Kind = "cant_tell" // the runs decide neither
	NoVerdict Kind = "none"      // there must be no answer, or not yet
)

// Comparison is the answer to a [Question].
type Comparison struct {
	Metric    experiment.Metric `json:"metric"`
	Variants  []Summary         `json:"variants"`
	Pairs     []Pair            `json:"pairs"`
	Verdict   Kind              `json:"verdict"`
	Best      string            `json:"best,omitempty"`   // label of the variant that is better than every other one
	Reason    string            `json:"reason,omitempty"` // why there is no verdict
	Sentence  string            `json:"sentence"`         // the verdict for people
	Sentences []string          `json:"sentences"`        // one per pair, where there are more than two variants
}

// Summary describes the runs of one variant. Its numbers are nil without runs.
type Summary struct {
	Label  string    `json:"label"`
	Values []float64 `json:"values"` // per run, in the order of the runs
	N      int       `json:"n"`
	Median *float64  `json:"median"`
	Min    *float64  `json:"min"`
	Max    *float64  `json:"max"`
}

// Pair is the comparison of two variants.
type Pair struct {
	A       string   `json:"a"`
	B       string   `json:"b"`
	NA      int      `json:"n_a"`
	NB      int      `json:"n_b"`
	Ratio   *float64 `json:"ratio"`   // of A's values to B's; nil where it can't be computed
	Low     *float64 `json:"low"`     // interval of the ratio; nil where so few runs give none at this level
	High    *float64 `json:"high"`    // see Low
	Nominal float64  `json:"nominal"` // level asked of the interval, after Holm's correction
	Level   float64  `json:"level"`   // level that the exact interval reaches, at least Nominal; 0 without an interval
	P       float64  `json:"p"`       // exact, two-sided, ties counted against a difference
	PHolm   float64  `json:"p_holm"`  // P after Holm's correction for the number of pairs
	Verdict Kind     `json:"verdict"`
	Better  string   `json:"better,omitempty"` // label of the better one when they are different
	Reason  string   `json:"reason,omitempty"` // why there is no number or no verdict
	// RunsNeeded is about how many runs of each variant it would take, at this spread, to
	// show a difference of the share Difference; both are 0 where that can't be told.
	RunsNeeded int     `json:"runs_needed,omitempty"`
	Difference float64 `json:"difference,omitempty"`
}
