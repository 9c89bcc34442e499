package planner

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"dec.local/dec/internal/comparison"
	"dec.local/dec/internal/experiment"
)

// Past has the runs that were made here.
type Past interface {
	ListRuns(ctx context.Context, q experiment.RunQuery) ([]experiment.Run, string, error)
	ListExperiments(ctx context.Context, q experiment.ExperimentQuery) ([]experiment.Summary, string, error)
	comparison.Stored
}

// guessedOverhead is what a run takes beside its load where none was made yet,
// as seen on two cores. lastDrops is how long a drain takes that nothing holds
// up.
const (
	guessedOverhead = 12 * time.Second
	lastDrops       = time.Second
)

// pastRuns is how many earlier runs of a technology an estimate rests on at
// most.
const pastRuns = 20

// Estimate is about how long a plan takes if no run must be repeated, and what
// that rests on.
func (p *Planner) Estimate(ctx context.Context, plan experiment.Plan) (time.Duration, string, error) {
	overheads := map[string]time.Duration{}
	basis := map[string]string{}
	var total time.Duration
	for _, v := range plan.Variants {
		if _, known := overheads[v.Technology]; !known {
			overhead, runs, err := p.overhead(ctx, v.Technology)
			if err != nil {
				return 0, "", err
			}
			overheads[v.Technology] = overhead
			switch runs {
			case 0:
				basis[v.Technology] = fmt.Sprintf("a guess of %s in addition to the load, because there are no earlier runs of %s",
					guessedOverhead, v.Technology)
			case 1:
				basis[v.Technology] = "1 earlier run of " + v.Technology
			default:
				basis[v.Technology] = fmt.Sprintf("%d earlier runs of %s", runs, v.Technology)
			}
		}
		total += time.Duration(plan.Repeat) * (loadTime(plan.Workload.Stages) + overheads[v.Technology])
	}
	said := make([]string, 0, len(basis))
	for _, technology := range slices.Sorted(maps.Keys(basis)) {
		said = append(said, basis[technology])
	}
	return total, strings.Join(said, "; "), nil
}

// loadTime is how long the load of a run takes when everything arrives.
func loadTime(s experiment.Stages) time.Duration { return s.Warmup.Std() + s.Measure.Std() + lastDrops }

// overhead is the median of what earlier runs of a technology took beside their
// load, and how many they were.
func (p *Planner) overhead(ctx context.Context, technology string) (time.Duration, int, error) {
	if p.Past == nil {
		return guessedOverhead, 0, nil
	}
	runs, _, err := p.Past.ListRuns(ctx, experiment.RunQuery{Technology: technology, Outcome: experiment.Succeeded, Limit: pastRuns})
	if err != nil {
		return 0, 0, err
	}
	var beside []time.Duration
	for _, run := range runs {
		if load := timeIn(run, experiment.PhaseLoad); load > 0 && run.EndedAt.After(run.StartedAt) {
			beside = append(beside, run.EndedAt.Sub(run.StartedAt)-load)
		}
	}
	if len(beside) == 0 {
		return guessedOverhead, 0, nil
	}
	slices.Sort(beside)
	return beside[len(beside)/2], len(beside), nil
}

// timeIn is how long a run was in a phase; zero if it never left it.
func timeIn(run experiment.Run, phase experiment.Phase) time.Duration {
	for i, p := range run.Phases[:max(0, len(run.Phases)-1)] {
		if p.Phase == phase {
			return run.Phases[i+1].At.Sub(p.At)
		}
	}
	return 0
}
