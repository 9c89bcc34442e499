package measure_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
)

// workload is what the agents of these tests share.
func workload(producers, groups int) experiment.Workload {
	return experiment.Workload{
		Topology: experiment.Topology{Producers: producers, ConsumerGroups: groups},
		Stages:   experiment.Stages{Warmup: experiment.Duration(time.Second), Measure: experiment.Duration(10 * time.Second)},
	}
}

// every is the schedule of a producer with a message due every few nanoseconds.
func every(ns int64) measure.Due {
	return func(int) (func() (time.Duration, bool), error) {
		seq := int64(-1)
		return func() (time.Duration, bool) { seq++; return time.Duration(seq * ns), true }, nil
	}
}

// load plays a small load with losses, duplicates, reordering and damage into
// recorders: per producer, and two consumers for each of two groups.
type load struct {
	agents    []*recording
	of        []int // agent of each producer, then of each consumer
	producers []*measure.ProducerRecorder
	consumers []*measure.ConsumerRecorder // group a, a, b, b
	want      measure.Counts
}

const (
	loadProducers = 4
	loadMessages  = 220 // per producer: 20 of the warm-up, 200 measured
	loadWarmup    = 20
)

// newLoad plays the load on n agents, among which the recorders are shared out.
func newLoad(seed uint64, n int, agent func() int) *load {
	l := &load{}
	random := rand.New(rand.NewPCG(seed, 1))
	for range n {
		l.agents = append(l.agents, newRecording())
	}
	next := func() *recording {
		l.of = append(l.of, agent())
		return l.agents[l.of[len(l.of)-1]]
	}
	for range loadProducers {
		l.producers = append(l.producers, next().producer())
	}
	for _, group := range []string{"a", "a", "b", "b"} {
		l.consumers = append(l.consumers, next().consumer(group))
	}
	l.want.Offered = loadProducers * (loadMessages - loadWarmup)
	for producer, r := range l.producers {
		for i := range uint64(loadMessages) {
			seq := i ^ 1 // neighbours change places
			l.message(random, r, measure.Header{
				Run: run, Producer: uint32(producer), Key: measure.NoKey, Seq: seq, Intended: start + int64(seq)*s/loadWarmup,
			})
		}
	}
	return l
}

// message sends one message and gives it one of several outcomes.
func (l *load) message(random *rand.Rand, r *measure.ProducerRecorder, h measure.Header) {
	measured := int64(0)
	if h.Seq >= loadWarmup {
		measured = 1
	}
	h.Sent = h.Intended + random.Int64N(ms)
	r.Sent(measure.Send{Intended: h.Intended, Reached: h.Sent, Slot: h.Sent, Returned: h.Sent, Bytes: 100})
	l.want.Sent += measured
	l.want.Bytes += 100 * measured
	acked := random.IntN(10) > 0
	if acked {
		r.Acked(measure.Ack{Seq: h.Seq, Intended: h.Intended, Sent: h.Sent, Now: h.Sent + random.Int64N(5*ms)})
		l.want.Acked += measured
	} else {
		l.want.Unanswered += measured
	}
	partition := int(h.Producer % 2) // each is read by one consumer of a group
	for group := range 2 {
		payload := payloadOf(h, 100)
		at := h.Sent + random.Int64N(20*ms)
		consumer := l.consumers[2*group+partition]
		switch random.IntN(10) {
		case 0: // never arrives: a loss if it was acknowledged
			if acked {
				l.want.Lost += measured
			}
		case 1: // arrives twice
			consumer.Received(payload, partition, at)
			l.want.Received += measured
			l.want.Duplicates += measured
			fallthrough
		default:
			consumer.Received(payload, partition, at)
			l.want.Received += measured
		}
	}
}

// results makes the agents' results, with a snapshot of all that happened. They pass
// through JSON as in a bucket.
func (l *load) results(t fataler) []measure.AgentResult {
	results := make([]measure.AgentResult, len(l.agents))
	for i, r := range l.producers {
		results[l.of[i]].AddProducer(i, r, loadWarmup, loadMessages)
	}
	for i, agent := range l.agents {
		agent.addTo(t, &results[i])
		data, err := json.Marshal(results[i])
		if err != nil {
			t.Fatalf("Marshal() = %v, want no error", err)
		}
		results[i] = measure.AgentResult{}
		if err := json.Unmarshal(data, &results[i]); err != nil {
			t.Fatalf("Unmarshal() = %v, want no error", err)
		}
		interval := measure.NewInterval()
		agent.drain(math.MaxInt, interval)
		snapshot, err := interval.Snapshot(0, experiment.StageMeasure)
		if err != nil {
			t.Fatalf("Snapshot() = %v, want no error", err)
		}
		results[i].Snapshots = []measure.Snapshot{snapshot}
	}
	return results
}

