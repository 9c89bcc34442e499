package technologytest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"dec.local/dec/technology"
)

// got is one message as a consumer received it.
type got struct {
	Consumer  int // in the order in which receivers were made
	Partition int
	Key       string
	Payload   string
}

// inbox collects what the consumers of a group receive, in one order.
type inbox struct {
	mu        sync.Mutex // protects the following
	messages  []got
	receivers int
	busy      map[int]bool // by consumer: a call is under way
	overlap   bool         // two calls of one consumer ran at once
	changed   chan struct{}
}

func newInbox() *inbox { return &inbox{busy: map[int]bool{}, changed: make(chan struct{})} }

// receiver returns the function for one more consumer.
func (in *inbox) receiver() func(technology.Message) {
	in.mu.Lock()
	consumer := in.receivers
	in.receivers++
	in.mu.Unlock()
	return func(m technology.Message) {
		in.mu.Lock()
		in.overlap = in.overlap || in.busy[consumer]
		in.busy[consumer] = true
		in.mu.Unlock()
		one := got{Consumer: consumer, Partition: m.Partition, Key: string(m.Key), Payload: string(m.Payload)}
		in.mu.Lock()
		defer in.mu.Unlock()
		in.busy[consumer] = false
		in.messages = append(in.messages, one)
		close(in.changed)
		in.changed = make(chan struct{})
	}
}

// all returns what has come so far.
func (in *inbox) all() []got {
	in.mu.Lock()
	defer in.mu.Unlock()
	return slices.Clone(in.messages)
}

// await waits until at least n messages have come, and returns them all.
func (in *inbox) await(ctx context.Context, t *testing.T, n int) []got {
	t.Helper()
	for {
		in.mu.Lock()
		messages, changed := in.messages, in.changed
		in.mu.Unlock()
		if len(messages) >= n {
			return slices.Clone(messages)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			t.Fatalf("%d messages came, want %d", len(messages), n)
		}
	}
}

// check reports calls that ran at once.
func (in *inbox) check(t *testing.T) {
	t.Helper()
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.overlap {
		t.Error("received was called twice at once for one consumer, want one message at a time")
	}
}

// payloads returns the payloads, in order.
func payloads(messages []got) []string {
	var texts []string
	for _, m := range messages {
		texts = append(texts, m.Payload)
	}
	return texts
}

// acks collects what a producer acknowledges.
type acks struct {
	mu     sync.Mutex // protects the following
	counts map[uint64]int
	errs   map[uint64]error
}

func newAcks() *acks { return &acks{counts: map[uint64]int{}, errs: map[uint64]error{}} }

func (a *acks) add(token uint64, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.counts[token]++
	if err != nil {
		a.errs[token] = err
	}
}

// total is the number of calls so far.
func (a *acks) total() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	total := 0
	for _, n := range a.counts {
		total += n
	}
	return total
}

// check wants each token from 0 to n-1 acknowledged once and without an error.
func (a *acks) check(t *testing.T, n int) {
	t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	want := make(map[uint64]int, n)
	for token := range uint64(n) {
		want[token] = 1
	}
	if !maps.Equal(a.counts, want) {
		t.Errorf("acked was called for %d tokens, want once for each of %d (-want +got):\n%s", len(a.counts), n, cmp.Diff(want, a.counts))
	}
	for token, err := range a.errs {
		t.Errorf("acked(%d, %v), want no error", token, err)
	}
}

// checkLeaks fails the test when goroutines are left at its end.
func checkLeaks(t *testing.T) {
	t.Helper()
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, before) })
}

// count tells apart how often each text occurs.
func count(texts []string) map[string]int {
	counts := map[string]int{}
	for _, text := range texts {
		counts[text]++
	}
	return counts
}

// once wants each wanted text once, and nothing else.
func once(t *testing.T, who string, texts []string, want []string) {
	t.Helper()
	if diff := cmp.Diff(count(want), count(texts)); diff != "" {
		t.Errorf("%s received (-want +got, with how often):\n%s", who, diff)
	}
}

// name numbers things of a kind.
func name(kind string, i int) string { return fmt.Sprintf("%s-%d", kind, i) }
