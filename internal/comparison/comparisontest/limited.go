package comparisontest

import (
	"slices"
	"testing"
	"time"

	"dec.local/dec/internal/comparison"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
	"dec.local/dec/internal/planspec"
)

// The guarantees that brokers of [Limited] tell.
const (
	ClusterEffective = `{"producer_ack":"all","durability":"page_cache","replicas":1,"min_in_sync":1,"zones":1,"details":{"version":"4.4.0"},
		"raise":{"replicas":"brokers: {want} and workload.topology.replicas: {want}"}}`
	EmulatorEffective = `{"producer_ack":"all","durability":"memory","replicas":3,"min_in_sync":1,"zones":1,"details":{"shards":"1"},
		"emulator":"kinesalite 3.3.3",
		"nature":"Amazon Kinesis keeps every record in three zones before it acknowledges it; the emulator keeps it in the memory of one process."}`
)

// LimitedPlan asks 1,500 messages a second of a cluster and of an emulated stream.
func LimitedPlan(t *testing.T) experiment.Plan {
	t.Helper()
	p, err := planspec.Decode([]byte(`{
		"name": "Kafka vs Kinesis, one shard at 1,500 msg/s",
		"workload": {"load": {"rate": 1500}, "stages": {"warmup": "10s", "measure": "30s", "drain": "5s"}},
		"variants": [
			{"label": "kafka", "technology": "kafka", "stack": "kraft", "options": {"brokers": 1}},
			{"label": "kinesis", "technology": "kinesis", "stack": "emulator", "emulator": "kinesalite or kinesis-local", "options": {"shards": 1}}
		]
	}`))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// throttle makes a result that of a stream which takes 1,000 of the 1,500
// messages offered each second and refuses more of them as time goes by.
func throttle(r measure.Merged) measure.Merged {
	r.Timeline = slices.Clone(r.Timeline)
	r.Incidents = map[experiment.Incident]int64{}
	for i, s := range r.Timeline {
		if s.Stage == experiment.StageDrain {
			continue
		}
		s.Counts.Offered, s.Counts.Sent, s.Counts.Acked, s.Counts.Received = 1500, 1300, 1000, 1000
		s.Latencies = map[measure.Distribution]measure.Latency{measure.E2ELatency: s.Latencies[measure.E2ELatency]}
		since := int64(max(0, s.Second-10))
		s.Incidents = map[experiment.Incident]int64{"throttled_writes": 520 + since%7*15, "retried_sends": 520 + since%7*15}
		s.InFlight = 1000 + 20*since
		s.Latencies[measure.Backpressure] = measure.Latency{Count: 1000, P99NS: new(int64(280*time.Millisecond) * since)}
		if s.Stage == experiment.StageMeasure {
			for name, n := range s.Incidents {
				r.Incidents[name] += n
			}
		}
		r.Timeline[i] = s
	}
	r.Counts.Offered, r.Counts.Acked, r.Counts.Sent, r.Counts.Unsent = 45_000, 37_500, 37_500, 7_500
	r.Delivered = 37_500.0 / 45_000
	return r
}

// steady makes a result that of a cluster which took all that was offered. Its clients
// tell less than those of the stream.
func steady(r measure.Merged) measure.Merged {
	r.Incidents = nil
	r.Tell([]experiment.Incident{experiment.DelayedWrites, experiment.RetriedSends})
	r.Timeline = slices.Clone(r.Timeline)
	for i := range r.Timeline {
		r.Timeline[i].Counts.Offered, r.Timeline[i].Counts.Sent, r.Timeline[i].Counts.Acked = 1500, 1500, 1500
	}
	return r
}

// Limited is an experiment whose second variant refused writes; change, unless it
// is nil, may change the results of its runs.
func Limited(t *testing.T, change func(n int, variant string, r *measure.Merged)) *comparison.Set {
	t.Helper()
	p := LimitedPlan(t)
	var all []experiment.Run
	for n, variant := range experiment.Order(p) {
		var r measure.Merged
		if variant == "kafka" {
			r = steady(Shape{3 * time.Millisecond, 0.35, 45_000, 1500}.Result(t, uint64(100+n), ClusterEffective))
		} else {
			r = throttle(Shape{400 * time.Millisecond, 0.5, 37_500, 1000}.Result(t, uint64(200+n), EmulatorEffective))
		}
		if change != nil {
			change(n, variant, &r)
		}
		all = append(all, Finished(t, n, variant, r))
	}
	return Set(t, experiment.Experiment{ID: "e000000002", Plan: p, Digest: p.Digest(), CreatedAt: Start, State: experiment.Ended}, all)
}
