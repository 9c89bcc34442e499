package nats

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/technology"
)

// maxSubjects bounds the subjects that a producer remembers by key.
const maxSubjects = 1 << 16

// producer publishes on one connection. It does by hand what PublishMsgAsync of
// nats.go does inside, without its future, timer and copy for each message: the
// reply subject of a message is an inbox with the number of a slot, and the slot
// knows the token.
type producer struct {
	settings    technology.Settings
	conn        *nats.Conn
	destination string
	acked       func(token uint64, err error)
	inbox       string // prefix of the reply subjects, up to the slot's number
	accepted    []byte // how the acknowledgement of a stored message begins
	keyless     []string
	pending     atomic.Int64  // slots taken whose end has not been told
	settled     chan struct{} // closed when the last acknowledgement was received

	mu       sync.Mutex // protects the following
	slots    []slot
	free     []int // numbers of slots that may be taken
	subjects map[string]string
	turn     int // partition of the next message without a key
	closed   bool
	waiting  []chan struct{} // of Flush, closed when nothing is pending
}

// slot is a message under way, or the place of one.
type slot struct {
	reply string
	token uint64
	taken bool
}

// Producer implements [technology.Driver].
func (d *driver) Producer(_ context.Context, i int, acked func(token uint64, err error)) (technology.Producer, error) {
	p := &producer{
		settings:    d.settings,
		destination: d.settings.Destination,
		acked:       acked,
		inbox:       nats.NewInbox() + ".",
		accepted:    fmt.Appendf(nil, `{"stream":%q,"seq":`, d.settings.Destination),
		settled:     make(chan struct{}),
		subjects:    map[string]string{},
	}
	for partition := range max(d.settings.Workload.Topology.Partitions, 1) {
		p.keyless = append(p.keyless, subjectOf(p.destination, partition, nil))
	}
	p.turn = i % len(p.keyless)
	conn, err := d.connect(i, nats.DisconnectErrHandler(p.disconnected))
	if err != nil {
		return nil, err
	}
	p.conn = conn
	subscription, err := conn.Subscribe(p.inbox+"*", p.settle)
	if err == nil {
		err = subscription.SetPendingLimits(-1, -1)
	}
	if err != nil {
		closeAndWait(conn)
		return nil, fmt.Errorf("subscribe to acknowledgements: %w", err)
	}
	subscription.SetClosedHandler(func(string) { close(p.settled) })
	return p, nil
}

// Send implements [technology.Producer].
func (p *producer) Send(ctx context.Context, token uint64, m technology.Message) error {
	if m.Partition < technology.AnyPartition || m.Partition >= len(p.keyless) {
		return fmt.Errorf("partition %d: the stream has partitions 0 to %d", m.Partition, len(p.keyless)-1)
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return technology.ErrClosed
	}
	subject := p.subject(m)
	number, reply := p.take(token)
	p.mu.Unlock()

	// Written to the connection's buffer here, so nothing of m is kept.
	err := p.conn.PublishRequest(subject, reply, m.Payload)
	if err == nil {
		return nil
	}
	if _, taken := p.release(number, true); !taken {
		return nil // the connection was lost meanwhile, and acked knows
	}
	p.ended()
	return fmt.Errorf("publish: %w", err)
}

// subject returns where to publish m. Called with the mutex held.
func (p *producer) subject(m technology.Message) string {
	switch {
	case m.Key == nil && m.Partition >= 0:
		return p.keyless[m.Partition]
	case m.Key == nil:
		p.turn++
		return p.keyless[(p.turn-1)%len(p.keyless)]
	case m.Partition >= 0:
		return subjectOf(p.destination, m.Partition, m.Key)
	}
	subject, ok := p.subjects[string(m.Key)]
	if !ok {
		subject = subjectOf(p.destination, partitionOf(m.Key, len(p.keyless)), m.Key)
		if len(p.subjects) < maxSubjects {
			p.subjects[string(m.Key)] = subject
		}
	}
	return subject
}

