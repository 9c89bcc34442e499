// Package agenttest is a broker in memory with known behaviour: a fixed
// latency, stalls, and messages that are lost, doubled, swapped or damaged on
// request. What an agent measures against it is known beforehand. It waits with
// Go's timers, so it also works in virtual time (testing/synctest).
package agenttest

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/technology"
)

// Name of the technology.
const Name = "fake"

// Options describes a [Broker]. The zero value is a perfect one that answers at
// once.
type Options struct {
	Latency    time.Duration                    // from Send to acknowledgement and delivery
	Stall      func(at time.Time) time.Duration // how long the broker stands still, counted from the time at which a message would leave; none if nil
	Rate       float64                          // messages that leave per second at most; unlimited if zero
	Block      func(producer int) time.Duration // for how long a call of Send lasts; not at all if nil
	Fault      func(n int64) Fault              // of message n that the broker receives, from 0; ordinary if nil
	Watch      func(technology.Message)         // told of each message that the broker receives; nobody if nil
	Effective  experiment.Effective             // what Prepare reports
	JoinErr    error                            // what Consumer fails with, for consumer 1 of a group; consumer 0 then waits until its context ends
	PrepareErr error                            // what Prepare fails with
	RereadErr  error                            // what Remaining fails with
	Expired    bool                             // what Remaining says of the retention
}

// Fault is what happens to one message.
type Fault struct {
	Refuse    error // Send fails with it
	Fail      error // acknowledged with this error, and not delivered
	Mute      bool  // never acknowledged, and not delivered
	AckTwice  bool  // acknowledged twice
	Lose      bool  // acknowledged, and not delivered
	Keep      bool  // acknowledged, and held without being delivered
	Duplicate bool  // delivered twice
	Swap      bool  // delivered after the next message of its partition
	Corrupt   bool  // delivered with its last byte changed
}

// Broker is a broker in memory. One serves any number of agents.
type Broker struct {
	options Options
	wake    chan struct{} // tells the worker of a new message
	done    chan struct{} // closed to end the worker
	ended   chan struct{} // closed by the worker at its end

	mu         sync.Mutex // protects the following
	partitions []*partition
	groups     map[string][]*consumer
	received   int64
	kept       []technology.Message
	lastLeave  time.Time
	queue      []item // ascending by leave
}

// partition holds back a message that is to be swapped with the next.
type partition struct{ held []technology.Message }

// item is a message that leaves the broker at a time.
type item struct {
	leave   time.Time
	token   uint64
	acked   func(uint64, error)
	fault   Fault
	message technology.Message
}

// New returns a broker without a destination. It works until it is closed.
func New(o Options) *Broker {
	b := &Broker{
		options: o,
		groups:  make(map[string][]*consumer),
		wake:    make(chan struct{}, 1),
		done:    make(chan struct{}),
		ended:   make(chan struct{}),
	}
	go b.work()
	return b
}

// Close ends the broker's work and returns when it has ended.
func (b *Broker) Close() {
	close(b.done)
	<-b.ended
}

// Technologies finds the broker's technology by [Name].
func (b *Broker) Technologies(name string) (technology.Technology, bool) {
	return technology.Technology{
		Name:        Name,
		Title:       "Fake",
		CheckConfig: func(map[string]json.RawMessage, experiment.Workload) error { return nil },
		Open: func(context.Context, json.RawMessage, technology.Settings) (technology.Driver, error) {
			return driver{b}, nil
		},
	}, name == Name
}

// accept puts a message into the queue.
func (b *Broker) accept(token uint64, m technology.Message, acked func(uint64, error)) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	var fault Fault
	if b.options.Fault != nil {
		fault = b.options.Fault(b.received)
	}
	b.received++
	if b.options.Watch != nil {
		b.options.Watch(m)
	}
	if fault.Refuse != nil {
		return fault.Refuse
	}
	if m.Partition == technology.AnyPartition {
		m.Partition = b.choose(m.Key)
	}
	m.Key, m.Payload = bytes.Clone(m.Key), bytes.Clone(m.Payload)
	leave := time.Now().Add(b.options.Latency)
	if b.options.Rate > 0 {
		if next := b.lastLeave.Add(time.Duration(float64(time.Second) / b.options.Rate)); next.After(leave) {
			leave = next
		}
	}
	if b.lastLeave.After(leave) {
		leave = b.lastLeave
	}
	if b.options.Stall != nil {
		leave = leave.Add(b.options.Stall(leave))
	}
	b.lastLeave = leave
	b.queue = append(b.queue, item{leave: leave, token: token, acked: acked, fault: fault, message: m})
	select {
	case b.wake <- struct{}{}:
	default:
	}
	return nil
}

