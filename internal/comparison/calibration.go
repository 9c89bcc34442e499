package comparison

import (
	"context"
	"fmt"
	"maps"
	"math"
	"time"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/format"
	"dec.local/dec/internal/measure"
	"dec.local/dec/internal/stats"
)

// Calibration is by how much a variant differed from itself, in an experiment as
// [experiment.Plan.Calibration] plans it.
type Calibration struct {
	Experiment string
	At         time.Time // when it was submitted
	Variant    string
	Ratio      float64 // of the primary metric
	Low, High  float64 // its interval
}

// asCalibration returns what a set shows of its first variant; false if it decides
// nothing, or if it was made on another kind of machine than the runs of the other set.
func (s *Set) asCalibration(of *Set) (Calibration, bool) {
	if len(s.Variants) != 2 || !maps.Equal(s.machines(), of.machines()) || !maps.Equal(s.methods(), of.methods()) {
		return Calibration{}, false
	}
	found := stats.Compare(s.question(), s.samples())
	if found.Reason != "" || len(found.Pairs) != 1 || found.Pairs[0].Low == nil || found.Pairs[0].Ratio == nil {
		return Calibration{}, false
	}
	p := found.Pairs[0]
	return Calibration{s.Experiment.ID, s.Experiment.CreatedAt, s.Variants[0].Name(), *p.Ratio, *p.Low, *p.High}, true
}

// calibrations is how many calibrations are looked at for one on the same machines.
const calibrations = 10

// calibrationOf returns what the newest calibration of an experiment's plan shows on
// machines like its own; nil if there is none.
func calibrationOf(ctx context.Context, from Archive, of *Set, o Options) (*Calibration, error) {
	digest := of.Experiment.Plan.Calibration().Digest()
	if digest == of.Experiment.Plan.Digest() { // it is one itself
		return nil, nil
	}
	list, _, err := from.ListExperiments(ctx, experiment.ExperimentQuery{Digest: digest, State: experiment.Ended, Limit: calibrations})
	if err != nil {
		return nil, err
	}
	for _, e := range list {
		set, err := ReadSet(ctx, from, e.Experiment)
		if err != nil { // it must not keep an experiment from its verdict
			o.Logger.Warn("cannot read a calibration; leaving it out", "calibration", e.ID, "error", err)
			continue
		}
		if found, ok := set.asCalibration(of); ok {
			return &found, nil
		}
	}
	return nil, nil
}

// most is the largest factor by which the variant may have differed from itself.
func (c *Calibration) most() float64 { return max(c.High, 1/c.Low) }

// caveats tell of the differences that are smaller than that.
func (c *Calibration) caveats(found stats.Comparison, m experiment.Metric, name func(string) string) (sentences []string) {
	if c == nil {
		return nil
	}
	for _, p := range found.Pairs {
		if p.Verdict != stats.Different || p.Ratio == nil || factor(*p.Ratio) >= c.most() {
			continue
		}
		sentences = append(sentences, fmt.Sprintf("The difference between %s and %s is smaller than what a calibration cannot exclude "+
			"between %s and itself: there the ratio of %s was %s (95 %% CI %s–%s, experiment %s of %s).", name(p.A), name(p.B), c.Variant, m.Title(),
			format.Significant(c.Ratio), format.Significant(c.Low), format.Significant(c.High), c.Experiment, c.At.UTC().Format(time.DateOnly)))
	}
	return sentences
}

// factor is how many times one is the other, at least 1.
func factor(ratio float64) float64 { return math.Max(ratio, 1/ratio) }

// machines are the kinds of machines that agents ran on.
func (s *Set) machines() map[measure.Machine]bool {
	found := map[measure.Machine]bool{}
	for _, v := range s.Variants {
		for _, run := range v.Counted() {
			for _, a := range run.Result.Agents {
				found[measure.NewMachine(a).Kind()] = true
			}
		}
	}
	return found
}

// methods are the versions of the method that the runs were measured by.
func (s *Set) methods() map[int]bool {
	found := map[int]bool{}
	for _, v := range s.Variants {
		for _, run := range v.Counted() {
			found[max(1, run.Result.Method)] = true
		}
	}
	return found
}
