package agent_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"dec.local/dec/internal/agent"
	"dec.local/dec/internal/agent/agenttest"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
	"dec.local/dec/technology"
)

func TestRunCountsEveryMessage(t *testing.T) {
	// 1,000 messages of warm-up, then 2,000 that count.
	all := measure.Counts{Offered: 2000, Sent: 2000, Acked: 2000, Received: 2000, Bytes: 200_000}
	with := func(change func(*measure.Counts)) measure.Counts {
		c := all
		change(&c)
		return c
	}
	// every applies a fault to each k-th message of the measure stage.
	every := func(k int64, fault agenttest.Fault) func(int64) agenttest.Fault {
		return func(n int64) agenttest.Fault {
			if n >= 1000 && (n-1000)%k == k/2 {
				return fault
			}
			return agenttest.Fault{}
		}
	}
	tests := map[string]struct {
		fault func(int64) agenttest.Fault
		want  measure.Counts
		valid bool
		set   func(*agenttest.Options)
	}{
		"nothing happens":      {nil, all, true, nil},
		"37 messages are lost": {every(54, agenttest.Fault{Lose: true}), with(func(c *measure.Counts) { c.Lost, c.Received = 37, 1963 }), true, nil},
		"20 messages are held until the end": {
			every(100, agenttest.Fault{Keep: true}), with(func(c *measure.Counts) { c.Undelivered, c.Received = 20, 1980 }), true, nil},
		"20 are gone, and a retention deletes messages": {
			every(100, agenttest.Fault{Lose: true}), with(func(c *measure.Counts) { c.AgedOut, c.Received = 20, 1980 }), true,
			func(o *agenttest.Options) { o.Expired = true }},
		"20 did not come, and nobody can tell why": {
			every(100, agenttest.Fault{Keep: true}), with(func(c *measure.Counts) { c.Missing, c.Received = 20, 1980 }), true,
			func(o *agenttest.Options) { o.RereadErr = errTest }},
		"20 messages come twice":               {every(100, agenttest.Fault{Duplicate: true}), with(func(c *measure.Counts) { c.Duplicates, c.Received = 20, 2020 }), true, nil},
		"20 pairs are swapped":                 {every(100, agenttest.Fault{Swap: true}), with(func(c *measure.Counts) { c.Reordered = 20 }), true, nil},
		"20 messages are damaged":              {every(100, agenttest.Fault{Corrupt: true}), with(func(c *measure.Counts) { c.Corrupt, c.Lost, c.Received = 20, 20, 1980 }), true, nil},
		"20 messages are not taken":            {every(100, agenttest.Fault{Refuse: errTest}), with(func(c *measure.Counts) { c.Failed, c.Acked, c.Received = 20, 1980, 1980 }), true, nil},
		"20 messages fail":                     {every(100, agenttest.Fault{Fail: errTest}), with(func(c *measure.Counts) { c.Failed, c.Acked, c.Received = 20, 1980, 1980 }), true, nil},
		"20 messages are never answered":       {every(100, agenttest.Fault{Mute: true}), with(func(c *measure.Counts) { c.Unanswered, c.Acked, c.Received = 20, 1980, 1980 }), true, nil},
		"20 messages are acknowledged twice":   {every(100, agenttest.Fault{AckTwice: true}), all, false, nil},
		"faults of the warm-up are not judged": {func(n int64) agenttest.Fault { return agenttest.Fault{Lose: n < 500} }, all, true, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				options := agenttest.Options{Latency: time.Millisecond, Fault: tt.fault}
				if tt.set != nil {
					tt.set(&options)
				}
				b := newBench(t, workload(), options)
				got, _ := b.run()
				if diff := cmp.Diff(tt.want, got.Counts); diff != "" {
					t.Errorf("Counts (-want +got):\n%s", diff)
				}
				if got.Validity.OK != tt.valid {
					t.Errorf("Validity = %+v, want %t", got.Validity, tt.valid)
				}
			})
		})
	}
}

