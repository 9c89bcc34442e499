package kafka

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kgo"

	"dec.local/dec/technology"
)

// minInFlight is the least number of messages that a producer holds, however
// few the workload allows: the back-pressure is the agent's.
const minInFlight = 10_000

// producer is one client that produces.
type producer struct {
	client     *kgo.Client
	hooks      *clientHooks
	topic      string
	partitions int
	acked      func(token uint64, err error)

	slots   chan struct{} // holds one item per message under way
	pool    sync.Pool     // of *outgoing
	closed  atomic.Bool
	closing chan struct{}
	pending sync.WaitGroup // messages handed to the client whose end is not known
	sending sync.RWMutex   // taken for reading by Send, so that Close knows when no message follows
}

// outgoing is one message under way. It is used again once its end is known, so
// that sending allocates nothing.
type outgoing struct {
	record kgo.Record
	token  uint64
	sent   int64                    // see clientHooks.moment
	buffer []byte                   // of key and payload
	end    func(*kgo.Record, error) // bound once: a closure per message would be garbage
}

// Producer implements [technology.Driver].
func (d *driver) Producer(_ context.Context, _ int, acked func(token uint64, err error)) (technology.Producer, error) {
	// One more than there are slots, so that the client itself never blocks.
	limit := max(d.settings.Workload.Load.MaxInFlight, minInFlight)
	hooks := &clientHooks{settings: d.settings}
	sent := &resends{settings: d.settings, next: map[sender]int32{}}
	client, err := d.newClient(sent.watch, append(d.config.producerOptions(limit+1), kgo.WithHooks(hooks), kgo.WithLogger(hooks))...)
	if err != nil {
		return nil, err
	}
	p := &producer{
		client:     client,
		hooks:      hooks,
		topic:      d.settings.Destination,
		partitions: max(d.settings.Workload.Topology.Partitions, 1),
		acked:      acked,
		slots:      make(chan struct{}, limit),
		closing:    make(chan struct{}),
	}
	p.pool.New = func() any {
		o := new(outgoing)
		o.end = func(_ *kgo.Record, err error) { p.end(o, err) }
		return o
	}
	return p, nil
}

// Send implements [technology.Producer].
func (p *producer) Send(ctx context.Context, token uint64, m technology.Message) error {
	if m.Partition < technology.AnyPartition || m.Partition >= p.partitions {
		return fmt.Errorf("partition %d: the topic has partitions 0 to %d", m.Partition, p.partitions-1)
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	select {
	case p.slots <- struct{}{}:
	default:
		if err := p.waitForSlot(ctx); err != nil {
			return err
		}
	}
	p.sending.RLock()
	defer p.sending.RUnlock()
	if p.closed.Load() {
		<-p.slots
		return technology.ErrClosed
	}
	o := p.pool.Get().(*outgoing)
	o.fill(p.topic, token, m)
	o.sent = p.hooks.moment()
	p.pending.Add(1)
	// The client keeps the context for the message's whole life, but ctx is for
	// handing it over only.
	p.client.Produce(context.Background(), &o.record, o.end)
	return nil
}

// waitForSlot blocks until a message under way has ended.
func (p *producer) waitForSlot(ctx context.Context) error {
	select {
	case p.slots <- struct{}{}:
		return nil
	case <-p.closing:
		return technology.ErrClosed
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// fill makes o the copy of m.
func (o *outgoing) fill(topic string, token uint64, m technology.Message) {
	o.token = token
	o.buffer = append(append(o.buffer[:0], m.Key...), m.Payload...)
	o.record = kgo.Record{
		Topic:     topic,
		Partition: int32(m.Partition),
		Value:     o.buffer[len(m.Key):],
		Context:   context.Background(),
	}
	if m.Key != nil { // an empty key is a key; none is spread over the partitions
		o.record.Key = o.buffer[:len(m.Key):len(m.Key)]
	}
}

// end tells the end of one message and makes room for another.
func (p *producer) end(o *outgoing, err error) {
	token := o.token
	p.hooks.ended(o.sent)
	p.pool.Put(o)
	if errors.Is(err, kgo.ErrClientClosed) {
		err = technology.ErrClosed
	}
	p.acked(token, p.hooks.explain(err))
	<-p.slots
	p.pending.Done()
}

// Flush implements [technology.Producer].
func (p *producer) Flush(ctx context.Context) error {
	if err := p.client.Flush(ctx); err != nil {
		return fmt.Errorf("flush: %w", err)
	}
	return nil
}

// Close implements [technology.Producer].
func (p *producer) Close() error {
	p.sending.Lock()
	already := p.closed.Swap(true)
	p.sending.Unlock()
	if already {
		return nil
	}
	close(p.closing)
	p.client.Close()
	p.pending.Wait()
	return nil
}
