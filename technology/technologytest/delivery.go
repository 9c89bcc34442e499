package technologytest

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/technology"
)

// everythingArrivesInOrder sends keyed messages of two producers over three
// partitions to two groups of two consumers.
func everythingArrivesInOrder(t *testing.T, s Suite) {
	const producers, keys, perKey = 2, 5, 60
	w := s.workload()
	w.Topology.Partitions, w.Topology.Producers = 3, producers
	w.Topology.ConsumerGroups, w.Topology.ConsumersPerGroup = 2, 2
	f := s.prepare(t, w)
	groups := []*inbox{newInbox(), newInbox()}
	for g, in := range groups {
		f.consumer(name("group", g), 0, in)
		f.consumer(name("group", g), 1, in)
	}
	want := map[string][]string{} // payloads by key
	for i := range producers {
		p, a := f.producer(i)
		for n := range keys * perKey {
			key := fmt.Sprintf("producer %d key %d", i, n%keys)
			f.send(p, uint64(n), technology.AnyPartition, key, payload(key, n))
			want[key] = append(want[key], payload(key, n))
		}
		f.flush(p)
		a.check(t, keys*perKey)
	}
	for g, in := range groups {
		messages := in.await(f.ctx, t, producers*keys*perKey)
		in.check(t)
		byKey, readers := map[string][]string{}, map[int]int{}
		for _, m := range messages {
			byKey[m.Key] = append(byKey[m.Key], m.Payload)
			if reader, ok := readers[m.Partition]; ok && reader != m.Consumer {
				t.Errorf("group %d: partition %d was read by consumers %d and %d, want one", g, m.Partition, reader, m.Consumer)
			}
			readers[m.Partition] = m.Consumer
		}
		if diff := cmp.Diff(want, byKey); diff != "" {
			t.Errorf("group %d received by key (-want +got):\n%s", g, diff)
		}
	}
}

func keylessMessagesArrive(t *testing.T, s Suite) {
	const n = 300
	w := s.workload()
	w.Topology.Partitions = 4
	f := s.prepare(t, w)
	in := newInbox()
	f.consumer("group", 0, in)
	p, a := f.producer(0)
	var want []string
	for i := range n {
		want = append(want, payload("keyless", i))
		f.send(p, uint64(i), technology.AnyPartition, "", want[i])
	}
	f.flush(p)
	a.check(t, n)
	messages := in.await(f.ctx, t, n)
	once(t, "the group", payloads(messages), want)
	for _, m := range messages {
		if m.Partition < 0 || m.Partition >= 4 || m.Key != "" {
			t.Errorf("received partition %d, key %q, want 0 to 3 and no key", m.Partition, m.Key)
		}
	}
}

func keysStayInTheirPartition(t *testing.T, s Suite) {
	const keys, rounds = 40, 5
	w := s.workload()
	w.Topology.Partitions, w.Topology.Producers = 4, 2
	f := s.prepare(t, w)
	in := newInbox()
	f.consumer("group", 0, in)
	for i := range 2 { // the choice must not depend on the producer
		p, _ := f.producer(i)
		for n := range keys * rounds {
			key := string([]byte{0xff, '.', '*', ' ', byte(n % keys), '\n'})
			f.send(p, uint64(n), technology.AnyPartition, key, payload("keyed", n))
		}
		f.flush(p)
	}
	partitions, used := map[string]int{}, map[int]bool{}
	for _, m := range in.await(f.ctx, t, 2*keys*rounds) {
		if first, ok := partitions[m.Key]; ok && first != m.Partition {
			t.Errorf("key %q came from partitions %d and %d, want one", m.Key, first, m.Partition)
		}
		partitions[m.Key] = m.Partition
		used[m.Partition] = true
	}
	if len(partitions) != keys {
		t.Errorf("received %d keys, want %d", len(partitions), keys)
	}
	if len(used) < 2 {
		t.Errorf("%d keys went to %d partition, want them spread over 4", keys, len(used))
	}
}

func explicitPartition(t *testing.T, s Suite) {
	const partitions, n = 5, 100
	w := s.workload()
	w.Topology.Partitions = partitions
	f := s.prepare(t, w)
	in := newInbox()
	f.consumer("group", 0, in)
	p, a := f.producer(0)
	want := map[int][]string{}
	for i := range n {
		key := "" // an explicit partition goes before the key
		if i%2 == 0 {
			key = "key"
		}
		f.send(p, uint64(i), i%partitions, key, payload("explicit", i))
		want[i%partitions] = append(want[i%partitions], payload("explicit", i))
	}
	f.flush(p)
	a.check(t, n)
	byPartition := map[int][]string{}
	for _, m := range in.await(f.ctx, t, n) {
		byPartition[m.Partition] = append(byPartition[m.Partition], m.Payload)
	}
	if diff := cmp.Diff(want, byPartition); diff != "" {
		t.Errorf("received by partition (-want +got):\n%s", diff)
	}
}