func TestRunMeasuresAKnownLatency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got, seconds := newBench(t, workload(), agenttest.Options{Latency: 7 * time.Millisecond}).run()
		for name, l := range map[string]measure.Latency{
			"publish latency": got.Publish, "publish service": got.PublishSvc, "e2e latency": got.E2E, "e2e service": got.E2ESvc,
		} {
			if l.P50NS == nil || !within(time.Duration(*l.P50NS), 7*time.Millisecond, 0.001) || l.Count != 2000 {
				t.Errorf("%s = %+v, want 2000 samples of 7 ms", name, l)
			}
		}
		if *got.Lateness.MaxNS != 0 || *got.Wait.MaxNS != 0 {
			t.Errorf("pacer lateness up to %d ns and back-pressure up to %d ns, want none", *got.Lateness.MaxNS, *got.Wait.MaxNS)
		}
		var offered, acked int64
		for i, s := range seconds {
			if s.Second != i {
				t.Fatalf("second %d came at place %d", s.Second, i)
			}
			offered, acked = offered+s.Counts.Offered, acked+s.Counts.Acked
		}
		if offered != 3000 || acked != 3000 {
			t.Errorf("seconds with %d offered and %d acked, want 3000 of both", offered, acked)
		}
	})
}

// within reports whether got is at most a share of want away from it.
func within(got, want time.Duration, share float64) bool {
	return max(got-want, want-got) <= time.Duration(share*float64(want))
}

func TestRunMergesSharesToTheSameTotals(t *testing.T) {
	tests := map[string]func(*experiment.Workload){
		"no keys": func(*experiment.Workload) {},
		"round robin": func(w *experiment.Workload) {
			w.Message.Key = experiment.Key{Kind: experiment.KeyRoundRobin, Cardinality: 6}
		},
		"uniform keys, poisson, sizes": func(w *experiment.Workload) {
			w.Message.Key = experiment.Key{Kind: experiment.KeyUniform, Cardinality: 50}
			w.Message.Size = experiment.Size{Min: 100, Max: 4000}
			w.Load.Arrivals = experiment.ArrivalsPoisson
		},
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			// The same four producers and two groups of two, on one agent each
			// and on two agents each.
			total := func(t *testing.T, nodes int) (result measure.Result) {
				synctest.Test(t, func(t *testing.T) {
					w := workload(change, func(w *experiment.Workload) {
						w.Topology = experiment.Topology{
							Partitions: 6, Replicas: 1, Producers: 4, ConsumerGroups: 2, ConsumersPerGroup: 2,
							ProducerNodes: nodes, ConsumerNodes: nodes,
						}
					})
					result, _ = newBench(t, w, agenttest.Options{
						Latency: time.Millisecond,
						Fault:   func(n int64) agenttest.Fault { return agenttest.Fault{Lose: n%1000 == 7} },
					}).run()
				})
				return result
			}
			one, two := total(t, 1), total(t, 2)
			if got, want := len(one.Agents), 2; got != want {
				t.Errorf("%d agents on one node each, want %d", got, want)
			}
			if got, want := len(two.Agents), 4; got != want {
				t.Errorf("%d agents on two nodes each, want %d", got, want)
			}
			if diff := cmp.Diff(one.Counts, two.Counts); diff != "" {
				t.Errorf("Counts (-one node +two nodes):\n%s", diff)
			}
			c := two.Counts
			if c.Offered < 1900 || c.Sent != c.Offered || c.Acked != c.Sent || c.Lost == 0 || c.Received != 2*c.Acked-c.Lost || c.Reordered != 0 || c.Duplicates != 0 {
				t.Errorf("Counts = %+v, want all sent, received twice, the lost ones found", c)
			}
			if two.E2E.Count != two.Groups["group-0"].Received {
				t.Errorf("e2e latency of %d messages, group-0 received %d", two.E2E.Count, two.Groups["group-0"].Received)
			}
		})
	}
}

