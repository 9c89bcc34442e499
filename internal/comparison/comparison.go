// Package comparison tells what the runs of an experiment, or picked ones, say of
// its variants: the figures of each, whether they gave the same guarantees, what
// kept them from more, and the verdict with its caveats. It rests on stored runs
// alone, so the same runs always give the same sentences; package report draws
// what it found, and commands and the web page show it.
package comparison

import (
	"fmt"
	"log/slog"
	"strings"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/stats"
)

// Comparison is what was found. It crosses the wire as it is.
type Comparison struct {
	Title         string           `json:"title"`
	Experiment    string           `json:"experiment,omitempty" doc:"ID of the experiment; absent for runs of several experiments."`
	Target        string           `json:"target"`
	SharedMachine bool             `json:"shared_machine" doc:"Brokers and agents shared one machine."`
	Stats         stats.Comparison `json:"comparison"`
	Fairness      Fairness         `json:"fairness"`
	Caveats       []string         `json:"caveats" doc:"Sentences to show next to the verdict."`
	Instrument    string           `json:"instrument" doc:"The instrument's own error, by the agents' certificate; empty before there are results."`
	Variants      []VariantSummary `json:"variants"`
	Figures       []Figure         `json:"figures" doc:"Figures of all variants, in display order."`
	Attention     []string         `json:"attention" doc:"One sentence per run that is not counted or not verified as gone."`
	Differences   []Difference     `json:"differences" doc:"Differences between the variants' configurations."`
}

// VariantSummary names a variant, and how much of it counts.
type VariantSummary struct {
	Label      string `json:"label"`
	Name       string `json:"name" doc:"Label of the variant; an emulator is marked as such."`
	Technology string `json:"technology"`
	Stack      string `json:"stack"`
	Emulator   string `json:"emulator,omitempty" doc:"Emulator that stood in for the technology."`
	Runs       int    `json:"runs" doc:"Number of all runs, counted or not."`
	Counted    int    `json:"counted" doc:"Number of runs in the statistics."`
}

// Options are what runs can't tell of themselves.
type Options struct {
	Titles        map[string]string        // of technologies, for people, by name; the names themselves where they are missing
	SharedMachine func(target string) bool // reports whether brokers and agents of a target share a machine; none do if nil
	Logger        *slog.Logger             // told of calibrations that can't be read; required by [OfExperiment] only
}

// New compares the runs of a set. There is a verdict only once all of them have
// ended, and never for runs that were not planned together.
func New(s *Set, o Options) (Comparison, error) {
	plan := s.Experiment.Plan
	c := Comparison{
		Title: plan.Name, Experiment: s.Experiment.ID, Target: plan.Target, SharedMachine: o.SharedMachine != nil && o.SharedMachine(plan.Target),
		Stats: stats.Compare(s.question(), s.samples()), Fairness: s.fairness(), Variants: []VariantSummary{},
		Instrument: s.instrument(), Figures: s.figures(), Attention: s.attention(),
	}
	for _, v := range s.Variants {
		c.Variants = append(c.Variants, VariantSummary{v.Label, v.Name(), v.Technology, v.Stack, v.Program(), len(v.Runs), len(v.Counted())})
	}
	c.Caveats = s.caveats(c, o.Titles)
	var err error
	c.Differences, err = differences(s.Variants)
	return c, err
}

// question is what the primary metric asks.
func (s *Set) question() stats.Question {
	plan := s.Experiment.Plan
	q := stats.Question{Metric: s.Metric(), Planned: plan.Repeat * len(plan.Variants), Withheld: s.withheld(), Matters: plan.Matters.Share()}
	if s.Separate || s.unpicked > 0 {
		q.Separate, q.Planned, q.Ended = s.Separate, len(s.Runs), len(s.Runs)
		return q
	}
	for _, run := range s.Runs {
		if run.Extra {
			q.Planned++
		}
		if run.Phase == experiment.PhaseEnded {
			q.Ended++
		}
	}
	return q
}

const stopped = "The experiment was stopped before all planned runs had ended, so its figures are shown but not ranked."

// withheld says why there must be no verdict whatever the numbers; "" if there may be
// one.
func (s *Set) withheld() string {
	for _, run := range s.Runs {
		// Whoever stops at a moment of their choice may choose the one that flatters.
		if run.Outcome == experiment.Cancelled && !s.Separate {
			return stopped
		}
	}
	if s.Experiment.Reason != "" && !s.Separate {
		return stopped
	}
	if s.unpicked > 0 {
		return fmt.Sprintf("Only %d of the experiment's %d runs were picked, and whoever picks may pick what flatters.",
			len(s.Runs), len(s.Runs)+s.unpicked)
	}
	if len(s.methods()) > 1 {
		return "The runs were measured by different versions of the method, so their figures mean different things."
	}
	return ""
}

// samples are the values of the primary metric.
func (s *Set) samples() []stats.Sample {
	var samples []stats.Sample
	for _, v := range s.Variants {
		sample := v.Sample(s.Metric())
		sample.Missing, sample.Unranked = v.missing(s.Metric()), v.unranked(s.Metric())
		sample.KeptUp = s.Metric() == experiment.Throughput && v.tookAll()
		samples = append(samples, sample)
	}
	return samples
}

// missing says why a variant has no value at all, for people. Before its last run
// has ended nothing can be said but that.
func (v *Variant) missing(metric experiment.Metric) string {
	ended := 0
	for _, r := range v.Runs {
		if r.Phase == experiment.PhaseEnded {
			ended++
		}
	}
	if ended < len(v.Runs) {
		if len(v.Runs) == 1 {
			return fmt.Sprintf("The %s run has not ended.", v.Name())
		}
		verb := "have"
		if ended == 1 {
			verb = "has"
		}
		return fmt.Sprintf("%d of %d %s runs %s ended.", ended, len(v.Runs), v.Name(), verb)
	}
	if len(v.Counted()) > 0 {
		if metric.Latency() {
			return fmt.Sprintf("No run of %s has enough messages to determine its %s.", v.Name(), metric.Title())
		}
		return fmt.Sprintf("%s was not measured in the runs of %s.", metric.Heading(), v.Name())
	}
	for _, r := range v.Runs {
		if reason := r.Excluded(); reason != "" {
			which := fmt.Sprintf("none of its %d runs is counted", len(v.Runs))
			if len(v.Runs) == 1 {
				which = "its only run is not counted"
			}
			return fmt.Sprintf("%s could not be measured: %s (%s).", v.Name(), which, strings.TrimSuffix(reason, "."))
		}
	}
	return fmt.Sprintf("%s has no counted run.", v.Name())
}

// attention tells of the runs that somebody should look at.
func (s *Set) attention() []string {
	sentences := []string{}
	for _, run := range s.Runs {
		text, leaked := run.Excluded(), run.Teardown == experiment.TeardownLeaked
		switch {
		case text == "" && !leaked:
			continue
		case text == "":
			text = "counted"
		}
		if leaked {
			text += "; its infrastructure could not be verified as gone"
		}
		sentences = append(sentences, fmt.Sprintf("%s (%s): %s", run.Name(), run.ID, text))
	}
	return sentences
}
