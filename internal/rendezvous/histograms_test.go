package rendezvous_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
	"dec.local/dec/internal/rendezvous"
)

// encoded is a histogram of these samples.
func encoded(t *testing.T, samples ...time.Duration) string {
	t.Helper()
	h := measure.NewHistogram()
	for _, sample := range samples {
		h.Record(int64(sample))
	}
	text, err := h.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// deliver writes what an agent saw in second n: one distribution, if samples are
// given.
func (r *run) deliver(agent string, n int, stage experiment.Stage, d measure.Distribution, samples ...time.Duration) {
	r.t.Helper()
	s := measure.Snapshot{Second: n, Stage: stage, Latencies: map[measure.Distribution]string{}}
	if len(samples) > 0 {
		s.Latencies[d] = encoded(r.t, samples...)
	}
	r.put(rendezvous.ProgressObject(agent, n), rendezvous.Progress{Snapshot: s})
}

// TestHistogramsGrowWithTheMeasureStage has a warm-up of 1 s and a measure stage
// of 2 s.
func TestHistogramsGrowWithTheMeasureStage(t *testing.T) {
	const (
		publish, e2e = measure.PublishLatency, measure.E2ELatency
		producer     = "producer-0"
		consumer     = "consumer-0"
		ms           = time.Millisecond
	)
	r := newRun(t)
	want := func(when string, want map[measure.Distribution][]time.Duration) {
		t.Helper()
		got, err := rendezvous.Histograms(t.Context(), r.bucket, "r1")
		if err != nil {
			t.Fatalf("Histograms() %s = %v", when, err)
		}
		all := map[measure.Distribution]string{}
		for name, samples := range want {
			all[name] = encoded(t, samples...)
		}
		if len(got) == 0 && len(all) == 0 {
			return
		}
		if diff := cmp.Diff(all, got); diff != "" {
			t.Errorf("Histograms() %s (-want +got):\n%s", when, diff)
		}
	}
	want("without a plan", nil)
	if err := r.server.WritePlan(t.Context(), r.plan); err != nil {
		t.Fatal(err)
	}
	want("before the load", nil)
	r.deliver(producer, 0, experiment.StageWarmup, publish, 900*ms)
	r.deliver(consumer, 0, experiment.StageWarmup, e2e, 950*ms)
	want("in the warm-up", nil)
	r.deliver(producer, 1, experiment.StageMeasure, publish, 5*ms, 7*ms)
	want("before every agent delivered", nil)
	r.deliver(consumer, 1, experiment.StageMeasure, e2e, 9*ms)
	want("after one second", map[measure.Distribution][]time.Duration{publish: {5 * ms, 7 * ms}, e2e: {9 * ms}})
	r.deliver(producer, 2, experiment.StageMeasure, publish, 6*ms)
	r.deliver(consumer, 2, experiment.StageMeasure, publish, 8*ms) // a share of the same distribution
	whole := map[measure.Distribution][]time.Duration{publish: {5 * ms, 7 * ms, 6 * ms, 8 * ms}, e2e: {9 * ms}}
	want("after two seconds", whole)
	r.deliver(producer, 3, experiment.StageDrain, publish, time.Second)
	r.deliver(consumer, 3, experiment.StageDrain, e2e, time.Second)
	want("in the drain", whole)
}

func TestHistogramsThatAreNoneAreRefused(t *testing.T) {
	r := newRun(t)
	if err := r.server.WritePlan(t.Context(), r.plan); err != nil {
		t.Fatal(err)
	}
	for _, agent := range []string{"producer-0", "consumer-0"} {
		s := measure.Snapshot{Second: 1, Stage: experiment.StageMeasure, Latencies: map[measure.Distribution]string{measure.E2ELatency: "no histogram"}}
		r.put(rendezvous.ProgressObject(agent, 1), rendezvous.Progress{Snapshot: s})
	}
	if got, err := rendezvous.Histograms(t.Context(), r.bucket, "r1"); err == nil {
		t.Errorf("Histograms() = %v, want an error", got)
	}
}
