package agent

import (
	"sync/atomic"

	"dec.local/dec/internal/measure"
	"dec.local/dec/internal/pacing"
	"dec.local/dec/internal/rendezvous"
	"dec.local/dec/technology"
)

// consumer receives as one consumer of a group.
type consumer struct {
	share    rendezvous.ConsumerShare
	anchor   pacing.Anchor
	client   technology.Consumer
	recorder atomic.Pointer[measure.ConsumerRecorder]
	until    int64         // observation ends, wall ns; set before begun is closed
	begun    chan struct{} // closed when recorder is set, or when it never will be
}

func newConsumer(share rendezvous.ConsumerShare, anchor pacing.Anchor) *consumer {
	return &consumer{share: share, anchor: anchor, begun: make(chan struct{})}
}

// begin sets where messages are recorded until observation ends; nil ignores them. It is
// called once.
func (c *consumer) begin(r *measure.ConsumerRecorder, until int64) {
	c.until = until
	c.recorder.Store(r)
	close(c.begun)
}

// received takes one message. One that comes before this agent has learnt of
// the load's start waits for it: producers on other hosts may know it earlier.
func (c *consumer) received(m technology.Message) {
	now := c.anchor.Now()
	r := c.recorder.Load()
	if r == nil {
		<-c.begun
		if r = c.recorder.Load(); r == nil {
			return
		}
	}
	if now < c.until {
		r.Received(m.Payload, m.Partition, now)
	}
}
