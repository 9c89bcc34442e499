package technologytest

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// positioned sends before and after a consumer joins, to every partition.
func positioned(t *testing.T, s Suite) {
	const partitions, n = 3, 30
	w := s.workload()
	w.Topology.Partitions, w.Topology.ConsumersPerGroup = partitions, 2
	f := s.prepare(t, w)
	p, a := f.producer(0)
	token := uint64(0)
	sendAll := func(sequence string) (sent []string) {
		for i := range n {
			sent = append(sent, payload(sequence, i))
			f.send(p, token, i%partitions, "", sent[i])
			token++
		}
		return sent
	}
	sendAll("before")
	f.flush(p)
	in := newInbox()
	f.consumer("group", 0, in)
	f.consumer("group", 1, in)
	want := sendAll("after")
	f.flush(p)
	a.check(t, 2*n)
	once(t, "the group", payloads(in.await(f.ctx, t, n)), want)
}

// positionedAgain closes a consumer, sends what nobody reads, and joins again.
func positionedAgain(t *testing.T, s Suite) {
	f := s.prepare(t, s.workload())
	p, _ := f.producer(0)
	first, second := newInbox(), newInbox()
	c := f.consumer("group", 0, first)
	f.send(p, 0, 0, "", "to the first")
	first.await(f.ctx, t, 1)
	closeOne(t, "consumer", c)
	f.send(p, 1, 0, "", "to nobody")
	f.flush(p)
	f.consumer("group", 0, second)
	f.send(p, 2, 0, "", "to the second")
	second.await(f.ctx, t, 1)
	if diff := cmp.Diff([]string{"to the first"}, payloads(first.all())); diff != "" {
		t.Errorf("the first consumer received (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"to the second"}, payloads(second.all())); diff != "" {
		t.Errorf("the second consumer received (-want +got):\n%s", diff)
	}
}

// pauseAndResume pauses one group while another one, the witness, receives.
func pauseAndResume(t *testing.T, s Suite) {
	const n = 200
	w := s.workload()
	w.Topology.ConsumerGroups = 2
	f := s.prepare(t, w)
	paused, witness := newInbox(), newInbox()
	c := f.consumer("paused", 0, paused)
	f.consumer("witness", 0, witness)
	p, a := f.producer(0)
	var want []string
	token := uint64(0)
	send := func(sequence string) {
		for i := range n {
			want = append(want, payload(sequence, i))
			f.send(p, token, 0, "", payload(sequence, i))
			token++
		}
		f.flush(p)
	}
	send("before the pause")
	paused.await(f.ctx, t, n)
	for round := range 2 {
		c.Pause()
		c.Pause() // changes nothing
		before := len(want)
		send(name("in pause", round))
		witness.await(f.ctx, t, len(want))
		// The witness has everything, so nothing but the pause holds it back.
		if have := len(paused.all()); have != before {
			t.Errorf("round %d: the paused consumer received %d messages, want the %d from before", round, have, before)
		}
		c.Resume()
		c.Resume()
		paused.await(f.ctx, t, len(want))
	}
	send("after the pause") // what would be sent again comes before these
	a.check(t, len(want))
	if diff := cmp.Diff(want, payloads(paused.await(f.ctx, t, len(want)))); diff != "" {
		t.Errorf("the consumer that was paused received (-want +got):\n%s", diff)
	}
	paused.check(t)
}

func closeWhilePaused(t *testing.T, s Suite) {
	w := s.workload()
	w.Topology.ConsumerGroups = 2
	f := s.prepare(t, w)
	paused, witness := newInbox(), newInbox()
	c := f.consumer("paused", 0, paused)
	f.consumer("witness", 0, witness)
	p, _ := f.producer(0)
	c.Pause()
	for i := range 50 {
		f.send(p, uint64(i), 0, "", payload("in pause", i))
	}
	witness.await(f.ctx, t, 50)
	closeOne(t, "consumer", c)
	c.Resume()
	if n := len(paused.all()); n != 0 {
		t.Errorf("received %d messages while paused and closed, want none", n)
	}
}
