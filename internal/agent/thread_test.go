package agent_test

import (
	"testing"
	"time"

	"dec.local/dec/internal/agent/agenttest"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
	"dec.local/dec/internal/rendezvous"
)

// TestRunCountsEveryMessageInRealTime paces with real threads against the wall
// clock: the counts are exact whatever the machine is busy with.
func TestRunCountsEveryMessageInRealTime(t *testing.T) {
	t.Parallel()
	w := workload(func(w *experiment.Workload) {
		w.Topology.Producers, w.Load.Rate = 2, 4000
		w.Stages.Warmup = experiment.Duration(100 * time.Millisecond)
		w.Stages.Measure = experiment.Duration(500 * time.Millisecond)
	})
	b := newBench(t, w, agenttest.Options{Fault: func(n int64) agenttest.Fault {
		return agenttest.Fault{Fail: failOnce(n), Duplicate: n == 1500}
	}})
	b.clock = nil
	got, _ := b.run()
	want := measure.Counts{Offered: 2000, Sent: 2000, Acked: 1999, Failed: 1, Received: 2000, Duplicates: 1, Bytes: 200_000}
	if got.Counts != want {
		t.Errorf("Counts = %+v, want %+v", got.Counts, want)
	}
	timeline, _, err := rendezvous.KeptTimeline(t.Context(), b.bucket, b.plan.Run)
	if err != nil || len(timeline) == 0 || got.Agents[0].Timer == "" || got.Agents[0].CPUs == 0 {
		t.Errorf("timeline of %d seconds, %v, agents %+v: want both filled", len(timeline), err, got.Agents)
	}
}

// failOnce fails one message of the measure stage.
func failOnce(n int64) error {
	if n == 1000 {
		return errTest
	}
	return nil
}
