package measure_test

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
)

const (
	us = int64(time.Microsecond)
	ms = int64(time.Millisecond)
	s  = int64(time.Second)
)

// start is the beginning of the load phase in these tests, wall ns.
var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC).UnixNano()

// window has one second of warm-up and ten to measure.
var window = measure.Window{Start: start, Warmup: time.Second, Measure: 10 * time.Second}

func TestWindowStages(t *testing.T) {
	stages := experiment.Stages{Warmup: experiment.Duration(time.Second), Measure: experiment.Duration(10 * time.Second)}
	w := measure.NewWindow(time.Unix(0, start), stages)
	for at, want := range map[int64]experiment.Stage{
		start: experiment.StageWarmup, start + s - 1: experiment.StageWarmup,
		start + s: experiment.StageMeasure, start + 11*s - 1: experiment.StageMeasure,
		start + 11*s: experiment.StageDrain,
	} {
		if got := w.Stage(at); got != want {
			t.Errorf("Stage(start + %s) = %s, want %s", time.Duration(at-start), got, want)
		}
	}
}

// send is one message of a test, relative to the start of the measure stage.
type send struct{ intended, reached, slot, returned, preempted int64 }

func TestTheTwoKindsOfLate(t *testing.T) {
	tests := map[string]struct {
		sends    []send
		lateness []int64 // expected, in order of size
		wait     []int64
	}{
		"in time":                     {[]send{{0, 0, 0, us, 0}}, []int64{0}, []int64{0}},
		"the pacer woke up late":      {[]send{{0, 50 * us, 50 * us, 51 * us, 0}}, []int64{50 * us}, []int64{0}},
		"no slot was free":            {[]send{{0, 10 * us, 5 * ms, 5*ms + us, 0}}, []int64{10 * us}, []int64{5*ms - 10*us}},
		"it waits for the one before": {[]send{{0, 0, 5 * ms, 5 * ms, 0}, {ms, 5 * ms, 5 * ms, 5 * ms, 0}}, []int64{0, 0}, []int64{4 * ms, 5 * ms}},
		"a late pacer stays late for all that were due": {
			[]send{{0, 9 * ms, 9 * ms, 9 * ms, 0}, {ms, 9 * ms, 9 * ms, 9 * ms, 0}}, []int64{8 * ms, 9 * ms}, []int64{0, 0},
		},
		"both in one message": {
			// 2 ms late, then blocked for 3 ms; the next one is due 1 ms into that.
			[]send{{0, 2 * ms, 5 * ms, 5 * ms, 0}, {3 * ms, 6 * ms, 6 * ms, 6 * ms, 0}}, []int64{ms, 2 * ms}, []int64{2 * ms, 3 * ms},
		},
		"a client that blocks in Send": {
			[]send{{0, 0, 0, 4 * ms, 0}, {ms, 4 * ms, 4 * ms, 4*ms + us, 0}}, []int64{0, 0}, []int64{0, 3 * ms},
		},
		"a client that blocks in Send for a tenth of a millisecond": {
			[]send{{0, 0, 0, 100 * us, 0}, {us, 100 * us, 100 * us, 101 * us, 0}}, []int64{0, 0}, []int64{0, 99 * us},
		},
		"the work of sending is the pacer's": {
			[]send{{0, 0, 0, 50 * us, 0}, {us, 50 * us, 50 * us, 51 * us, 0}}, []int64{0, 49 * us}, []int64{0, 0},
		},
		"the pacer was preempted in Send": {
			[]send{{0, 0, 0, 4 * ms, 4 * ms}, {ms, 4 * ms, 4 * ms, 4*ms + us, 0}}, []int64{0, 3 * ms}, []int64{0, 0},
		},
		"some of each in one Send": {
			[]send{{0, 0, 0, 4 * ms, ms}, {us, 4 * ms, 4 * ms, 4*ms + us, 0}}, []int64{0, ms - us}, []int64{0, 3 * ms},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			agent := newRecording()
			r := agent.producer()
			at := start + s
			for _, m := range tt.sends {
				r.Sent(measure.Send{Intended: at + m.intended, Reached: at + m.reached, Slot: at + m.slot, Returned: at + m.returned, Preempted: m.preempted})
			}
			var result measure.AgentResult
			agent.addTo(t, &result)
			for name, want := range map[measure.Distribution][]int64{measure.PacerLateness: tt.lateness, measure.Backpressure: tt.wait} {
				if diff := cmp.Diff(encode(t, histogramOf(want...)), result.Latencies[name]); diff != "" {
					h, _ := measure.DecodeHistogram(result.Latencies[name])
					t.Errorf("%s = %+v, want %v", name, h.Summary(), want)
				}
			}
		})
	}
}

