package reference

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"time"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/technology"
)

// Name of the technology.
const Name = "reference"

// Technologies finds the broker's technology by [Name], and no other.
func Technologies(name string) (technology.Technology, bool) {
	return technology.Technology{
		Name:        Name,
		Title:       "Reference broker",
		CheckConfig: func(map[string]json.RawMessage, experiment.Workload) error { return nil },
		Open:        open,
	}, name == Name
}

// Endpoints are where the broker is, and the run whose script holds.
type Endpoints struct {
	Address string `json:"address"`
	Run     string `json:"run"`
	Blocks  Blocks `json:"blocks,omitzero"`
}

// Blocks is how the client holds up who sends: one call of Send in so many of a producer
// takes that long more. Zero is never.
type Blocks struct {
	Every int           `json:"every"`
	For   time.Duration `json:"for"`
}

// driver is one agent's way to the broker.
type driver struct{ Endpoints }

func open(ctx context.Context, endpoints json.RawMessage, _ technology.Settings) (technology.Driver, error) {
	d := &driver{}
	if err := json.Unmarshal(endpoints, &d.Endpoints); err != nil {
		return nil, fmt.Errorf("endpoints of the reference broker: %w", err)
	}
	return d, nil
}

// connect says hello.
func (d *driver) connect(ctx context.Context, as role, index int) (*link, error) {
	return dial(ctx, d.Address, hello{Role: as, Run: d.Run, Index: index})
}

func dial(ctx context.Context, address string, h hello) (*link, error) {
	c, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("connect to the reference broker: %w", err)
	}
	l := newLink(c)
	if err := l.writeJSON(h); err != nil {
		return nil, errors.Join(fmt.Errorf("greet the reference broker: %w", err), l.Close())
	}
	return l, nil
}

// Prepare does nothing: a run has one destination, and the script is all there is to it.
func (d *driver) Prepare(_ context.Context, t experiment.Topology, _ experiment.Bytes) (experiment.Effective, error) {
	return experiment.Effective{Replicas: max(1, t.Replicas), Details: map[string]string{"version": Name}}, nil
}

func (d *driver) Close() error { return nil }

// Remaining implements [technology.Rereader].
func (d *driver) Remaining(ctx context.Context, held func(technology.Message)) (expired bool, err error) {
	l, err := d.connect(ctx, roleReader, 0)
	if err != nil {
		return false, err
	}
	defer l.Close()
	unwatch := context.AfterFunc(ctx, func() { _ = l.Close() })
	defer unwatch()
	for {
		data, err := l.read(nil)
		switch {
		case errors.Is(err, io.EOF):
			return false, nil
		case err != nil:
			return false, fmt.Errorf("read what the reference broker holds: %w", err)
		}
		held(delivered(data))
	}
}

// delivered is the message of a frame.
func delivered(data []byte) technology.Message {
	return technology.Message{Partition: int(binary.LittleEndian.Uint32(data)), Payload: data[4:]}
}

// producer sends each message by itself, at once.
type producer struct {
	link   *link
	acked  func(uint64, error)
	blocks Blocks
	sent   int           // by the goroutine that sends
	ended  chan struct{} // closed when the answers have ended

	mu      sync.Mutex // protects the following, and what is written
	out     []byte
	pending map[uint64]struct{} // tokens under way
	closed  bool
	empty   *sync.Cond // nothing is pending
}

func (d *driver) Producer(ctx context.Context, i int, acked func(uint64, error)) (technology.Producer, error) {
	l, err := d.connect(ctx, roleProducer, i)
	if err != nil {
		return nil, err
	}
	p := &producer{link: l, acked: acked, blocks: d.Blocks, ended: make(chan struct{}), pending: map[uint64]struct{}{}}
	p.empty = sync.NewCond(&p.mu)
	go p.answers()
	return p, nil
}

// Send implements [technology.Producer].
func (p *producer) Send(ctx context.Context, token uint64, m technology.Message) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if p.sent++; p.blocks.Every > 0 && p.sent%p.blocks.Every == 0 {
		time.Sleep(p.blocks.For)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return technology.ErrClosed
	}
	p.pending[token] = struct{}{}
	p.out = frame(p.out[:0], 12+len(m.Payload))
	p.out = binary.LittleEndian.AppendUint64(p.out, token)
	p.out = binary.LittleEndian.AppendUint32(p.out, uint32(max(0, m.Partition)))
	p.out = append(p.out, m.Payload...)
	if _, err := p.link.Write(p.out); err != nil {
		delete(p.pending, token)
		return fmt.Errorf("send to the reference broker: %w", err)
	}
	return nil
}

// answers passes on what the broker says until the connection ends.
func (p *producer) answers() {
	defer close(p.ended)
	var buf []byte
	for {
		var err error
		if buf, err = p.link.read(buf); err != nil || len(buf) < 8 {
			p.fail()
			return
		}
		token := binary.LittleEndian.Uint64(buf)
		if text := buf[8:]; len(text) > 0 {
			err = errors.New(string(text))
		}
		p.answer(token, err)
	}
}

// answer tells what became of a message.
func (p *producer) answer(token uint64, err error) {
	p.mu.Lock()
	delete(p.pending, token)
	p.mu.Unlock()
	p.acked(token, err)
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.pending) == 0 {
		p.empty.Broadcast()
	}
}

// fail answers all that is under way: the connection has ended.
func (p *producer) fail() {
	p.mu.Lock()
	p.closed = true
	var tokens []uint64
	for token := range p.pending {
		tokens = append(tokens, token)
	}
	p.mu.Unlock()
	slices.Sort(tokens)
	for _, token := range tokens {
		p.answer(token, technology.ErrClosed)
	}
}

// Flush implements [technology.Producer].
func (p *producer) Flush(ctx context.Context) error {
	unwatch := context.AfterFunc(ctx, p.empty.Broadcast)
	defer unwatch()
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.pending) > 0 {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		p.empty.Wait()
	}
	return nil
}

// Close implements [technology.Producer].
func (p *producer) Close() error {
	err := p.link.Close()
	<-p.ended
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// consumer receives until it is closed.
type consumer struct {
	link  *link
	gate  technology.Gate
	done  chan struct{} // closed by Close
	once  sync.Once
	ended chan struct{} // closed when nothing more is handed over
}

// Consumer implements [technology.Driver]. A run has one group.
func (d *driver) Consumer(ctx context.Context, _ string, i int, received func(technology.Message)) (technology.Consumer, error) {
	l, err := d.connect(ctx, roleConsumer, i)
	if err != nil {
		return nil, err
	}
	if _, err := l.read(nil); err != nil {
		return nil, errors.Join(fmt.Errorf("position a consumer at the reference broker: %w", err), l.Close())
	}
	c := &consumer{link: l, done: make(chan struct{}), ended: make(chan struct{})}
	go c.receive(received)
	return c, nil
}

func (c *consumer) receive(received func(technology.Message)) {
	defer close(c.ended)
	var buf []byte
	for {
		var err error
		if buf, err = c.link.read(buf); err != nil || len(buf) < 4 || !c.gate.Pass(c.done) {
			return
		}
		received(delivered(buf))
	}
}

// Pause implements [technology.Consumer].
func (c *consumer) Pause() { c.gate.Shut() }

// Resume implements [technology.Consumer].
func (c *consumer) Resume() { c.gate.Open() }

// Close implements [technology.Consumer].
func (c *consumer) Close() (err error) {
	c.once.Do(func() {
		close(c.done)
		err = c.link.Close()
	})
	<-c.ended
	return err
}