// choose picks a partition by key, or by turns.
func (b *Broker) choose(key []byte) int {
	if key == nil {
		return int(b.received % int64(len(b.partitions)))
	}
	sum := 0
	for _, c := range key {
		sum = sum*31 + int(c)
	}
	return sum % len(b.partitions)
}

// work lets messages leave when they are due.
func (b *Broker) work() {
	defer close(b.ended)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		pause := b.release()
		timer.Reset(cmp.Or(pause, time.Hour))
		select {
		case <-b.done:
			return
		case <-b.wake:
		case <-timer.C:
		}
	}
}

// release lets everything leave that is due and returns the time until the
// next, zero when there is none.
func (b *Broker) release() time.Duration {
	for {
		b.mu.Lock()
		if len(b.queue) == 0 {
			b.mu.Unlock()
			return 0
		}
		head := b.queue[0]
		if pause := time.Until(head.leave); pause > 0 {
			b.mu.Unlock()
			return pause
		}
		b.queue = b.queue[1:]
		b.mu.Unlock()
		b.leave(head)
	}
}

// leave acknowledges and delivers one message.
func (b *Broker) leave(i item) {
	if i.fault.Mute {
		return
	}
	i.acked(i.token, i.fault.Fail)
	if i.fault.AckTwice {
		i.acked(i.token, nil)
	}
	if i.fault.Fail != nil || i.fault.Lose {
		return
	}
	if i.fault.Keep {
		b.mu.Lock()
		b.kept = append(b.kept, i.message)
		b.mu.Unlock()
		return
	}
	if i.fault.Corrupt {
		i.message.Payload[len(i.message.Payload)-1] ^= 0xff
	}
	b.mu.Lock()
	p := b.partitions[i.message.Partition]
	deliver := []technology.Message{i.message}
	if i.fault.Duplicate {
		deliver = append(deliver, i.message)
	}
	if i.fault.Swap {
		p.held, deliver = append(p.held, deliver...), nil
	} else {
		deliver, p.held = append(deliver, p.held...), nil
	}
	var targets []*consumer
	for _, members := range b.groups {
		targets = append(targets, members[i.message.Partition%len(members)])
	}
	b.mu.Unlock()
	for _, m := range deliver {
		for _, c := range targets {
			c.deliver(m)
		}
	}
}

// driver is one agent's connection.
type driver struct{ broker *Broker }

func (d driver) Prepare(_ context.Context, t experiment.Topology, _ experiment.Bytes) (experiment.Effective, error) {
	d.broker.mu.Lock()
	defer d.broker.mu.Unlock()
	if d.broker.partitions == nil {
		for range max(t.Partitions, 1) {
			d.broker.partitions = append(d.broker.partitions, &partition{})
		}
	}
	return d.broker.options.Effective, d.broker.options.PrepareErr
}

func (d driver) Producer(_ context.Context, i int, acked func(uint64, error)) (technology.Producer, error) {
	return &producer{broker: d.broker, index: i, acked: acked}, nil
}

func (d driver) Consumer(ctx context.Context, group string, i int, received func(technology.Message)) (technology.Consumer, error) {
	if err := d.broker.options.JoinErr; err != nil && i == 1 {
		return nil, err
	} else if err != nil {
		<-ctx.Done()
		return nil, context.Cause(ctx)
	}
	c := &consumer{received: received}
	d.broker.mu.Lock()
	defer d.broker.mu.Unlock()
	d.broker.groups[group] = append(d.broker.groups[group], c)
	return c, nil
}

func (d driver) Remaining(_ context.Context, held func(technology.Message)) (expired bool, err error) {
	d.broker.mu.Lock()
	defer d.broker.mu.Unlock()
	for _, m := range d.broker.kept {
		held(m)
	}
	return d.broker.options.Expired, d.broker.options.RereadErr
}

func (d driver) Close() error { return nil }

type producer struct {
	broker *Broker
	index  int
	acked  func(uint64, error)
}

func (p *producer) Send(_ context.Context, token uint64, m technology.Message) error {
	if block := p.broker.options.Block; block != nil {
		time.Sleep(block(p.index))
	}
	return p.broker.accept(token, m, p.acked)
}

func (p *producer) Flush(context.Context) error { return errors.ErrUnsupported }
func (p *producer) Close() error                { return nil }

// consumer is one member of a group. It can't be paused.
type consumer struct {
	mu       sync.Mutex // held while a message is delivered
	closed   bool
	received func(technology.Message)
}

func (c *consumer) deliver(m technology.Message) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.received(m)
	}
}

func (c *consumer) Pause()  {}
func (c *consumer) Resume() {}

func (c *consumer) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	return nil
}