func TestMergingAgentsEqualsOneAgent(t *testing.T) {
	w := workload(loadProducers, 2)
	for seed := range uint64(8) {
		single := newLoad(seed, 1, func() int { return 0 })
		want, err := measure.Merge(measure.Asked{Workload: w, Due: every(s / loadWarmup), Remaining: &measure.Remaining{}}, single.results(t))
		if err != nil {
			t.Fatalf("Merge(one agent) = %v, want no error", err)
		}
		if want.Counts.Reordered == 0 || want.Counts.Lost == 0 {
			t.Fatalf("Counts = %+v, want a load with losses and reordering", want.Counts)
		}
		random := rand.New(rand.NewPCG(seed, 2))
		n := 2 + random.IntN(4)
		got, err := measure.Merge(measure.Asked{Workload: w, Due: every(s / loadWarmup), Remaining: &measure.Remaining{}}, newLoad(seed, n, func() int { return random.IntN(n) }).results(t))
		if err != nil {
			t.Fatalf("Merge(%d agents) = %v, want no error", n, err)
		}
		got.Agents, want.Agents = nil, nil
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("seed %d: %d agents differ from one (-want +got):\n%s", seed, n, diff)
		}
		single.want.Reordered = want.Counts.Reordered // the same, however shared out; counted by TestTracker
		if diff := cmp.Diff(single.want, got.Counts); diff != "" {
			t.Fatalf("seed %d: Counts differ (-want +got):\n%s", seed, diff)
		}
	}
}

// TestAMessageThatTwoAgentsReceiveIsADuplicate has two consumers of a group on agents
// that know nothing of each other, as after a partition has moved.
func TestAMessageThatTwoAgentsReceiveIsADuplicate(t *testing.T) {
	agents := flow(func(string, uint64) int64 { return ms }, "g")
	other := newRecording()
	at := start + 2*s
	h := measure.Header{Run: run, Key: measure.NoKey, Seq: 400, Intended: at, Sent: at}
	other.consumer("g").Received(payloadOf(h, 100), 0, at+ms)
	agents = append(agents, measure.AgentResult{Facts: measure.AgentFacts{ID: "consumer-1", Role: measure.RoleConsumer, MachineID: "m"}})
	other.addTo(t, &agents[2])
	got, err := measure.Merge(measure.Asked{Workload: workload(1, 1), Due: every(5 * ms), Remaining: &measure.Remaining{}}, agents)
	if err != nil || got.Counts.Duplicates != 1 || got.Counts.Received != 2001 || got.Delivered != 1 {
		t.Errorf("Merge() = %+v, %v, want 2,001 receipts, one of them a duplicate", got.Counts, err)
	}
}

// flow is a run of one producer and some groups in which everything arrives,
// for tests that change one thing.
func flow(latency func(group string, seq uint64) int64, groups ...string) []measure.AgentResult {
	const n = 2000 // 200/s in the measure stage, 200 more before it
	sending, receiving := newRecording(), newRecording()
	producer := sending.producer()
	var results [2]measure.AgentResult
	results[0].Facts = measure.AgentFacts{ID: "producer-0", Role: measure.RoleProducer, MachineID: "m"}
	results[1].Facts = measure.AgentFacts{ID: "consumer-0", Role: measure.RoleConsumer, MachineID: "m"}
	consumers := make([]*measure.ConsumerRecorder, len(groups))
	for i, g := range groups {
		consumers[i] = receiving.consumer(g)
	}
	for seq := range uint64(n + 200) {
		at := start + int64(seq)*5*ms
		producer.Sent(measure.Send{Intended: at, Reached: at, Slot: at, Returned: at, Bytes: 100})
		producer.Acked(measure.Ack{Seq: seq, Intended: at, Sent: at, Now: at + ms})
		for i, g := range groups {
			if l := latency(g, seq); l != lost {
				h := measure.Header{Run: run, Key: measure.NoKey, Seq: seq, Intended: at, Sent: at}
				consumers[i].Received(payloadOf(h, 100), 0, at+l)
			}
		}
	}
	results[0].AddProducer(0, producer, 200, n+200)
	sending.addTo(failing{}, &results[0])
	receiving.addTo(failing{}, &results[1])
	return results[:]
}

// failing is a test that may not fail.
type failing struct{}

