package reference_test

import (
	"context"
	"encoding/json"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"dec.local/dec/internal/certify/reference"
	"dec.local/dec/internal/measure"
	"dec.local/dec/technology"
)

// bench is a broker with one run, a producer and a consumer of it.
type bench struct {
	t        *testing.T
	at       reference.Endpoints
	run      *reference.Run
	driver   technology.Driver
	producer technology.Producer
	answers  chan answer
	arrived  chan struct{}

	mu       sync.Mutex // protects the following
	received []measure.Header
	kinds    []measure.Kind
}

type answer struct {
	token uint64
	err   error
}

const name = "r1"

func newBench(t *testing.T, s reference.Script) *bench {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- reference.New().Serve(ctx, listener) }()
	b := &bench{t: t, at: reference.Endpoints{Address: listener.Addr().String(), Run: name}, answers: make(chan answer, 100), arrived: make(chan struct{}, 100)}
	if b.run, err = reference.Open(ctx, b.at, s); err != nil {
		t.Fatal(err)
	}
	b.driver = b.open()
	consumer, err := b.driver.Consumer(ctx, "group-0", 0, b.receive)
	if err != nil {
		t.Fatal(err)
	}
	b.producer, err = b.driver.Producer(ctx, 0, func(token uint64, err error) { b.answers <- answer{token, err} })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, c := range []interface{ Close() error }{b.producer, consumer, b.driver, b.run} {
			if err := c.Close(); err != nil {
				t.Errorf("Close() = %v", err)
			}
		}
		stop()
		if err := <-served; err != nil {
			t.Errorf("Serve() = %v", err)
		}
	})
	return b
}

func (b *bench) open() technology.Driver {
	b.t.Helper()
	tech, ok := reference.Technologies(reference.Name)
	if !ok {
		b.t.Fatal("there is no reference technology")
	}
	endpoints, err := json.Marshal(b.at)
	if err != nil {
		b.t.Fatal(err)
	}
	d, err := tech.Open(b.t.Context(), endpoints, technology.Settings{})
	if err != nil {
		b.t.Fatal(err)
	}
	return d
}

func (b *bench) receive(m technology.Message) {
	h, kind := measure.ParseHeader(m.Payload, measure.RunHash(name))
	b.mu.Lock()
	defer b.mu.Unlock()
	b.received, b.kinds = append(b.received, h), append(b.kinds, kind)
	b.arrived <- struct{}{}
}

// send sends messages with the numbers from 0, and waits for so many answers.
func (b *bench) send(messages, answers int) map[uint64]error {
	b.t.Helper()
	for seq := range uint64(messages) {
		payload := make([]byte, 100)
		measure.Header{Run: measure.RunHash(name), Seq: seq, KeySeq: seq, Key: measure.NoKey}.Put(payload, measure.BodySum(payload))
		if err := b.producer.Send(b.t.Context(), seq, technology.Message{Payload: payload}); err != nil {
			b.t.Fatalf("Send() = %v", err)
		}
	}
	got := map[uint64]error{}
	for range answers {
		a := <-b.answers
		got[a.token] = a.err
	}
	return got
}

// end waits until so many messages have been received, and ends the run.
func (b *bench) end(received int) reference.Record {
	b.t.Helper()
	for range received {
		<-b.arrived
	}
	record, err := b.run.End()
	if err != nil {
		b.t.Fatalf("End() = %v", err)
	}
	return record
}

// of are the numbers of messages.
func of(releases []reference.Release) (seqs []uint64) {
	for _, r := range releases {
		seqs = append(seqs, r.Seq)
	}
	return seqs
}

func fault(kind reference.Kind, seq uint64) reference.Fault {
	return reference.Fault{Message: reference.Message{Seq: seq}, Kind: kind}
}

