package agent

import (
	"runtime"
	"time"

	"dec.local/dec/internal/measure"
)

// recording is what the producers and consumers of an agent record with. Its memory does
// not grow with their number, but for the account of each.
type recording struct {
	sending   []*measure.ProducerMeter // each of several producers
	receiving []*measure.ConsumerMeter
	groups    map[string]*measure.GroupRecorder
}

// lanes is over how many meters n clients are spread, so that they do not wait for each
// other's locks: more would not be used at once, beside the clients' own work.
func lanes(n int) int { return min(n, max(1, runtime.NumCPU()/2)) }

// record sets what producers and consumers record with.
func (a *agent) record(window measure.Window) {
	r := &a.recording
	for range lanes(len(a.producers)) {
		r.sending = append(r.sending, measure.NewProducerMeter(window))
	}
	for range lanes(len(a.consumers)) {
		r.receiving = append(r.receiving, measure.NewConsumerMeter(window))
	}
	drain := time.Duration(a.plan.Workload.Stages.Drain)
	for i, p := range a.producers {
		p.begin(r.sending[i%len(r.sending)], window, drain)
	}
	until := window.Start + int64(a.plan.Workload.Stages.Total())
	run := measure.RunHash(a.plan.Run)
	orders := measure.MaxOrders / max(1, a.plan.Workload.Topology.ConsumerGroups)
	r.groups = map[string]*measure.GroupRecorder{}
	for i, c := range a.consumers {
		name := c.share.Group
		if r.groups[name] == nil {
			r.groups[name] = measure.NewGroupRecorder(name, run, window, orders)
		}
		c.begin(measure.NewConsumerRecorder(r.groups[name], r.receiving[i%len(r.receiving)]), until)
	}
}

// pacerCount is how many pacers n producers share. Go's scheduler thinks of a thread that
// sleeps for a message as one at work, for up to 10 ms: more of them than there are places
// to spare would keep what handles acknowledgements from running. A client that blocks for
// less than a millisecond in Send holds up those that share its pacer.
func pacerCount(n int) int { return min(n, max(spareThreads, runtime.NumCPU()/2)) }

// pacers shares the producers out.
func (a *agent) pacers() []*pacer {
	shares := make([][]*producer, pacerCount(len(a.producers)))
	for i, p := range a.producers {
		shares[i%len(shares)] = append(shares[i%len(shares)], p)
	}
	pacers := make([]*pacer, len(shares))
	for i, share := range shares {
		pacers[i] = newPacer(a.clock, a.anchor, share)
	}
	return pacers
}

// drain moves what happened up to a second into the interval, and reports whether
// anything is left that happened later.
func (r *recording) drain(through int, into *measure.Interval) (left bool) {
	for _, m := range r.sending {
		left = m.Drain(through, into) || left
	}
	for _, m := range r.receiving {
		left = m.Drain(through, into) || left
	}
	return left
}
