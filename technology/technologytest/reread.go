package technologytest

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"dec.local/dec/technology"
)

// readAgain reads all that the destination holds, with keys and partitions, whether it
// was received or not; a group gets everything once, as if nothing had been read.
func readAgain(t *testing.T, s Suite) {
	const n, partitions = 200, 3
	w := s.workload()
	w.Topology.Partitions = partitions
	f := s.prepare(t, w)
	rereader, ok := f.driver.(technology.Rereader)
	if !ok {
		return // it is free to
	}
	none := func(technology.Message) { t.Error("an empty destination holds a message") }
	if expired, err := rereader.Remaining(f.ctx, none); expired || err != nil {
		t.Fatalf("Remaining() of an empty destination = %t, %v, want that nothing has expired", expired, err)
	}
	in := newInbox()
	f.consumer("group", 0, in)
	p, a := f.producer(0)
	want := map[string]string{} // keys by payload
	var sent []string
	for i := range n {
		key := name("key", i%7)
		want[payload("again", i)] = key
		sent = append(sent, payload("again", i))
		f.send(p, uint64(i), technology.AnyPartition, key, payload("again", i))
	}
	f.flush(p)
	a.check(t, n)
	partition := map[string]int{} // by payload
	for range 2 {
		got := map[string]string{}
		expired, err := rereader.Remaining(f.ctx, func(m technology.Message) {
			got[string(m.Payload)], partition[string(m.Payload)] = string(m.Key), m.Partition
		})
		if expired || err != nil {
			t.Fatalf("Remaining() = %t, %v, want that nothing has expired", expired, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("the destination holds (-want +got):\n%s", diff)
		}
	}
	messages := in.await(f.ctx, t, n)
	once(t, "the group", payloads(messages), sent)
	for _, m := range messages {
		if partition[m.Payload] != m.Partition {
			t.Errorf("%s is in partition %d, and was read again from %d", m.Payload, m.Partition, partition[m.Payload])
		}
	}
}