func noSuchPartition(t *testing.T, s Suite) {
	w := s.workload()
	w.Topology.Partitions = 2
	f := s.prepare(t, w)
	p, a := f.producer(0)
	for _, partition := range []int{2, -2} {
		if err := p.Send(f.ctx, 7, technology.Message{Payload: []byte("x"), Partition: partition}); err == nil {
			t.Errorf("Send() to partition %d of 2 = nil, want an error", partition)
		}
	}
	f.flush(p)
	if n := a.total(); n != 0 {
		t.Errorf("acked was called %d times after Send failed, want none", n)
	}
}

func moreConsumersThanPartitions(t *testing.T, s Suite) {
	w := s.workload()
	w.Topology.ConsumersPerGroup = 3
	f := s.prepare(t, w)
	in := newInbox()
	for i := range 3 {
		c := f.consumer("group", i, in)
		c.Pause()
		c.Resume()
	}
	p, _ := f.producer(0)
	f.send(p, 0, technology.AnyPartition, "", "first")
	f.send(p, 1, technology.AnyPartition, "", "second")
	if diff := cmp.Diff([]string{"first", "second"}, payloads(in.await(f.ctx, t, 2))); diff != "" {
		t.Errorf("the group received (-want +got):\n%s", diff)
	}
}

func largestMessage(t *testing.T, s Suite) {
	const largest = 100_000
	w := s.workload()
	w.Message.Size = experiment.Size{Min: 64, Max: largest}
	f := s.prepare(t, w)
	in := newInbox()
	f.consumer("group", 0, in)
	p, a := f.producer(0)
	want := []string{strings.Repeat("a", 64), strings.Repeat("b", largest), strings.Repeat("c", 64)}
	for i, text := range want {
		f.send(p, uint64(i), 0, "", text)
	}
	f.flush(p)
	a.check(t, len(want))
	if diff := cmp.Diff(want, payloads(in.await(f.ctx, t, len(want)))); diff != "" {
		t.Errorf("received (-want +got):\n%s", diff)
	}
}

func noReferenceKept(t *testing.T, s Suite) {
	const n = 200
	f := s.prepare(t, s.workload())
	in := newInbox()
	f.consumer("group", 0, in)
	p, a := f.producer(0)
	key, body := make([]byte, 8), make([]byte, 600)
	var want []string
	for i := range n {
		copy(key, fmt.Sprintf("key%05d", i))
		copy(body, strings.Repeat(fmt.Sprintf("%06d", i), 100))
		want = append(want, string(key)+string(body))
		if err := p.Send(f.ctx, uint64(i), technology.Message{Key: key, Payload: body, Partition: 0}); err != nil {
			t.Fatalf("Send(%d) = %v, want no error", i, err)
		}
		clear(key)
		clear(body)
	}
	f.flush(p)
	a.check(t, n)
	var texts []string
	for _, m := range in.await(f.ctx, t, n) {
		texts = append(texts, m.Key+m.Payload)
	}
	if diff := cmp.Diff(want, texts); diff != "" {
		t.Errorf("received, after the buffers were changed (-want +got):\n%s", diff)
	}
}

func ackedBeforeFlushReturns(t *testing.T, s Suite) {
	f := s.prepare(t, s.workload())
	p, a := f.producer(0)
	f.flush(p) // of nothing
	n := 0
	for _, batch := range []int{1, 10, 400} {
		for range batch {
			f.send(p, uint64(n), technology.AnyPartition, "", payload("flushed", n))
			n++
		}
		f.flush(p)
		a.check(t, n)
	}
}

func concurrentSend(t *testing.T, s Suite) {
	const senders, each = 4, 100
	f := s.prepare(t, s.workload())
	in := newInbox()
	f.consumer("group", 0, in)
	p, a := f.producer(0)
	var sending sync.WaitGroup
	var want []string
	for i := range senders {
		for n := range each {
			want = append(want, payload(name("sender", i), n))
		}
		sending.Go(func() {
			for n := range each {
				m := technology.Message{Payload: []byte(payload(name("sender", i), n)), Partition: technology.AnyPartition}
				if err := p.Send(f.ctx, uint64(i*each+n), m); err != nil {
					t.Errorf("Send() = %v, want no error", err)
				}
			}
		})
	}
	sending.Wait()
	f.flush(p)
	a.check(t, senders*each)
	once(t, "the group", payloads(in.await(f.ctx, t, senders*each)), want)
}
