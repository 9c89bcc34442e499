// Package report shows what an experiment found: as a table for a terminal, as
// one HTML file without scripts or outside resources, as CSV and as JSON. Every
// form tells the verdict first and never a number without its caveats: runs that
// do not count, guarantees that differ, a machine that brokers and load shared.
package report

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
	"dec.local/dec/internal/stats"
)

// Report is an experiment with its runs and what follows from them. Make one
// with [New].
type Report struct {
	Experiment experiment.Experiment `json:"experiment"`
	Comparison stats.Comparison      `json:"comparison"`
	Fairness   Fairness              `json:"fairness"`
	Caveats    []string              `json:"caveats"` // sentences that belong beside the verdict
	Runs       []experiment.Run      `json:"runs"`    // in the order in which they ran
	Version    string                `json:"version"` // of the program
	MadeAt     time.Time             `json:"made_at"`

	variants []variant
	titles   map[string]string // of technologies
}

// Options are what a report can't learn from the experiment itself.
type Options struct {
	Version string            // of the program
	MadeAt  time.Time         // when the report is made
	Titles  map[string]string // of technologies, for people, by name; the names themselves where they are missing
	Floor   float64           // difference between alike variants on this machine, as a share, from an A/A comparison; 0 if unknown
}

// variant is a variant with its runs.
type variant struct {
	experiment.Variant
	slot int // of its colour, dash and marker, from 1 by its place in the plan
	runs []run
}

// run is a run with its result decoded.
type run struct {
	experiment.Run
	number int             // from 1 within the variant
	result *measure.Result // nil when none was collected
}

// counts reports whether the run takes part in the statistics.
func (r run) counts() bool {
	return r.Outcome == experiment.Succeeded && r.Validity.OK && r.result != nil
}

// name is how people call the run: "kafka #3".
func (r run) name() string { return fmt.Sprintf("%s #%d", r.Variant, r.number) }

// labels are those of variants, in their order.
func labels(variants []variant) []string {
	all := make([]string, len(variants))
	for i, v := range variants {
		all[i] = v.Label
	}
	return all
}

// counted are the variant's runs that take part in the statistics.
func (v variant) counted() []run {
	return slices.DeleteFunc(slices.Clone(v.runs), func(r run) bool { return !r.counts() })
}

// New compares the runs of an experiment. It fails when a stored result can't
// be read. The comparison has a verdict only once all runs have ended.
func New(e experiment.Experiment, runs []experiment.Run, o Options) (Report, error) {
	r := Report{Experiment: e, Runs: slices.Clone(runs), Version: o.Version, MadeAt: o.MadeAt.UTC(), titles: o.Titles}
	slices.SortStableFunc(r.Runs, func(a, b experiment.Run) int { return cmp.Compare(a.Order, b.Order) })
	for i, v := range e.Plan.Variants {
		r.variants = append(r.variants, variant{Variant: v, slot: min(i+1, slots)})
	}
	for _, stored := range r.Runs {
		i := slices.IndexFunc(r.variants, func(v variant) bool { return v.Label == stored.Variant })
		if i < 0 {
			return Report{}, fmt.Errorf("report on experiment %s: run %s is of the variant %q, which its plan does not have", e.ID, stored.ID, stored.Variant)
		}
		decoded := run{Run: stored, number: len(r.variants[i].runs) + 1}
		if len(stored.Result) > 0 {
			decoded.result = new(measure.Result)
			if err := json.Unmarshal(stored.Result, decoded.result); err != nil {
				return Report{}, fmt.Errorf("report on experiment %s: read the result of run %s: %w", e.ID, stored.ID, err)
			}
		}
		r.variants[i].runs = append(r.variants[i].runs, decoded)
	}
	r.Comparison = stats.Compare(r.question(o.Floor), r.samples())
	r.Fairness = compareGuarantees(r.variants)
	r.Caveats = r.caveats()
	return r, nil
}

// question is what the experiment's primary metric asks.
func (r *Report) question(floor float64) stats.Question {
	plan := r.Experiment.Plan
	q := stats.Question{
		Metric:  cmp.Or(plan.Compare, experiment.DefaultMetric),
		Planned: plan.Repeat * len(plan.Variants),
		Floor:   floor,
	}
	for _, run := range r.Runs {
		if run.Extra {
			q.Planned++
		}
		if run.Phase == experiment.PhaseEnded {
			q.Ended++
		}
	}
	return q
}

// samples are the values of the primary metric.
func (r *Report) samples() []stats.Sample {
	metric := cmp.Or(r.Experiment.Plan.Compare, experiment.DefaultMetric)
	var samples []stats.Sample
	for _, v := range r.variants {
		s := stats.Sample{Label: v.Label, Missing: v.missing(metric)}
		var lost, acked int64
		for _, run := range v.counted() {
			if value, ok := Value(metric, *run.result); ok {
				s.Values = append(s.Values, value)
			}
			lost += run.result.Counts.Lost
			acked += run.result.Counts.Acked
		}
		if lost > 0 {
			s.Unranked = fmt.Sprintf("%s lost %s of %s acknowledged messages, so its numbers are shown and not ranked.", v.Label, Count(lost), Count(acked))
		}
		samples = append(samples, s)
	}
	return samples
}

// missing says why a variant has no value at all, for people. Before its last run
// has ended nothing can be said but that.
func (v variant) missing(metric experiment.Metric) string {
	ended := 0
	for _, r := range v.runs {
		if r.Phase == experiment.PhaseEnded {
			ended++
		}
	}
	if ended < len(v.runs) {
		return fmt.Sprintf("%d of %d %s runs have ended.", ended, len(v.runs), v.Label)
	}
	counted := v.counted()
	if len(counted) > 0 {
		return fmt.Sprintf("no run of %s has enough messages to tell its %s.", v.Label, metric.Title())
	}
	for _, r := range v.runs {
		if reason := r.excluded(); reason != "" {
			return fmt.Sprintf("%s could not be measured: none of its %d runs counts (%s).", v.Label, len(v.runs), reason)
		}
	}
	return fmt.Sprintf("%s has no run that counts.", v.Label)
}

// excluded says why a run takes no part in the statistics, or "".
func (r run) excluded() string {
	switch {
	case r.counts():
		return ""
	case r.Phase != experiment.PhaseEnded:
		return "has not ended"
	case r.Outcome != experiment.Succeeded:
		return withReason(string(cmp.Or(r.Outcome, experiment.Failed)), r.Reason)
	case !r.Validity.OK:
		return withReason("not valid", joinReasons(r.Validity.Reasons))
	}
	return "has no result"
}