// TestSaturationIsBackPressure drives a producer at twice the speed at which
// slots come free, with a fifth of its time spent on the work of sending: the
// work never makes the pacer late, however far it falls behind.
func TestSaturationIsBackPressure(t *testing.T) {
	agent := newRecording()
	r := agent.producer()
	const n = 20_000
	returned := start + s
	for i := range int64(n) {
		intended := start + s + i*100*us
		reached := max(intended, returned)
		slot := max(reached, start+s+i*200*us)
		returned = slot + 20*us
		r.Sent(measure.Send{Intended: intended, Reached: reached, Slot: slot, Returned: returned})
	}
	var result measure.AgentResult
	agent.addTo(t, &result)
	h, err := measure.DecodeHistogram(result.Latencies[measure.PacerLateness])
	if err != nil || h.Summary().Zero != n {
		t.Errorf("lateness = %+v, %v, want %d times 0", h.Summary(), err, n)
	}
}

func TestUnsentMessages(t *testing.T) {
	tests := map[string]struct {
		blocked int64
		missed  int64
	}{
		"no slot came free":            {blocked: 9 * s, missed: 0},
		"the pacer did not reach it":   {blocked: 0, missed: 1},
		"the pacer is mostly at fault": {blocked: 4 * s, missed: 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			agent := newRecording()
			r := agent.producer()
			r.Blocked(start+s, start+s+tt.blocked)
			r.Unsent(start+s, start+11*s, 0)
			var got measure.AgentResult
			got.AddProducer(0, r, 0, 1)
			agent.addTo(t, &got)
			if got.Missed != tt.missed || got.Counts.Unsent != 1 || got.Counts.Offered != 1 {
				t.Errorf("missed %d of %+v, want %d of 1 unsent", got.Missed, got.Counts, tt.missed)
			}
		})
	}
}

func TestSecondsGoByEventsAndTotalsByIntention(t *testing.T) {
	agent := newRecording()
	r, c := agent.producer(), agent.consumer("g")
	// One message of the warm-up, acknowledged and received in the measure stage.
	h := measure.Header{Run: run, Key: measure.NoKey, Seq: 0, Intended: start + s - ms, Sent: start + s - ms}
	r.Sent(measure.Send{Intended: h.Intended, Reached: h.Sent, Slot: h.Sent, Returned: h.Sent, Bytes: 64})
	r.Acked(measure.Ack{Seq: 0, Intended: h.Intended, Sent: h.Sent, Now: start + s + ms})
	r.Acked(measure.Ack{Seq: 1, Intended: h.Intended, Sent: h.Sent, Now: start + s + ms, Err: errors.New("refused")})
	for range 2 {
		c.Received(payloadOf(h, 64), 0, start+s+2*ms)
	}
	// The seconds are read when both are over: what happened stands where it belongs.
	i := measure.NewInterval()
	if left := agent.drain(0, i); !left {
		t.Error("Drain(second 0) says that nothing happened later")
	}
	first, err := i.Snapshot(0, experiment.StageWarmup)
	if err != nil {
		t.Fatal(err)
	}
	if left := agent.drain(1, i); left {
		t.Error("Drain(second 1) says that something happened later")
	}
	second, err := i.Snapshot(1, experiment.StageMeasure)
	if err != nil {
		t.Fatal(err)
	}
	if want := (measure.Counts{Sent: 1, Bytes: 64}); first.Counts != want || first.InFlight != 1 {
		t.Errorf("second 0 has %+v, %d in flight, want %+v, 1", first.Counts, first.InFlight, want)
	}
	if want := (measure.Counts{Acked: 1, Failed: 1, Received: 2, Duplicates: 1}); second.Counts != want || second.InFlight != 0 {
		t.Errorf("second 1 has %+v, %d in flight, want %+v, 0", second.Counts, second.InFlight, want)
	}
	if diff := cmp.Diff(map[string]int64{"g": 1}, second.Groups); diff != "" {
		t.Errorf("second 1 has groups (-want +got):\n%s", diff)
	}
	if got, want := second.Latencies[measure.E2ELatency], encode(t, histogramOf(3*ms)); got != want {
		t.Errorf("second 1 has the latency %s, want one of 3 ms", got)
	}
	var total measure.AgentResult
	total.AddProducer(0, r, 1, 1)
	agent.addTo(t, &total)
	if total.Counts != (measure.Counts{}) || total.Latencies[measure.PublishLatency] != "" || total.Groups["g"].InWindow != 0 {
		t.Errorf("the measure stage has %+v, want nothing: the message was one of the warm-up", total)
	}
	if diff := cmp.Diff(map[string]int64{"refused": 1}, total.Errors); diff != "" {
		t.Errorf("errors differ (-want +got):\n%s", diff)
	}
}

