package measure_test

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"dec.local/dec/internal/measure"
)

var run = measure.RunHash("r000000001")

func payloadOf(h measure.Header, size int) []byte {
	payload := bytes.Repeat([]byte{0xa5}, size)
	h.Put(payload, measure.BodySum(payload))
	return payload
}

func TestHeaderSurvives(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := measure.Header{
			Run:      rapid.Uint64().Draw(t, "run"),
			Producer: rapid.Uint32Max(1<<31-1).Draw(t, "producer"),
			Key:      rapid.Uint32().Draw(t, "key"),
			Seq:      rapid.Uint64Max(measure.MaxSequence-1).Draw(t, "seq"),
			KeySeq:   rapid.Uint64().Draw(t, "key seq"),
			Intended: rapid.Int64().Draw(t, "intended"),
			Sent:     rapid.Int64().Draw(t, "sent"),
		}
		payload := payloadOf(want, rapid.IntRange(measure.HeaderBytes, 2000).Draw(t, "size"))
		got, kind := measure.ParseHeader(payload, want.Run)
		if kind != measure.Intact || got != want {
			t.Fatalf("ParseHeader(Put()) = %+v, kind %d, want %+v, intact", got, kind, want)
		}
		if _, kind := measure.ParseHeader(payload, want.Run+1); kind != measure.Foreign {
			t.Fatalf("ParseHeader() in another run = kind %d, want foreign", kind)
		}
	})
}

func TestEveryFlippedBitIsFound(t *testing.T) {
	payload := payloadOf(measure.Header{Run: run, Producer: 3, Seq: 7}, 100)
	for i := range len(payload) * 8 {
		payload[i/8] ^= 1 << (i % 8)
		if _, kind := measure.ParseHeader(payload, run); kind != measure.Corrupt {
			t.Errorf("ParseHeader() with bit %d flipped = kind %d, want corrupt", i, kind)
		}
		payload[i/8] ^= 1 << (i % 8)
	}
	for n := range payload {
		if _, kind := measure.ParseHeader(payload[:n], run); kind != measure.Corrupt {
			t.Errorf("ParseHeader() of %d bytes of %d = kind %d, want corrupt", n, len(payload), kind)
		}
	}
}

func TestWhatWeNeverWroteIsForeign(t *testing.T) {
	if _, kind := measure.ParseHeader(bytes.Repeat([]byte("hello"), 50), run); kind != measure.Foreign {
		t.Errorf("ParseHeader(other bytes) = kind %d, want foreign", kind)
	}
}

func TestRunHashTellsRunsApart(t *testing.T) {
	if measure.RunHash("r1") == measure.RunHash("r2") || measure.RunHash("r1") == measure.RunHash("r11") {
		t.Errorf("RunHash() is the same for two runs")
	}
}

func FuzzParseHeader(f *testing.F) {
	f.Add(payloadOf(measure.Header{Run: run}, 64))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, payload []byte) {
		h, kind := measure.ParseHeader(payload, run)
		if kind != measure.Intact {
			return
		}
		tracker := measure.NewTracker(measure.MaxOrders)
		tracker.Receive(h, 0)
		if again := tracker.Receive(h, 0); !again.Duplicate {
			t.Errorf("the second %+v is no duplicate", h)
		}
	})
}

func TestHeaderAllocatesNothing(t *testing.T) {
	payload := make([]byte, 1024)
	h := measure.Header{Run: run}
	got := testing.AllocsPerRun(1000, func() {
		h.Seq++
		h.Put(payload, measure.BodySum(payload))
		if back, kind := measure.ParseHeader(payload, run); kind != measure.Intact || back.Seq != h.Seq {
			t.Errorf("ParseHeader() = %+v, kind %d, want %+v", back, kind, h)
		}
	})
	if got != 0 {
		t.Errorf("Put() and ParseHeader() allocate %v times, want 0", got)
	}
}

func TestTracker(t *testing.T) {
	type arrival struct {
		h         measure.Header
		partition int
	}
	keyed := func(key uint32, seq uint64) arrival { return arrival{measure.Header{Key: key, Seq: seq}, 0} }
	in := func(partition int, seq uint64) arrival {
		return arrival{measure.Header{Key: measure.NoKey, Seq: seq}, partition}
	}
	var (
		fine      = measure.Arrival{}
		again     = measure.Arrival{Duplicate: true}
		reordered = measure.Arrival{Reordered: true}
	)
	tests := map[string]struct {
		arrivals []arrival
		want     []measure.Arrival
	}{
		"in order":                            {[]arrival{in(0, 0), in(0, 1), in(0, 5)}, []measure.Arrival{fine, fine, fine}},
		"a late one of the partition":         {[]arrival{in(0, 1), in(0, 0), in(0, 2)}, []measure.Arrival{fine, reordered, fine}},
		"partitions promise nothing together": {[]arrival{in(0, 1), in(1, 0)}, []measure.Arrival{fine, fine}},
		"a late one of the key":               {[]arrival{keyed(4, 9), keyed(4, 3)}, []measure.Arrival{fine, reordered}},
		"keys promise nothing together":       {[]arrival{keyed(4, 9), keyed(5, 3)}, []measure.Arrival{fine, fine}},
		"a key is no partition":               {[]arrival{keyed(0, 9), in(0, 3)}, []measure.Arrival{fine, fine}},
		"a redelivery is no reordering":       {[]arrival{in(0, 1), in(0, 2), in(0, 1), in(0, 2), in(0, 3)}, []measure.Arrival{fine, fine, again, again, fine}},
		"producers promise nothing together": {
			[]arrival{{measure.Header{Producer: 1, Seq: 5}, 0}, {measure.Header{Producer: 2, Seq: 3}, 0}, {measure.Header{Producer: 1, Seq: 5}, 0}},
			[]measure.Arrival{fine, fine, again},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			tracker := measure.NewTracker(measure.MaxOrders)
			var got []measure.Arrival
			for _, a := range tt.arrivals {
				got = append(got, tracker.Receive(a.h, a.partition))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("Receive() differs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTrackerSaysWhichOrdersItDoesNotWatch(t *testing.T) {
	const watched = 1 << 10
	tracker := measure.NewTracker(watched)
	for key := range uint32(watched) {
		if got := tracker.Receive(measure.Header{Key: key, Seq: uint64(key)}, 0); got != (measure.Arrival{}) {
			t.Fatalf("Receive(key %d) = %+v, want nothing special", key, got)
		}
	}
	if got := tracker.Receive(measure.Header{Key: watched, Seq: watched}, 0); !got.Unwatched {
		t.Errorf("Receive(key %d) = %+v, want unwatched", watched, got)
	}
	if got := tracker.Received()[0].Count(); got != watched+1 {
		t.Errorf("Received() has %d messages, want %d", got, watched+1)
	}
}

func BenchmarkHeader1KiB(b *testing.B) {
	payload := make([]byte, 1024)
	h := measure.Header{Run: run}
	b.Run("put", func(b *testing.B) {
		for b.Loop() {
			h.Put(payload, measure.BodySum(payload))
		}
	})
	b.Run("parse", func(b *testing.B) {
		for b.Loop() {
			measure.ParseHeader(payload, run)
		}
	})
}

func BenchmarkTracker(b *testing.B) {
	tracker := measure.NewTracker(measure.MaxOrders)
	h := measure.Header{Key: measure.NoKey}
	for b.Loop() {
		h.Seq++
		tracker.Receive(h, int(h.Seq%8))
	}
}
