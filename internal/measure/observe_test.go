//go:build !race

package measure_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
)

// fate is what becomes of one message.
type fate int

const (
	arrives fate = iota
	undelivered
	unanswered
	fails
	failsAndArrives
	unsent
)

// scenario is a load of one producer, every 5 ms of a stage of 10 s, and what became
// of each message of the measure stage.
type scenario struct {
	fates     []fate
	latencies []int64 // of those that arrive
	drain     time.Duration
	remaining measure.Remaining
	inFlight  int
	late      func(seq uint64) int64 // by how much the pacer is, which the latencies contain; never if nil
}

// result plays the scenario into recorders and merges them.
func (c scenario) result(t fataler) measure.Merged {
	const warmup = 200
	sending, receiving := newRecording(), newRecording()
	producer, consumer := sending.producer(), receiving.consumer("g")
	for seq := range uint64(warmup + len(c.fates)) {
		at := start + int64(seq)*5*ms
		is, latency := arrives, ms
		if seq >= warmup {
			is, latency = c.fates[seq-warmup], c.latencies[seq-warmup]
		}
		if is == unsent {
			producer.Unsent(at, start+int64(11*time.Second+c.drain), 0)
			continue
		}
		reached := at
		if c.late != nil {
			reached += c.late(seq)
		}
		producer.Sent(measure.Send{Intended: at, Reached: reached, Slot: reached, Returned: reached, Bytes: 100})
		ack := measure.Ack{Seq: seq, Intended: at, Sent: at, Now: at + ms}
		switch is {
		case fails, failsAndArrives:
			ack.Err = errors.New("refused")
			fallthrough
		case arrives, undelivered:
			producer.Acked(ack)
		}
		if is == arrives || is == failsAndArrives {
			h := measure.Header{Run: run, Key: measure.NoKey, Seq: seq, Intended: at, Sent: at}
			consumer.Received(payloadOf(h, 100), 0, at+latency)
		}
	}
	agents := []measure.AgentResult{
		{Facts: measure.AgentFacts{Role: measure.RoleProducer, MachineID: "m"}},
		{Facts: measure.AgentFacts{Role: measure.RoleConsumer, MachineID: "m"}},
	}
	agents[0].AddProducer(0, producer, warmup, warmup+uint64(len(c.fates)))
	sending.addTo(t, &agents[0])
	receiving.addTo(t, &agents[1])
	w := workload(1, 1)
	w.Stages.Drain, w.Load.MaxInFlight = experiment.Duration(c.drain), c.inFlight
	merged, err := measure.Merge(measure.Asked{Workload: w, Due: every(5 * ms), Remaining: &c.remaining}, agents)
	if err != nil {
		t.Fatalf("Merge() = %v, want no error", err)
	}
	return merged
}

// TestQuantilesAreOfWhatWasOffered compares with sorted slices: once with everything
// that did not come at its bound, once with it at infinity.
func TestQuantilesAreOfWhatWasOffered(t *testing.T) {
	const never = int64(1 << 62)
	rapid.Check(t, func(t *rapid.T) {
		c := scenario{drain: time.Duration(rapid.IntRange(1, 20).Draw(t, "drain")) * time.Second}
		n := rapid.IntRange(1, 2000).Draw(t, "offered")
		comes := rapid.IntRange(1, 100).Draw(t, "per cent that comes")
		end := start + int64(11*time.Second+c.drain)
		var low, high []int64
		unsentFrom := n - rapid.IntRange(0, n).Draw(t, "unsent")*rapid.IntRange(0, 1).Draw(t, "some unsent")
		for i := range n {
			is := arrives
			if rapid.IntRange(1, 100).Draw(t, "draw") > comes {
				is = rapid.SampledFrom([]fate{undelivered, unanswered, fails, failsAndArrives}).Draw(t, "fate")
			}
			if i >= unsentFrom {
				is = unsent
			}
			latency := rapid.Int64Range(1, int64(8*time.Second)).Draw(t, "latency")
			c.fates, c.latencies = append(c.fates, is), append(c.latencies, latency)
			switch bound := end - start - int64(200+i)*5*ms; is {
			case arrives, failsAndArrives:
				low, high = append(low, latency), append(high, latency)
			case fails:
				low, high = append(low, int64(10*time.Second+c.drain)), append(high, never)
			default:
				low, high = append(low, bound), append(high, never)
			}
		}
		slices.Sort(low)
		slices.Sort(high)
		got := c.result(t).E2E
		if got.Offered() != int64(n) {
			t.Fatalf("Offered() = %d, want %d", got.Offered(), n)
		}
		for name, perMyriad := range map[string]int{"p50": 5000, "p90": 9000, "p95": 9500, "p99": 9900, "p999": 9990} {
			rank := (perMyriad*n + 9999) / 10000
			q := got.Quantile(name)
			if n-rank < 10 {
				if q.NS != nil {
					t.Fatalf("%s of %d = %d, want absent: too few beyond it", name, n, *q.NS)
				}
				continue
			}
			if q.NS == nil || !near(*q.NS, low[rank-1]) {
				t.Fatalf("%s of %d = %+v, want %d", name, n, q, low[rank-1])
			}
			if exact := low[rank-1] == high[rank-1]; exact && !q.Exact || q.Exact && !near(*q.NS, high[rank-1]) {
				t.Fatalf("%s of %d is exact: %t; it is between %d and %d", name, n, q.Exact, low[rank-1], high[rank-1])
			}
		}
	})
}

func TestBooksBalance(t *testing.T) {
	c := scenario{drain: time.Second}
	for i := range 2000 {
		is := arrives
		switch {
		case i >= 1900:
			is = unsent
		case i%100 == 1:
			is = undelivered
		case i%100 == 2:
			is = unanswered
		case i%100 == 3:
			is = fails
		}
		c.fates, c.latencies = append(c.fates, is), append(c.latencies, ms)
	}
	r := c.result(t)
	got := r.Counts
	want := measure.Counts{Offered: 2000, Sent: 1900, Unsent: 100, Acked: 1862, Failed: 19, Unanswered: 19, Received: 1843, Lost: 19, Bytes: 190_000}
	if got != want {
		t.Errorf("Counts = %+v, want %+v", got, want)
	}
	if got.Offered != got.Unsent+got.Acked+got.Failed+got.Unanswered {
		t.Errorf("Counts = %+v: offered is not the sum of unsent, acked, failed and unanswered", got)
	}
	if r.E2E.P99NS != nil || r.E2E.P99AtLeastNS == nil || *r.E2E.P99AtLeastNS < 500*ms {
		t.Errorf("E2E = %+v, want a p99 of at least half a second: the last 100 messages were never sent", r.E2E)
	}
	if r.Publish.P99NS != nil || r.Publish.P50NS == nil {
		t.Errorf("Publish = %+v, want a p50 and no p99", r.Publish)
	}
}
