package report

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"dec.local/dec/internal/comparison"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
)

// Evidence reads what lies beside the results of runs.
type Evidence interface {
	// KeptTimeline returns every second of a run that was collected.
	KeptTimeline(ctx context.Context, r experiment.Run) ([]measure.Second, error)
	// KeptHistograms returns its V2-encoded distributions.
	KeptHistograms(ctx context.Context, r experiment.Run) (map[measure.Distribution]string, error)
}

// Traces are the series and distributions of runs, as far as they are drawn: a few
// numbers of what [Evidence] has.
type Traces struct {
	wait    string // quantile of the wait for room in max_in_flight
	runs    map[string]trace
	missing []string // names of runs whose evidence can't be read
	reason  error    // of the first of them
}

// trace is what is drawn of one run. Seconds count from the beginning of the
// measure stage.
type trace struct {
	first, end int  // seconds that the run has: from the first one to before the end
	drain      *int // in which the measure stage was over; nil if it never began
	dots       map[string][]dot
	curves     map[measure.Distribution][]float64
}

// dot is the value of a second.
type dot struct {
	second int
	value  float64
}

// ReadTraces reads the evidence of all runs that were collected, one after the
// other. What can't be read is not drawn, and the files say so.
func ReadTraces(ctx context.Context, s *comparison.Set, from Evidence) Traces {
	t := Traces{wait: waitQuantile(s), runs: map[string]trace{}}
	for _, run := range s.Runs {
		if run.Result == nil {
			continue
		}
		traced, err := readTrace(ctx, run.Run, from, t.series())
		if err != nil {
			t.missing = append(t.missing, run.Name())
			t.reason = firstError(t.reason, err)
			continue
		}
		t.runs[run.ID] = traced
	}
	return t
}

func firstError(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// note says which runs are not drawn and why; "" when all are.
func (t Traces) note() string {
	if len(t.missing) == 0 {
		return ""
	}
	return fmt.Sprintf("The timelines and distributions of %s cannot be read now: %v.", strings.Join(t.missing, ", "), t.reason)
}

// series are all that may be drawn.
func (t Traces) series() []series {
	all := slices.Concat(timeSeries, limitSeries)
	if t.wait != "" {
		all = append(all, waitSeries(t.wait))
	}
	return all
}

// waitQuantile is the quantile that all limited runs have of the wait for room in
// max_in_flight; "" where there is none.
func waitQuantile(s *comparison.Set) string {
	lowest := ""
	for _, v := range s.Variants {
		if !v.Limited() {
			continue
		}
		for _, run := range v.Counted() {
			if c := run.Result.Course; c != nil && c.Wait != nil && (lowest == "" || c.Wait.Quantile < lowest) {
				lowest = c.Wait.Quantile // p50, p90 and p99 are in the order of the alphabet
			}
		}
	}
	return lowest
}

// readTrace reads the evidence of one run.
func readTrace(ctx context.Context, r experiment.Run, from Evidence, all []series) (trace, error) {
	timeline, err := from.KeptTimeline(ctx, r)
	if err != nil {
		return trace{}, err
	}
	t := trace{first: math.MaxInt, end: math.MinInt, dots: map[string][]dot{}, curves: map[measure.Distribution][]float64{}}
	start := measureStart(timeline)
	for _, s := range timeline {
		second := s.Second - start
		t.first, t.end = min(t.first, second), max(t.end, second+1)
		if s.Stage == experiment.StageMeasure {
			t.drain = new(second + 1)
		}
		for _, series := range all {
			if value, ok := series.value(s); ok {
				t.dots[series.id] = append(t.dots[series.id], dot{second, value})
			}
		}
	}
	encoded, err := from.KeptHistograms(ctx, r)
	if err != nil {
		return trace{}, err
	}
	for _, d := range []measure.Distribution{measure.E2ELatency, measure.PublishLatency} {
		o, err := measure.ReadObservation(encoded, d)
		if err != nil {
			return trace{}, fmt.Errorf("draw the percentiles of run %s: %w", r.ID, err)
		}
		t.curves[d] = curveOf(&o)
	}
	return t, nil
}

// measureStart is the second in which the measure stage begins.
func measureStart(timeline []measure.Second) int {
	for _, second := range timeline {
		if second.Stage == experiment.StageMeasure {
			return second.Second
		}
	}
	return 0
}
