package kinesis

import (
	"context"
	"crypto/md5"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/technology"
)

const (
	// minInFlight is the least number of messages that a producer holds, however
	// few the workload allows: the back-pressure is the agent's.
	minInFlight = 10_000
	// keysPerShard is how many partition keys messages without a key get per shard.
	keysPerShard = 16
)

// producer is one client that produces: a lane for each shard, and a number of
// senders for each lane.
type producer struct {
	client   *client
	stream   string
	config   config
	report   func(experiment.Incident, int)
	acked    func(token uint64, err error)
	ranges   ranges
	lanes    []*lane
	turn     atomic.Uint64 // of the messages without a key, over the lanes
	flushing atomic.Int32  // calls of Flush under way: nobody lingers

	slots   chan struct{} // holds one item per message under way
	pool    sync.Pool     // of *record
	stop    context.CancelFunc
	done    <-chan struct{} // closed by stop
	running sync.WaitGroup  // the senders
	close   sync.Once

	mu      sync.Mutex      // protects the following
	pending int             // messages whose end has not been told
	waiting []chan struct{} // of Flush, closed when nothing is pending
}

// Producer implements [technology.Driver].
func (d *driver) Producer(ctx context.Context, i int, acked func(token uint64, err error)) (technology.Producer, error) {
	open, err := d.openShards(ctx)
	if err != nil {
		return nil, err
	}
	if len(open) == 0 {
		return nil, fmt.Errorf("stream %s has no open shard", d.stream)
	}
	sending, stop := context.WithCancel(context.WithoutCancel(ctx))
	p := &producer{
		client: d.newClient(),
		stream: d.stream,
		config: d.config,
		report: d.settings.Report,
		acked:  acked,
		ranges: rangesOf(open),
		slots:  make(chan struct{}, max(d.settings.Workload.Load.MaxInFlight, minInFlight)),
		stop:   stop,
		done:   sending.Done(),
	}
	p.pool.New = func() any { return new(record) }
	p.turn.Store(uint64(i)) // so that producers do not all begin at one shard
	keyless := p.ranges.partitionKeys(keysPerShard)
	for i, s := range open {
		l := newLane(p, s.hash(), keyless[i])
		p.lanes = append(p.lanes, l)
		for range d.config.RequestsPerShard {
			p.running.Go(func() { newSender(p, l).run(sending) })
		}
	}
	return p, nil
}

// Send implements [technology.Producer].
func (p *producer) Send(ctx context.Context, token uint64, m technology.Message) error {
	if m.Partition < technology.AnyPartition || m.Partition >= len(p.lanes) {
		return fmt.Errorf("partition %d: the stream has partitions 0 to %d", m.Partition, len(p.lanes)-1)
	}
	if len(m.Key)+len(m.Payload) > maxRecordBytes {
		return fmt.Errorf("the message has %d bytes with its key; Kinesis accepts at most %d", len(m.Key)+len(m.Payload), maxRecordBytes)
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	encoded, err := encode(m.Key)
	if err != nil {
		return err
	}
	select {
	case p.slots <- struct{}{}:
	default:
		if err := p.waitForSlot(ctx); err != nil {
			return err
		}
	}
	r := p.pool.Get().(*record)
	r.token, r.data = token, append(r.data[:0], m.Payload...)
	r.arrived = time.Now()
	p.begun()
	if !p.lane(m, encoded).push(r, m, encoded) {
		p.pool.Put(r)
		p.ended(1)
		return technology.ErrClosed
	}
	return nil
}

// encode returns the partition key of a key that is not its own one, else "".
func encode(key []byte) (string, error) {
	switch {
	case key == nil:
		return "", nil
	case len(key) > maxKeyCharacters && utf8.RuneCount(key) > maxKeyCharacters:
		return "", fmt.Errorf("the key has %d characters; Kinesis accepts at most %d", utf8.RuneCount(key), maxKeyCharacters)
	case isPlain(key):
		return "", nil
	}
	encoded := partitionKeyOf(key)
	if len(encoded) > maxKeyCharacters {
		return "", fmt.Errorf("the key has %d bytes that are not text; Kinesis accepts only text, and in base64 it is longer than %d",
			len(key), maxKeyCharacters)
	}
	return encoded, nil
}

// lane returns the lane of a message.
func (p *producer) lane(m technology.Message, encoded string) *lane {
	switch {
	case m.Partition >= 0:
		return p.lanes[m.Partition]
	case m.Key == nil:
		return p.lanes[p.turn.Add(1)%uint64(len(p.lanes))]
	case encoded != "":
		return p.lanes[p.ranges.partition(md5.Sum([]byte(encoded)))]
	}
	return p.lanes[p.ranges.partition(md5.Sum(m.Key))]
}

// waitForSlot blocks until a message under way has ended.
func (p *producer) waitForSlot(ctx context.Context) error {
	select {
	case p.slots <- struct{}{}:
		return nil
	case <-p.done:
		return technology.ErrClosed
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// begun counts one message up.
func (p *producer) begun() {
	p.mu.Lock()
	p.pending++
	p.mu.Unlock()
}

// ended counts n messages down, makes room for as many, and wakes Flush at the
// last.
func (p *producer) ended(n int) {
	for range n {
		<-p.slots
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pending -= n
	if p.pending > 0 {
		return
	}
	for _, idle := range p.waiting {
		close(idle)
	}
	p.waiting = nil
}

// settle tells the end of records and takes them back.
func (p *producer) settle(records []*record, err error) {
	for i, r := range records {
		token := r.token
		*r = record{data: r.data}
		p.pool.Put(r)
		records[i] = nil
		p.acked(token, err)
	}
	p.ended(len(records))
}

// Flush implements [technology.Producer].
func (p *producer) Flush(ctx context.Context) error {
	p.mu.Lock()
	if p.pending == 0 {
		p.mu.Unlock()
		return nil
	}
	idle := make(chan struct{})
	p.waiting = append(p.waiting, idle)
	p.mu.Unlock()
	p.flushing.Add(1)
	defer p.flushing.Add(-1)
	for _, l := range p.lanes {
		l.wakeSender()
	}
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("flush: %w", context.Cause(ctx))
	}
}

// Close implements [technology.Producer].
func (p *producer) Close() error {
	p.close.Do(func() {
		p.stop()
		p.running.Wait()
		for _, l := range p.lanes {
			p.settle(l.abandon(), technology.ErrClosed)
		}
		p.client.close()
	})
	return nil
}

// errTooLate is why a message failed that Kinesis did not take in time.
var errTooLate = errors.New("not acknowledged in time")
