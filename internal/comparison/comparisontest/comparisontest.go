// Package comparisontest makes up experiments with results, for tests of those
// who compare runs and draw comparisons. Their results carry timeline and
// histograms inside, as earlier versions stored them; [Carried] reads them there.
package comparisontest

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"dec.local/dec/internal/comparison"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
	"dec.local/dec/internal/planspec"
)

// Start is when the first run of the synthetic experiment began.
var Start = time.Date(2026, 3, 1, 14, 0, 0, 0, time.UTC)

// Plan compares two variants on the local target.
func Plan(t *testing.T) experiment.Plan {
	t.Helper()
	p, err := planspec.Decode([]byte(`{
		"name": "Kafka vs NATS, 2k msg/s",
		"workload": {
			"topology": {"partitions": 4, "producers": 2, "consumers_per_group": 2},
			"load": {"rate": 2000}, "message": {"key": "round_robin"},
			"stages": {"warmup": "10s", "measure": "30s", "drain": "5s"}
		},
		"variants": [
			{"label": "kafka", "technology": "kafka", "stack": "kraft", "options": {"brokers": 1}, "client_config": {"linger": "5ms"}},
			{"label": "nats", "technology": "nats", "stack": "jetstream", "options": {"storage": "file"}}
		]
	}`))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Shape is the latency of one synthetic run.
type Shape struct {
	Median  time.Duration
	Spread  float64 // of the logarithm
	Samples int
	Rate    float64 // messages per second
}

// histogram draws samples of a shape.
func (s Shape) histogram(seed uint64) *measure.Histogram {
	h, random := measure.NewHistogram(), rand.New(rand.NewPCG(seed, 1))
	for range s.Samples {
		h.Record(int64(float64(s.Median) * math.Exp(s.Spread*random.NormFloat64())))
	}
	return h
}

func encode(t *testing.T, h *measure.Histogram) string {
	t.Helper()
	text, err := h.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// memo keeps results that were made: encoding histograms takes most of the time
// of these tests.
var memo = map[uint64]measure.Merged{}

// Result is what a run of that shape measured. A seed always goes with the same
// shape.
func (s Shape) Result(t *testing.T, seed uint64, effective string) measure.Merged {
	t.Helper()
	if _, ok := memo[seed]; !ok {
		memo[seed] = s.measure(t, seed, effective)
	}
	return memo[seed]
}

func (s Shape) measure(t *testing.T, seed uint64, effective string) measure.Merged {
	t.Helper()
	e2e, publish := s.histogram(seed), Shape{s.Median / 2, s.Spread, s.Samples, s.Rate}.histogram(seed+1)
	n := int64(s.Samples)
	r := measure.Merged{Result: measure.Result{
		ClockBound: new(int64),
		Method:     measure.Method,
		Counts:     measure.Counts{Offered: n, Sent: n, Acked: n, Received: n, Bytes: n * 1024},
		Delivered:  1,
		E2E:        e2e.Summary(),
		Publish:    publish.Summary(),
		Lateness:   Shape{60 * time.Microsecond, 0.3, s.Samples, s.Rate}.histogram(seed + 2).Summary(),
		Throughput: s.Rate,
		CPU: measure.CPU{
			AgentSeconds: 4, BrokerSeconds: new(6.5), PerMillion: new(108 + 5*s.Spread), BrokerRSS: new(int64(512<<20 + seed<<16)),
		},
		Guarantees: json.RawMessage(effective),
		Validity:   experiment.Validity{OK: true},
		Agents: []measure.AgentFacts{{
			ID: "producer-0", Role: "producer", Host: "bench", OS: "linux 6.18", CPUModel: "Example CPU", CPUs: 8, MemoryBytes: 16 << 30,
			Timer: "clock_nanosleep", DelayErrorNS: 61_000, Version: "1.0.0",
			SelfCheck: Shape{50 * time.Microsecond, 0.3, 2000, 0}.histogram(seed + 3).Summary(),
		}},
		Certificate: &measure.Certificate{
			Build: "0123456789ab", MachineID: "m1", MadeAt: Start.Add(-time.Hour),
			Line: "p50 error ±30.0 µs, p99 ±200 µs at 1,000/s; stall of 3 s seen as p99 = 2.70 s, expected 2.70 s; 37 of 37 losses found",
		},
		Versions: map[string]string{"opentofu": "1.12.6"},
	}, Histograms: map[measure.Distribution]string{measure.E2ELatency: encode(t, e2e), measure.PublishLatency: encode(t, publish)}}
	random := rand.New(rand.NewPCG(seed, 2))
	for second := range 42 {
		stage := experiment.StageMeasure
		if second < 10 {
			stage = experiment.StageWarmup
		} else if second >= 40 {
			stage = experiment.StageDrain
		}
		row := measure.Second{Second: second, Stage: stage, Latencies: map[measure.Distribution]measure.Latency{}}
		if stage != experiment.StageDrain {
			row.Counts.Received = int64(s.Rate * (1 + 0.01*random.NormFloat64()))
			p99 := int64(float64(*r.E2E.P99NS) * math.Exp(0.25*random.NormFloat64()+2*math.Exp(-float64(second)/2)))
			row.Latencies[measure.E2ELatency] = measure.Latency{P99NS: &p99}
		}
		if second != 25 { // a second that no agent told of
			r.Timeline = append(r.Timeline, row)
		}
	}
	return r
}

// The guarantees that brokers of [Runs] tell.
const (
	KafkaEffective = `{"producer_ack":"all","durability":"page_cache","replicas":1,"min_in_sync":1,"details":{"acks":"-1","version":"4.4.0"}}`
	NATSEffective  = `{"producer_ack":"all","durability":"page_cache","replicas":1,"min_in_sync":1,"details":{"storage":"file","version":"2.15.2"}}`
)

// Finished is a run that ended well, the n-th of the experiment.
func Finished(t *testing.T, n int, variant string, result measure.Merged) experiment.Run {
	t.Helper()
	data, err := json.Marshal(result)
	if err != nil {
		t.Fatal(err)
	}
	begin := Start.Add(time.Duration(n) * 2 * time.Minute)
	r := experiment.Run{
		ID: fmt.Sprintf("r%09d", n), Experiment: "e000000001", Variant: variant, Order: n,
		Phase: experiment.PhaseEnded, Outcome: experiment.Succeeded,
		Validity: result.Validity, Teardown: experiment.TeardownClean, StartedAt: begin, EndedAt: begin.Add(75 * time.Second), Result: data,
		Receipt: &experiment.Receipt{
			At: begin.Add(75 * time.Second), Statement: "Nothing is left: 6 created, 6 seen gone one by one.",
			Objects: make([]experiment.ReceiptObject, 6),
		},
	}
	for i, phase := range []experiment.Phase{
		experiment.PhaseProvision, experiment.PhasePrepare, experiment.PhaseLoad, experiment.PhaseCollect,
		experiment.PhaseDestroy, experiment.PhaseVerify, experiment.PhaseEnded,
	} {
		at := []float64{0, 12, 15, 60, 61.5, 70, 75}[i]
		r.Phases = append(r.Phases, experiment.PhaseTime{Phase: phase, At: begin.Add(time.Duration(at * float64(time.Second)))})
	}
	return r
}

// Runs are ten planned runs and an extra one that repeats one that was not valid.
func Runs(t *testing.T, p experiment.Plan) []experiment.Run {
	t.Helper()
	var all []experiment.Run
	for n, variant := range append(experiment.Order(p), "nats") {
		s, effective := Shape{3 * time.Millisecond, 0.35, 60_000, 2000}, KafkaEffective
		if variant == "nats" {
			s, effective = Shape{time.Millisecond, 0.4, 60_000, 2000}, NATSEffective
		}
		s.Median += time.Duration(n%4) * s.Median / 25
		result := s.Result(t, uint64(n+1), effective)
		if n == 3 {
			result.Validity = experiment.Validity{Reasons: []string{"the load generator was the limit: p99 lateness 41 ms, allowed 5 ms"}}
		}
		run := Finished(t, n, variant, result)
		run.Extra = n == 10
		all = append(all, run)
	}
	return all
}

// Synthetic is a finished experiment of [Plan] and [Runs].
func Synthetic(t *testing.T) *comparison.Set {
	t.Helper()
	p := Plan(t)
	return Set(t, experiment.Experiment{ID: "e000000001", Plan: p, Digest: p.Digest(), CreatedAt: Start, State: experiment.Ended}, Runs(t, p))
}

// Set decodes runs.
func Set(t *testing.T, e experiment.Experiment, runs []experiment.Run) *comparison.Set {
	t.Helper()
	s, err := comparison.NewSet(e, runs)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Compare compares the runs of a set.
func Compare(t *testing.T, s *comparison.Set) comparison.Comparison {
	t.Helper()
	c, err := comparison.New(s, comparison.Options{
		Titles:        map[string]string{"kinesis": "Amazon Kinesis"},
		SharedMachine: func(target string) bool { return target == "local" },
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Carried reads what results carry inside.
type Carried struct{}

// KeptTimeline returns the seconds of a run.
func (Carried) KeptTimeline(_ context.Context, r experiment.Run) ([]measure.Second, error) {
	m, err := measure.ReadMerged(r.Result)
	return m.Timeline, err
}

// KeptHistograms returns the distributions of a run.
func (Carried) KeptHistograms(_ context.Context, r experiment.Run) (map[measure.Distribution]string, error) {
	m, err := measure.ReadMerged(r.Result)
	return m.Histograms, err
}