// take finds a slot for a token. Called with the mutex held.
func (p *producer) take(token uint64) (number int, reply string) {
	p.pending.Add(1)
	if n := len(p.free); n > 0 {
		number = p.free[n-1]
		p.free = p.free[:n-1]
	} else {
		number = len(p.slots)
		p.slots = append(p.slots, slot{reply: p.inbox + strconv.Itoa(number)})
	}
	s := &p.slots[number]
	s.token, s.taken = token, true
	return number, s.reply
}

// release gives a slot back. It says no when the slot was not taken, as for an
// acknowledgement that comes after all.
func (p *producer) release(number int, again bool) (token uint64, taken bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if number < 0 || number >= len(p.slots) || !p.slots[number].taken {
		return 0, false
	}
	p.slots[number].taken = false
	if again {
		p.free = append(p.free, number)
	}
	return p.slots[number].token, true
}

// ended counts one message down, and wakes Flush at the last.
func (p *producer) ended() {
	if p.pending.Add(-1) > 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pending.Load() > 0 {
		return // sent meanwhile, perhaps before the Flush that waits now
	}
	for _, idle := range p.waiting {
		close(idle)
	}
	p.waiting = nil
}

// settle receives one acknowledgement.
func (p *producer) settle(m *nats.Msg) {
	number, err := strconv.Atoi(m.Subject[len(p.inbox):])
	if err != nil {
		return // not one of ours: the inbox is random
	}
	if token, taken := p.release(number, true); taken {
		p.acked(token, p.verdict(m))
		p.ended()
	}
}

// verdict is nil for a stored message, else why it was refused.
func (p *producer) verdict(m *nats.Msg) error {
	if len(m.Header) == 0 && bytes.HasPrefix(m.Data, p.accepted) {
		return nil
	}
	if m.Header.Get("Status") == "503" {
		return fmt.Errorf("publish: %w: no stream has the subject, or the stream has no leader", nats.ErrNoResponders)
	}
	var answer struct {
		Error  *jetstream.APIError `json:"error"`
		Stream string              `json:"stream"`
	}
	if err := json.Unmarshal(m.Data, &answer); err != nil {
		return fmt.Errorf("read the acknowledgement %q: %w", m.Data, err)
	}
	if answer.Error != nil {
		return fmt.Errorf("publish: %w", answer.Error)
	}
	if answer.Stream != p.destination {
		return fmt.Errorf("the message went to stream %q, not %s", answer.Stream, p.destination)
	}
	return nil
}

// disconnected is called when the connection is lost or closed.
func (p *producer) disconnected(_ *nats.Conn, err error) {
	p.mu.Lock()
	closed := p.closed
	p.mu.Unlock()
	if closed {
		p.abandon(technology.ErrClosed)
		return
	}
	p.settings.Report(experiment.Reconnects, 1)
	p.abandon(fmt.Errorf("%w before the acknowledgement: %v", nats.ErrDisconnected, err))
}

// abandon fails everything under way. The slots are not taken again: an
// acknowledgement that comes after all must not count for another message.
func (p *producer) abandon(err error) {
	p.mu.Lock()
	count := len(p.slots)
	p.mu.Unlock()
	for number := range count {
		if token, taken := p.release(number, false); taken {
			p.acked(token, err)
			p.ended()
		}
	}
}

// Flush implements [technology.Producer].
func (p *producer) Flush(ctx context.Context) error {
	p.mu.Lock()
	if p.pending.Load() == 0 {
		p.mu.Unlock()
		return nil
	}
	idle := make(chan struct{})
	p.waiting = append(p.waiting, idle)
	p.mu.Unlock()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("flush: %w", context.Cause(ctx))
	}
}

// Close implements [technology.Producer].
func (p *producer) Close() error {
	p.mu.Lock()
	already := p.closed
	p.closed = true
	p.mu.Unlock()
	if already {
		return nil
	}
	closeAndWait(p.conn)
	<-p.settled
	p.abandon(technology.ErrClosed)
	return nil
}
