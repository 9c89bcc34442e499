package toy

import (
	"context"
	"fmt"
	"sync"

	"dec.local/dec/technology"
)

// producer sends without waiting; one goroutine reads the acknowledgements, which
// come in the order of the messages.
type producer struct {
	conn        *conn
	destination string
	partitions  int
	acked       func(uint64, error)
	done        chan struct{} // closed when the goroutine has ended

	sending sync.Mutex // held while a message is written; protects the following
	turn    int        // of messages without a key

	mu      sync.Mutex    // protects the following
	waiting []uint64      // tokens that are not acknowledged
	empty   chan struct{} // closed when none is; nil while none is
	ended   error         // why nothing can be sent any more
}

// Producer implements [technology.Driver].
func (d *driver) Producer(ctx context.Context, _ int, acked func(uint64, error)) (technology.Producer, error) {
	c, err := dial(ctx, d.endpoints.Address)
	if err != nil {
		return nil, fmt.Errorf("connect a producer: %w", err)
	}
	p := &producer{
		conn: c, destination: d.settings.Destination, partitions: max(1, d.settings.Workload.Topology.Partitions),
		acked: acked, done: make(chan struct{}),
	}
	go p.read()
	return p, nil
}

// Send implements [technology.Producer].
func (p *producer) Send(ctx context.Context, token uint64, m technology.Message) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if m.Partition < technology.AnyPartition || m.Partition >= p.partitions {
		return fmt.Errorf("there is no partition %d", m.Partition)
	}
	p.sending.Lock()
	defer p.sending.Unlock()
	if m.Partition == technology.AnyPartition {
		m.Partition = partitionOf(m.Key, p.partitions, p.turn)
		p.turn++
	}
	if err := p.expect(token); err != nil {
		return err
	}
	r := request{Op: opSend, Destination: p.destination, Message: message{Partition: m.Partition, Key: m.Key, Payload: m.Payload}}
	if p.conn.out.Encode(r) != nil {
		p.conn.Close() // ends the goroutine, which tells of this message, too
	}
	return nil
}

// expect notes that a message is under way.
func (p *producer) expect(token uint64) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended != nil {
		return p.ended
	}
	if p.empty == nil {
		p.empty = make(chan struct{})
	}
	p.waiting = append(p.waiting, token)
	return nil
}

// read passes acknowledgements on until the connection ends.
func (p *producer) read() {
	defer close(p.done)
	for {
		answer, err := p.conn.receive()
		if err != nil {
			p.end(fmt.Errorf("the broker does not answer: %w", err))
			return
		}
		p.mu.Lock()
		token := p.waiting[0]
		p.mu.Unlock()
		p.acked(token, answer.err())
		p.forget(1)
	}
}

// forget drops the first tokens, of which acked was told.
func (p *producer) forget(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.waiting = p.waiting[n:]; len(p.waiting) == 0 && p.empty != nil {
		close(p.empty)
		p.empty = nil
	}
}

// end tells the end of whatever is under way; nothing can be sent from then on.
func (p *producer) end(err error) {
	p.mu.Lock()
	if p.ended == nil {
		p.ended = err
	}
	tokens, err := p.waiting, p.ended
	p.mu.Unlock()
	for _, token := range tokens {
		p.acked(token, err)
	}
	p.forget(len(tokens))
}

// Flush implements [technology.Producer].
func (p *producer) Flush(ctx context.Context) error {
	p.mu.Lock()
	empty := p.empty
	p.mu.Unlock()
	if empty == nil {
		return nil
	}
	select {
	case <-empty:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Close implements [technology.Producer].
func (p *producer) Close() error {
	p.mu.Lock()
	if p.ended == nil {
		p.ended = technology.ErrClosed
	}
	p.mu.Unlock()
	p.conn.Close()
	<-p.done
	return nil
}
