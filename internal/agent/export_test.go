package agent

import (
	"context"
	"math"
	"time"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
	"dec.local/dec/internal/pacing"
	"dec.local/dec/internal/rendezvous"
	"dec.local/dec/technology"
)

// Path returns a function that takes one message through all of the agent's
// code between the schedule and the account: it is sent by a producer, whose
// client connects to the given one, acknowledged and received.
func Path(w experiment.Workload, connect func(acked func(uint64, error), received func(technology.Message)) technology.Producer) (func(), error) {
	anchor := pacing.NewAnchor()
	p, err := newProducer(w, 0, 1, newPool(w), anchor)
	if err != nil {
		return nil, err
	}
	c := newConsumer(rendezvous.ConsumerShare{Group: "group-0"}, anchor)
	p.client = connect(p.acked, c.received)
	window := measure.NewWindow(time.Now(), w.Stages)
	p.begin(measure.NewProducerMeter(window), window, time.Hour)
	c.begin(measure.NewConsumerRecorder(measure.NewGroupRecorder("group-0", 1, window, measure.MaxOrders), measure.NewConsumerMeter(window)), math.MaxInt64)
	var clock Clock = pacing.Timer{Anchor: anchor}
	ctx := context.Background()
	return func() {
		p.advance()
		if err := p.send(ctx, clock, clock.Now()); err != nil {
			panic(err)
		}
	}, nil
}

// Early returns a consumer before its load has begun: what it is handed, how
// the load begins, and how many messages it has recorded since the last call.
func Early(w experiment.Workload) (received func(technology.Message), begin func(), recorded func() int64) {
	c := newConsumer(rendezvous.ConsumerShare{Group: "group-0"}, pacing.NewAnchor())
	window := measure.NewWindow(time.Now(), w.Stages)
	meter, group := measure.NewConsumerMeter(window), measure.NewGroupRecorder("group-0", 1, window, measure.MaxOrders)
	begin = func() { c.begin(measure.NewConsumerRecorder(group, meter), math.MaxInt64) }
	recorded = func() int64 {
		into := measure.NewInterval()
		meter.Drain(measure.AllSeconds, into)
		return into.Counts.Received
	}
	return c.received, begin, recorded
}