func TestProducersGoRoundFromPartitionsOfTheirOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := workload(func(w *experiment.Workload) {
			w.Topology.Partitions, w.Topology.Producers = 3, 4
			w.Message.Key = experiment.Key{Kind: experiment.KeyRoundRobin, Cardinality: 3}
		})
		first := map[uint32]int{} // partition of the first message, by producer
		var b *bench
		b = newBench(t, w, agenttest.Options{Watch: func(m technology.Message) {
			h, kind := measure.ParseHeader(m.Payload, measure.RunHash(b.plan.Run))
			if want := int((uint64(h.Producer) + h.Seq) % 3); kind != measure.Intact || m.Partition != want {
				t.Errorf("message %d of producer %d went to partition %d, want %d", h.Seq, h.Producer, m.Partition, want)
			}
			if h.Seq == 0 {
				first[h.Producer] = m.Partition
			}
		}})
		b.run()
		if diff := cmp.Diff(map[uint32]int{0: 0, 1: 1, 2: 2, 3: 0}, first); diff != "" {
			t.Errorf("partitions of the first messages (-want +got):\n%s", diff)
		}
	})
}

func TestIncidentsThatDidNotHappenAreZeroAndOthersUnknown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		told := []experiment.Incident{experiment.RetriedSends, experiment.Reconnects}
		got, _ := newBench(t, workload(), agenttest.Options{Effective: experiment.Effective{Incidents: told}}).run()
		if diff := cmp.Diff(map[experiment.Incident]int64{"retried_sends": 0, "reconnects": 0}, got.Incidents); diff != "" {
			t.Errorf("incidents (-want +got):\n%s", diff)
		}
		got, _ = newBench(t, workload(), agenttest.Options{}).run()
		if got.Incidents != nil {
			t.Errorf("incidents of clients that tell none = %v, want none", got.Incidents)
		}
	})
}

func TestNoFsyncFellIntoTheStage(t *testing.T) {
	// 3 s of load with 3,000 messages of 100 bytes.
	tests := map[string]struct {
		fsync *experiment.Fsync
		want  bool
	}{
		"nobody knows":                              {nil, false},
		"never":                                     {&experiment.Fsync{}, true},
		"not that soon":                             {&experiment.Fsync{AfterNS: int64(time.Minute)}, true},
		"perhaps":                                   {&experiment.Fsync{AfterNS: int64(3 * time.Second)}, false},
		"a segment that was not full":               {&experiment.Fsync{AfterBytes: 2 << 20}, true},
		"a segment that may have been full":         {&experiment.Fsync{AfterBytes: 1 << 20}, false},
		"a segment not full, but time enough":       {&experiment.Fsync{AfterBytes: 2 << 20, AfterNS: 1}, false},
		"time not enough, but a segment that was":   {&experiment.Fsync{AfterBytes: 1000, AfterNS: int64(time.Minute)}, false},
		"neither time enough, nor a segment's size": {&experiment.Fsync{AfterBytes: 2 << 20, AfterNS: int64(time.Minute)}, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				got, _ := newBench(t, workload(), agenttest.Options{Effective: experiment.Effective{Fsync: tt.fsync}}).run()
				if got.NoFsync != tt.want {
					t.Errorf("NoFsync = %t, want %t", got.NoFsync, tt.want)
				}
			})
		})
	}
}

func TestAMessageBeforeTheLoadHasBegunIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		received, begin, recorded := agent.Early(workload())
		payload := make([]byte, 100)
		measure.Header{Run: 1, Key: measure.NoKey, Intended: time.Now().UnixNano()}.Put(payload, measure.BodySum(payload))
		go received(technology.Message{Payload: payload})
		synctest.Wait()
		begin()
		synctest.Wait()
		if got := recorded(); got != 1 {
			t.Errorf("%d messages recorded, want 1", got)
		}
	})
}
