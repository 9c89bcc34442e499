package kinesis_test

import (
	"fmt"
	"net/http"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/technology"
)

// modes are how consumers read, with a fast poll for the first.
var modes = map[string]setup{
	"polling":          {consumers: "polling", config: `{"poll_interval_ms": 1, "poll_max_records": 3}`},
	"enhanced fan-out": {consumers: "enhanced_fan_out"},
}

// TestResharding splits and merges shards under load. A key goes to other
// shards then, and its messages still come once and in their order.
func TestResharding(t *testing.T) {
	tests := map[string]struct {
		reshard    []func(*fakeKinesis)
		partitions map[int]bool // that the last messages come from: those in whose range a child starts
	}{
		"a split": {[]func(*fakeKinesis){func(f *fakeKinesis) { f.split(1) }}, map[int]bool{0: true, 1: true}},
		"a split of a child": {
			[]func(*fakeKinesis){func(f *fakeKinesis) { f.split(0) }, func(f *fakeKinesis) { f.split(3) }}, map[int]bool{0: true, 1: true},
		},
		"a merge": {[]func(*fakeKinesis){func(f *fakeKinesis) { f.merge(0, 1) }}, map[int]bool{0: true}},
		"a merge with a child that came from a split and a merge, at once": {
			[]func(*fakeKinesis){func(f *fakeKinesis) { f.split(0); f.merge(2, 3); f.merge(4, 1) }}, map[int]bool{0: true},
		},
		"a merge and a split, at once": {
			[]func(*fakeKinesis){func(f *fakeKinesis) { f.merge(0, 1); f.split(2) }}, map[int]bool{0: true, 1: true},
		},
	}
	for mode, s := range modes {
		for name, tt := range tests {
			t.Run(mode+": "+name, func(t *testing.T) {
				f := startFake(t, 2)
				s.members = 2
				b := connect(t, f, s)
				b.consumer("group", 0)
				b.consumer("group", 1)
				p := b.producer()
				want := map[string][]string{}
				sent := 0
				sendSome := func() {
					for range 60 {
						key := fmt.Sprintf("key %d", sent%20)
						want[key] = append(want[key], strconv.Itoa(sent))
						send(t, p, sent, key, strconv.Itoa(sent))
						sent++
					}
					flush(t, p)
				}
				sendSome()
				for _, reshard := range tt.reshard {
					reshard(f)
					sendSome()
				}
				b.wait(b.came, sent, "messages")
				if diff := cmp.Diff(want, b.texts()); diff != "" {
					t.Errorf("received by key (-want +got):\n%s", diff)
				}
				partitions := map[int]bool{}
				for _, m := range b.received {
					if n, _ := strconv.Atoi(string(m.Payload)); n >= sent-60 {
						partitions[m.Partition] = true
					}
				}
				if diff := cmp.Diff(tt.partitions, partitions); diff != "" {
					t.Errorf("partitions of the last messages (-want +got):\n%s", diff)
				}
			})
		}
	}
}

func TestExpiredIteratorsAreRenewed(t *testing.T) {
	f := startFake(t, 1)
	b := connect(t, f, setup{config: `{"poll_interval_ms": 1, "poll_max_records": 3}`})
	b.consumer("group", 0)
	p := b.producer()
	expire := func() { f.update(func() { f.iterators++ }) }
	var want []string
	for round := range 5 {
		expire()
		awaitCalls(f, "GetShardIterator", round+2)
		for i := range 10 {
			want = append(want, fmt.Sprintf("%d of round %d", i, round))
			send(t, p, len(want)-1, "key", want[len(want)-1])
		}
		flush(t, p)
		b.wait(b.came, 10, "messages")
	}
	if diff := cmp.Diff(map[string][]string{"key": want}, b.texts()); diff != "" {
		t.Errorf("received (-want +got):\n%s", diff)
	}
}

// awaitCalls waits until an operation was asked for n times.
func awaitCalls(f *fakeKinesis, operation string, n int) {
	for f.called(operation) < n {
	}
}

func TestThrottledReadsAreCountedAndTriedAgain(t *testing.T) {
	f := startFake(t, 1)
	var open atomic.Bool
	f.refuse = func(call fakeCall) *refusal {
		if call.Operation == "GetRecords" && call.N > 1 && !open.Load() {
			return &refusal{http.StatusBadRequest, throughput}
		}
		return nil
	}
	b := connect(t, f, setup{config: `{"poll_interval_ms": 1}`})
	b.consumer("group", 0)
	p := b.producer()
	send(t, p, 0, "key", "text")
	send(t, p, 1, "key", "text")
	b.wait(b.acked, 2, "acknowledgements")
	awaitCalls(f, "GetRecords", 4)
	open.Store(true)
	b.wait(b.came, 2, "messages")
	send(t, p, 2, "key", "text")
	b.wait(b.came, 1, "messages")
	if got := b.count(experiment.ThrottledReads); got != 2 {
		t.Errorf("throttled_reads = %d, want 2: the messages that came after refused reads", got)
	}
}

func TestAReadThatFailsIsTriedAgain(t *testing.T) {
	for name, refuse := range map[string]func(fakeCall) *refusal{
		"inside Kinesis":    first("GetRecords", &refusal{http.StatusInternalServerError, internal}),
		"without an answer": silent("GetRecords"),
	} {
		t.Run(name, func(t *testing.T) {
			f := startFake(t, 1)
			b := connect(t, f, setup{config: `{"poll_interval_ms": 1, "request_timeout_ms": 100}`})
			b.consumer("group", 0)
			f.update(func() {
				f.calls["GetRecords"] = 0
				f.refuse = refuse
			})
			p := b.producer()
			send(t, p, 0, "key", "text")
			b.wait(b.came, 1, "messages")
			if diff := cmp.Diff(map[string][]string{"key": {"text"}}, b.texts()); diff != "" {
				t.Errorf("received (-want +got):\n%s", diff)
			}
		})
	}
}