// TestWhatComesAfterItsSecondWasReadCountsInTheNext draws when messages are sent and when
// the seconds are read: each is counted once, in its second or, if that was read, in the
// first that was not.
func TestWhatComesAfterItsSecondWasReadCountsInTheNext(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		agent := newRecording()
		r, i := agent.producer(), measure.NewInterval()
		want, got := map[int]int64{}, map[int]int64{}
		read := -1
		for range rapid.IntRange(1, 50).Draw(t, "steps") {
			if rapid.IntRange(0, 4).Draw(t, "what") == 0 {
				read++
				agent.drain(read, i)
				snapshot, err := i.Snapshot(read, experiment.StageMeasure)
				if err != nil {
					t.Fatal(err)
				}
				got[read] = snapshot.Counts.Sent
				continue
			}
			at := rapid.IntRange(0, 6).Draw(t, "second")
			moment := start + int64(at)*s
			r.Sent(measure.Send{Intended: moment, Reached: moment, Slot: moment, Returned: moment})
			want[max(at, read+1)]++
		}
		for second := 0; second <= read; second++ {
			if got[second] != want[second] {
				t.Fatalf("second %d has %d messages, want %d", second, got[second], want[second])
			}
		}
	})
}

// TestASealedAccountTakesNothingMore has messages come while the account is read.
func TestASealedAccountTakesNothingMore(t *testing.T) {
	agent := newRecording()
	c := agent.consumer("g")
	receive := func(seq uint64) {
		h := measure.Header{Run: run, Key: measure.NoKey, Seq: seq, Intended: start + s, Sent: start + s}
		c.Received(payloadOf(h, 64), 0, start+s+ms)
	}
	receive(0)
	agent.groups["g"].Seal()
	receive(1)
	var result measure.AgentResult
	agent.addTo(t, &result)
	receive(2)
	log := result.Groups["g"]
	if log.Received[0].Count() != 1 || log.Receipts[0] != 1 || log.InWindow != 1 {
		t.Errorf("account = %+v, want the one message that came before it was sealed", log)
	}
}

func TestRecordersAllocateNothing(t *testing.T) {
	agent := newRecording()
	r, c := agent.producer(), agent.consumer("g")
	payload := make([]byte, 1024)
	h := measure.Header{Run: run, Key: measure.NoKey}
	message := func() {
		at := start + s + int64(h.Seq)*us
		h.Intended, h.Sent = at, at+us
		h.Put(payload, measure.BodySum(payload))
		r.Sent(measure.Send{Intended: at, Reached: at, Slot: at + us, Returned: at + 2*us, Bytes: len(payload)})
		r.Acked(measure.Ack{Seq: h.Seq, Intended: at, Sent: at + us, Now: at + ms})
		c.Received(payload, 0, at+ms)
		h.Seq++
	}
	if got := testing.AllocsPerRun(50_000, message); got != 0 {
		t.Errorf("a message allocates %v times, want 0", got)
	}
}

func BenchmarkRecorders(b *testing.B) {
	agent := newRecording()
	r, c := agent.producer(), agent.consumer("g")
	payload := payloadOf(measure.Header{Run: run, Key: measure.NoKey}, 64)
	b.Run("sent", func(b *testing.B) {
		for at := start + s; b.Loop(); at += us {
			r.Sent(measure.Send{Intended: at, Reached: at, Slot: at, Returned: at + us, Bytes: 1024})
		}
	})
	b.Run("acked", func(b *testing.B) {
		for seq := uint64(0); b.Loop(); seq++ {
			r.Acked(measure.Ack{Seq: seq, Intended: start + s, Sent: start + s, Now: start + s + int64(seq%math.MaxInt16)*us})
		}
	})
	b.Run("received", func(b *testing.B) {
		h := measure.Header{Run: run, Key: measure.NoKey, Intended: start + s}
		for b.Loop() {
			h.Seq++
			h.Put(payload, measure.BodySum(payload))
			c.Received(payload, 0, start+2*s)
		}
	})
	b.Run("drain and encode", func(b *testing.B) {
		i := measure.NewInterval()
		for b.Loop() {
			for n := range int64(20_000) {
				r.Acked(measure.Ack{Intended: start + s, Sent: start + s, Now: start + s + n*n%3_000_000})
			}
			agent.drain(math.MaxInt, i)
			if _, err := i.Snapshot(0, experiment.StageMeasure); err != nil {
				b.Fatal(err)
			}
		}
	})
}
