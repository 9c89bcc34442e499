package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/store"
)

// call is something that is measured.
type call struct {
	name string
	do   func(i int) error
}

func measure(ctx context.Context, s *store.Store, experiments, calls int) error {
	before := memory()
	fmt.Printf("%-50s %9s %9s %9s  ms\n", "", "p50", "p99", "max")
	for _, c := range slices.Concat(lists(ctx, s, experiments), runs(ctx, s), reads(ctx, s, experiments), writes(ctx, s)) {
		took := make([]time.Duration, calls)
		for i := range took {
			started := time.Now()
			if err := c.do(i); err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			took[i] = time.Since(started)
		}
		slices.Sort(took)
		ms := func(d time.Duration) float64 { return d.Seconds() * 1000 }
		fmt.Printf("%-50s %9.2f %9.2f %9.2f\n", c.name, ms(took[len(took)/2]), ms(took[len(took)*99/100]), ms(took[len(took)-1]))
	}
	fmt.Printf("resident memory: %s before, %s after\n", before, memory())
	return nil
}

// memory returns the resident memory of this process.
func memory() string {
	status, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}

// lists are lists of experiments.
func lists(ctx context.Context, s *store.Store, experiments int) []call {
	find := func(name string, want int, q experiment.ExperimentQuery) call {
		return call{"experiments: " + name, func(int) error {
			page, _, err := s.ListExperiments(ctx, q)
			if err == nil && len(page) != want {
				err = fmt.Errorf("%d experiments, want %d", len(page), want)
			}
			return err
		}}
	}
	deep, err := deepCursor(ctx, s)
	return []call{
		{"experiments: first search of a process", func(i int) error {
			if i > 0 {
				return err
			}
			_, _, err := s.ListExperiments(ctx, experiment.ExperimentQuery{Text: "first search"})
			return err
		}},
		find("newest 50", 50, experiment.ExperimentQuery{}),
		find("newest 200", 200, experiment.ExperimentQuery{Limit: 200}),
		find("page 100", 50, experiment.ExperimentQuery{Cursor: deep}),
		find("oldest", 50, experiment.ExperimentQuery{Oldest: true}),
		find("ended", 50, experiment.ExperimentQuery{State: experiment.Ended}),
		find("running", 1, experiment.ExperimentQuery{State: experiment.Running}),
		find("queued", 50, experiment.ExperimentQuery{State: experiment.Queued}),
		find("technology of most", 50, experiment.ExperimentQuery{Technology: "kafka"}),
		find("technology of one in 1000", min(50, experiments/1000), experiment.ExperimentQuery{Technology: "pulsar"}),
		find("technology of none", 0, experiment.ExperimentQuery{Technology: "rabbitmq"}),
		find("target of one in 50", 50, experiment.ExperimentQuery{Target: "aws"}),
		find("who", 50, experiment.ExperimentQuery{By: "ann"}),
		find("digest", 5, experiment.ExperimentQuery{Digest: "digest77"}),
		find("who and target, none", 0, experiment.ExperimentQuery{By: "ci", Target: "aws", Oldest: true}),
		find("ended, target and technology", 50, experiment.ExperimentQuery{State: experiment.Ended, Target: "aws", Technology: "kafka"}),
		find("queued and technology", 1, experiment.ExperimentQuery{State: experiment.Queued, Technology: "pulsar"}),
		find("text of all", 50, experiment.ExperimentQuery{Text: "comparison"}),
		find("text of one, the oldest", 1, experiment.ExperimentQuery{Text: "no. 7 of"}),
		find("text of none", 0, experiment.ExperimentQuery{Text: "zebra"}),
		find("text of none, made of common words", 0, experiment.ExperimentQuery{Text: "eastern comparison"}),
		find("text of none, one letter", 0, experiment.ExperimentQuery{Text: "ß"}),
		find("text and ended", 50, experiment.ExperimentQuery{Text: "kinesis", State: experiment.Ended}),
		find("text and queued, none", 0, experiment.ExperimentQuery{Text: "no. 1 ", State: experiment.Queued}),
	}
}

// deepCursor returns the cursor of the hundredth page.
func deepCursor(ctx context.Context, s *store.Store) (string, error) {
	cursor := ""
	for range 100 {
		_, next, err := s.ListExperiments(ctx, experiment.ExperimentQuery{Cursor: cursor})
		if err != nil {
			return "", err
		}
		cursor = next
	}
	return cursor, nil
}