// TestAReadThatIsTooLargeBecomesSmaller reads from a Kinesis that answers in time only
// where few records are asked for.
func TestAReadThatIsTooLargeBecomesSmaller(t *testing.T) {
	f := startFake(t, 1)
	b := connect(t, f, setup{config: `{"poll_interval_ms": 1, "request_timeout_ms": 100, "poll_max_records": 1000}`})
	b.consumer("group", 0)
	f.update(func() {
		f.refuse = func(call fakeCall) *refusal {
			if call.Operation == "GetRecords" && call.Limit > 300 {
				<-call.Done
				return &refusal{http.StatusInternalServerError, "nobody hears this"}
			}
			return nil
		}
	})
	p := b.producer()
	send(t, p, 0, "key", "text")
	b.wait(b.came, 1, "messages")
}

// TestSubscriptionsAreRenewed ends subscriptions again and again while messages
// come: as after five minutes, and in the middle of a pause.
func TestSubscriptionsAreRenewed(t *testing.T) {
	f := startFake(t, 1)
	b := connect(t, f, setup{consumers: "enhanced_fan_out"})
	c := b.consumer("group", 0)
	p := b.producer()
	var want []string
	const rounds, each = 10, 20
	for round := range rounds {
		if round%3 == 2 {
			c.Pause()
		}
		for i := range each {
			want = append(want, fmt.Sprintf("%d of round %d", i, round))
			send(t, p, len(want)-1, fmt.Sprintf("key %d", i), want[len(want)-1])
		}
		f.cutSubscriptions()
		flush(t, p)
		c.Resume()
		b.wait(b.came, each, "messages")
		awaitCalls(f, "SubscribeToShard", round+2)
	}
	var got []string
	for _, m := range b.received {
		got = append(got, string(m.Payload))
	}
	if diff := cmp.Diff(f.texts(), got); diff != "" {
		t.Errorf("received (-want +got):\n%s", diff)
	}
	if n := b.count(experiment.Reconnects); n < rounds-1 {
		t.Errorf("reconnects = %d, want at least %d", n, rounds-1)
	}
}

// texts are the data of the first shard, in their order.
func (f *fakeKinesis) texts() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var texts []string
	for _, r := range f.shards[0].records {
		texts = append(texts, string(r.Data))
	}
	return texts
}

func TestASubscriptionThatIsRefusedIsTriedAgain(t *testing.T) {
	tests := map[string]struct {
		no        refusal
		throttled int
	}{
		"for a limit":                         {refusal{http.StatusBadRequest, "LimitExceededException"}, 1},
		"for a limit, by an event":            {refusal{http.StatusOK, "LimitExceededException"}, 1},
		"for another subscription":            {refusal{http.StatusBadRequest, "ResourceInUseException"}, 0},
		"for another subscription, by events": {refusal{http.StatusOK, "ResourceInUseException"}, 0},
		"for a fault inside Kinesis":          {refusal{http.StatusInternalServerError, internal}, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := startFake(t, 1)
			stored := make(chan struct{})
			f.refuse = func(call fakeCall) *refusal {
				switch {
				case call.Operation == "SubscribeToShard" && call.N == 2:
					return &tt.no
				case call.Operation == "SubscribeToShard" && call.N == 3:
					<-stored
				}
				return nil
			}
			b := connect(t, f, setup{consumers: "enhanced_fan_out"})
			b.consumer("group", 0)
			f.cutSubscriptions()
			p := b.producer()
			send(t, p, 0, "key", "text")
			b.wait(b.acked, 1, "acknowledgements")
			close(stored)
			b.wait(b.came, 1, "messages")
			if n := f.called("SubscribeToShard"); n != 3 {
				t.Errorf("there were %d subscriptions, want the first, one that is refused, and one that is not", n)
			}
			if got := b.count(experiment.ThrottledReads); got != tt.throttled {
				t.Errorf("throttled_reads = %d, want %d", got, tt.throttled)
			}
		})
	}
}

// TestAGroupSharesItsRegisteredConsumer has two drivers, as in two agents. The
// one that has registered the consumer takes it back at its end, and the other
// one goes on with a new one.
func TestAGroupSharesItsRegisteredConsumer(t *testing.T) {
	f := startFake(t, 2)
	s := setup{consumers: "enhanced_fan_out", members: 2}
	one, other := connect(t, f, s), connect(t, f, s)
	c := one.consumer("group", 0)
	other.consumer("group", 1)
	if n := len(f.registered); n != 1 {
		t.Errorf("%d consumers are registered, want one for the group", n)
	}
	p := other.producer()
	shut(t, c)
	shut(t, one.driver)
	sent := 0
	for ; sent < 20; sent++ {
		if err := p.Send(t.Context(), uint64(sent), technology.Message{Payload: []byte("x"), Partition: 1}); err != nil {
			t.Fatal(err)
		}
	}
	other.wait(other.came, sent, "messages")
	shut(t, p)
	if n := f.called("DeregisterStreamConsumer"); n != 1 {
		t.Errorf("consumers were taken back %d times, want once by now", n)
	}
}

func TestNothingStaysRegistered(t *testing.T) {
	f := startFake(t, 1)
	b := connect(t, f, setup{consumers: "enhanced_fan_out", groups: 2})
	for _, group := range []string{"one", "two"} {
		shut(t, b.consumer(group, 0))
	}
	shut(t, b.driver)
	if len(f.registered) != 0 {
		t.Errorf("registered are %v after Close, want none", f.registered)
	}
}