func TestBrokerDoesWhatTheScriptSays(t *testing.T) {
	b := newBench(t, reference.Script{Faults: []reference.Fault{
		fault(reference.Lose, 1), fault(reference.Duplicate, 2), fault(reference.Overtake, 3), fault(reference.Corrupt, 4),
		fault(reference.Refuse, 5), fault(reference.Mute, 6), fault(reference.Corrupt, 70),
	}})
	answers := b.send(72, 71) // of all but the mute one
	record := b.end(69 + 1)   // all but lost, refused and mute; one of them twice

	for seq := range uint64(72) {
		err, answered := answers[seq]
		if answered == (seq == 6) || (err != nil) != (seq == 5) {
			t.Errorf("message %d: answered %t with %v, want that only 6 is not, and only 5 refused", seq, answered, err)
		}
	}
	var intact []uint64
	corrupt := 0
	for i, h := range b.received {
		switch b.kinds[i] {
		case measure.Intact:
			intact = append(intact, h.Seq)
		case measure.Corrupt:
			corrupt++
		default:
			t.Errorf("received %+v, a message of another run", h)
		}
	}
	if corrupt != 2 {
		t.Errorf("%d corrupt messages arrived, want 2", corrupt)
	}
	if i := slices.Index(intact, 3); i < 0 || slices.Max(intact[:i]) < 7 {
		t.Errorf("received %v, want 3 after later ones", intact)
	}
	slices.Sort(intact)
	want := []uint64{0, 2, 2, 3}
	for seq := uint64(7); seq < 72; seq++ {
		if seq != 70 {
			want = append(want, seq)
		}
	}
	if !slices.Equal(intact, want) {
		t.Errorf("received %v, want %v", intact, want)
	}
	if got := len(record.Arrived); got != 72 || len(record.Held) != 0 {
		t.Errorf("the record has %d messages that arrived and holds %v, want 72 and none", got, record.Held)
	}
	if got := of(record.Answers); len(got) != 71 || slices.Contains(got, 6) {
		t.Errorf("the record has answers to %v, want to all but 6", got)
	}
	delivered := slices.Clone(want)
	delivered = append(delivered, 4, 70)
	slices.Sort(delivered)
	got := of(record.Delivered)
	slices.Sort(got)
	if !slices.Equal(got, delivered) {
		t.Errorf("the record has deliveries of %v, want %v", got, delivered)
	}
	for _, r := range record.Delivered {
		if r.Failed != (r.Seq == 4 || r.Seq == 70) {
			t.Errorf("the record says %+v, want that only 4 and 70 are damaged", r)
		}
	}
}

func TestNothingLeavesBeforeItsTime(t *testing.T) {
	const delay = 20 * time.Millisecond
	b := newBench(t, reference.Script{Delay: reference.Delay{Median: delay}})
	sent := time.Now().UnixNano()
	b.send(10, 10)
	for _, r := range b.end(10).Delivered {
		// The clocks of the test and of the broker are anchored some nanoseconds apart.
		if held := time.Duration(r.At - sent); held < delay-time.Millisecond {
			t.Errorf("message %d left after %s, want %s at least", r.Seq, held, delay)
		}
	}
}

func TestNothingLeavesInAStall(t *testing.T) {
	b := newBench(t, reference.Script{Stalls: []reference.Stall{{From: -time.Second, For: 1200 * time.Millisecond}}})
	start := time.Now().UnixNano()
	if err := b.run.Begin(start); err != nil {
		t.Fatal(err)
	}
	b.send(100, 100)
	record := b.end(100)
	for _, r := range slices.Concat(record.Answers, record.Delivered) {
		if r.At < start+int64(200*time.Millisecond) {
			t.Errorf("message %d left %s after the start, in the stall", r.Seq, time.Duration(r.At-start))
		}
	}
	if got := of(record.Delivered); !slices.IsSorted(got) || len(got) != 100 {
		t.Errorf("delivered %v, want 100 in the order in which they came", got)
	}
}

func TestWhatConsumersDoNotGetIsHeld(t *testing.T) {
	b := newBench(t, reference.Script{Stops: time.Nanosecond, Faults: []reference.Fault{fault(reference.Lose, 3)}})
	if err := b.run.Begin(time.Now().Add(-time.Second).UnixNano()); err != nil {
		t.Fatal(err)
	}
	b.send(5, 5)
	var held []uint64
	reader, ok := b.driver.(technology.Rereader)
	if !ok {
		t.Fatal("the driver cannot read again")
	}
	expired, err := reader.Remaining(t.Context(), func(m technology.Message) {
		h, _ := measure.ParseHeader(m.Payload, measure.RunHash(name))
		held = append(held, h.Seq)
	})
	if err != nil || expired || !slices.Equal(held, []uint64{0, 1, 2, 4}) {
		t.Errorf("Remaining() = %v, %t, %v, want all but the lost one", held, expired, err)
	}
	if record := b.end(0); len(record.Held) != 4 || len(record.Delivered) != 0 {
		t.Errorf("the record holds %v and has delivered %v, want 4 and none", record.Held, record.Delivered)
	}
}

// TestLognormalDelaysOvertake draws delays of which some are much longer than
// others.
func TestLognormalDelaysOvertake(t *testing.T) {
	s := reference.Script{Delay: reference.Delay{Median: 10 * time.Millisecond, Sigma: 1}}
	b := newBench(t, s)
	b.send(50, 50)
	if got := of(b.end(50).Delivered); len(got) != 50 || slices.IsSorted(got) {
		t.Errorf("delivered %v, want all, and later ones before earlier ones", got)
	}
}

func TestOtherRunsAreRefused(t *testing.T) {
	b := newBench(t, reference.Script{})
	endpoints, err := json.Marshal(reference.Endpoints{Address: b.at.Address, Run: "another"})
	if err != nil {
		t.Fatal(err)
	}
	tech, _ := reference.Technologies(reference.Name)
	d, err := tech.Open(t.Context(), endpoints, technology.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Consumer(t.Context(), "group-0", 0, func(technology.Message) {}); err == nil {
		t.Error("a consumer of a run that is not open was positioned, want an error")
	}
	if _, ok := reference.Technologies("nats"); ok {
		t.Error("the reference broker passes for another technology")
	}
}