// runs are lists of runs.
func runs(ctx context.Context, s *store.Store) []call {
	find := func(name string, want int, q experiment.RunQuery) call {
		return call{"runs: " + name, func(int) error {
			page, _, err := s.ListRuns(ctx, q)
			if err == nil && len(page) < want {
				err = fmt.Errorf("%d runs, want %d", len(page), want)
			}
			return err
		}}
	}
	return []call{
		find("newest 50", 50, experiment.RunQuery{}),
		find("newest 200", 200, experiment.RunQuery{Limit: 200}),
		find("of an experiment", 10, experiment.RunQuery{Experiment: "e000000077"}),
		find("queued", 50, experiment.RunQuery{Phase: experiment.PhaseQueued}),
		find("loaded", 1, experiment.RunQuery{Phase: experiment.PhaseLoad}),
		find("ended", 50, experiment.RunQuery{Phase: experiment.PhaseEnded}),
		find("failed", 50, experiment.RunQuery{Outcome: experiment.Failed}),
		find("cancelled, none", 0, experiment.RunQuery{Outcome: experiment.Cancelled}),
		find("leaked", 10, experiment.RunQuery{Teardown: experiment.TeardownLeaked}),
		find("technology of most", 50, experiment.RunQuery{Technology: "nats"}),
		find("technology of one in 1000", 50, experiment.RunQuery{Technology: "pulsar"}),
		find("target", 50, experiment.RunQuery{Target: "aws"}),
		find("technology, outcome and target, none", 0, experiment.RunQuery{Technology: "pulsar", Outcome: experiment.Failed, Target: "aws"}),
		find("leaked and queued, none", 0, experiment.RunQuery{Phase: experiment.PhaseQueued, Teardown: experiment.TeardownLeaked}),
	}
}

// reads are single things.
func reads(ctx context.Context, s *store.Store, experiments int) []call {
	last := fmt.Sprintf("e%09d", experiments)
	return []call{
		{"summary", func(i int) error { _, err := s.Summary(ctx, fmt.Sprintf("e%09d", 1+i*experiments/1000)); return err }},
		{"run", func(i int) error { _, err := s.Run(ctx, fmt.Sprintf("r%09d5", 1+i*experiments/1000)); return err }},
		{"runs of an experiment", func(i int) error { _, err := s.Runs(ctx, fmt.Sprintf("e%09d", 1+i*experiments/1000)); return err }},
		{"runs queued before", func(int) error { _, err := s.QueuedBefore(ctx, last); return err }},
		{"totals", func(int) error { _, err := s.Totals(ctx); return err }},
		{"new events", func(int) error {
			_, err := s.Events(ctx, experiment.EventQuery{After: int64(experiments * 19)})
			return err
		}},
		{"events of an experiment", func(int) error { _, err := s.Events(ctx, experiment.EventQuery{Experiment: last}); return err }},
		{"last event", func(int) error { _, err := s.LastEvent(ctx); return err }},
		{"unconcluded", func(int) error { _, err := s.Unconcluded(ctx); return err }},
		{"active", func(int) error { _, err := s.Active(ctx); return err }},
		{"drain", func(int) error { _, err := s.Drain(ctx); return err }},
	}
}

// writes are what clients and engines change.
func writes(ctx context.Context, s *store.Store) []call {
	host := experiment.Host{ID: "machine"}
	admit := func() call {
		return call{"admit an experiment with ten runs", func(i int) error {
			e := experiment.Experiment{ID: experiment.NewID("e"), Plan: plan(), Digest: "digest"}
			e.Plan.Target = "local"
			var runs []experiment.Run
			for n := range perExperiment {
				runs = append(runs, experiment.Run{ID: experiment.NewID("r"), Variant: "first", Order: n})
			}
			_, _, err := s.Admit(ctx, e, runs, nil, experiment.Submission{By: "ann", Key: e.ID, Digest: "d"})
			return err
		}}
	}
	var run experiment.Run
	var lease int64
	none := func(err error) error {
		if errors.Is(err, experiment.ErrNotFound) {
			return nil
		}
		return err
	}
	return []call{
		admit(),
		{"search after an admission", func(i int) error {
			_, _, err := s.ListExperiments(ctx, experiment.ExperimentQuery{Text: "zebra"})
			return err
		}},
		{"claim and give back", func(int) error {
			var err error
			if run, lease, err = s.Claim(ctx, "bench", host, time.Minute); err != nil {
				return err
			}
			return s.Release(ctx, run.ID, lease)
		}},
		{"adopt, none", func(int) error { _, _, err := s.Adopt(ctx, "bench", host, time.Minute); return none(err) }},
		{"claim, two phases and the end", func(int) error { return live(ctx, s, host) }},
		{"audit", func(int) error { return s.Audit(ctx, experiment.AuditEntry{By: "ann", Action: "bench"}) }},
		{"request a drain", func(int) error {
			_, err := s.RequestDrain(ctx, "bench", time.Minute)
			return errors.Join(err, s.EndDrain(ctx))
		}},
	}
}

// live takes a run from the queue to its end.
func live(ctx context.Context, s *store.Store, host experiment.Host) error {
	run, lease, err := s.Claim(ctx, "bench", host, time.Minute)
	if err != nil {
		return err
	}
	run.Teardown = experiment.TeardownPending
	for _, phase := range []experiment.Phase{experiment.PhaseProvision, experiment.PhaseLoad} {
		run.Phase = phase
		if _, err := s.Enter(ctx, &run, lease); err != nil {
			return err
		}
	}
	run.Outcome, run.Teardown, run.Receipt = experiment.Succeeded, experiment.TeardownClean, &experiment.Receipt{Statement: "gone"}
	_, err = s.End(ctx, &run, lease, nil)
	return err
}