func (failing) Fatalf(text string, args ...any) { panic(fmt.Sprintf(text, args...)) }

// lost is the latency of a message that never arrives.
const lost = int64(-1 << 62)

func TestTheWorstGroupCounts(t *testing.T) {
	got, err := measure.Merge(measure.Asked{Workload: workload(1, 2), Due: every(5 * ms), Remaining: &measure.Remaining{}}, flow(func(group string, seq uint64) int64 {
		switch {
		case group == "slow" && seq%100 == 50:
			return lost
		case group == "slow":
			return 30 * ms
		default:
			return 2 * ms
		}
	}, "fast", "slow"))
	if err != nil {
		t.Fatal(err)
	}
	if want := (measure.Counts{Offered: 2000, Sent: 2000, Acked: 2000, Received: 3980, Lost: 20, Bytes: 200_000}); got.Counts != want {
		t.Errorf("Counts = %+v, want %+v", got.Counts, want)
	}
	if fast, slow := got.Groups["fast"], got.Groups["slow"]; fast.Lost != 0 || slow.Lost != 20 || slow.Received != 1980 {
		t.Errorf("groups = %+v, want 0 lost by fast and 20 by slow", got.Groups)
	}
	if p := got.E2E.P99NS; p == nil || !near(*p, 30*ms) || *got.Groups["fast"].E2E.P99NS > 3*ms {
		t.Errorf("E2E = %+v, want that of slow", got.E2E)
	}
	// 6 messages of the measure stage arrived after it.
	if got.Throughput != 197.4 {
		t.Errorf("Throughput = %v, want 197.4", got.Throughput)
	}
	if !got.Validity.OK {
		t.Errorf("Validity = %+v, want OK: losses and slowness are answers", got.Validity)
	}
	got.SetBrokerCPU(3.974, 1000)
	if p := got.CPU.PerMillion; p == nil || *p != 1000 {
		t.Errorf("SetBrokerCPU(3.974 s) gives %+v, want 1000 s per million", got.CPU)
	}
}

func TestMergeRefuses(t *testing.T) {
	tests := map[string]func([]measure.AgentResult) []measure.AgentResult{
		"a missing producer": func(a []measure.AgentResult) []measure.AgentResult { return a[1:] },
		"a missing group":    func(a []measure.AgentResult) []measure.AgentResult { return a[:1] },
		"a second account":   func(a []measure.AgentResult) []measure.AgentResult { return append(a, a[0]) },
		"a histogram that is none": func(a []measure.AgentResult) []measure.AgentResult {
			a[0].Latencies[measure.Backpressure] = "x"
			return a
		},
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			agents := change(flow(func(string, uint64) int64 { return ms }, "g"))
			if _, err := measure.Merge(measure.Asked{Workload: workload(1, 1), Due: every(5 * ms)}, agents); err == nil {
				t.Errorf("Merge() = nil, want an error")
			}
		})
	}
}

func TestBacklogFollowsTheSlowestGroup(t *testing.T) {
	snapshot := func(second int, acked int64, groups map[string]int64) measure.Snapshot {
		return measure.Snapshot{Second: second, Counts: measure.Counts{Acked: acked}, InFlight: 1, Groups: groups, CPUSeconds: 0.5}
	}
	rows, err := measure.MergeSnapshots(
		[]measure.Snapshot{snapshot(0, 100, nil), snapshot(1, 100, nil), snapshot(2, 0, nil)},
		[]measure.Snapshot{
			snapshot(0, 0, map[string]int64{"a": 90, "b": 101}),
			snapshot(1, 0, map[string]int64{"a": 100, "b": 0}),
			snapshot(2, 0, map[string]int64{"a": 10, "b": 110}),
			snapshot(3, 0, map[string]int64{"a": 0, "b": 0}),
		},
	)
	if err != nil {
		t.Fatal(err)
	}
	var got []int64
	for _, r := range rows {
		got = append(got, r.Backlog)
	}
	if want := []int64{10, 99, 0, 0}; !slices.Equal(got, want) {
		t.Errorf("backlogs = %v, want %v", got, want)
	}
	if r := rows[1]; r.InFlight != 2 || r.CPUSeconds != 1 || r.Counts.Acked != 100 || r.Second != 1 {
		t.Errorf("second 1 = %+v, want the sums of both agents", r)
	}
	if _, err := measure.NewTimeline().Add(snapshot(1, 0, nil), snapshot(2, 0, nil)); err == nil {
		t.Errorf("Add(two different seconds) = nil, want an error")
	}
}
