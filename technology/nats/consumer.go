package nats

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/technology"
)

const (
	// pullExpiry is how long the server holds a pull request open.
	pullExpiry = 30 * time.Second
	// pullPatience is how long after that a pull request counts as lost.
	pullPatience = 5 * time.Second
	// pullPause is the time between two tries when the server takes none.
	pullPause = 250 * time.Millisecond
)

// ackBody acknowledges a message.
var ackBody = []byte("+ACK")

// consumer reads the partitions of one durable consumer by pull requests. It
// asks by hand: the consumers of nats.go go on asking while the application
// does not read, and lose what does not fit into their channel.
type consumer struct {
	driver   *driver
	received func(technology.Message)
	conn     *nats.Conn // nil when there are fewer partitions than consumers
	next     string     // subject of pull requests
	inbox    string     // where the messages come
	gate     technology.Gate
	done     chan struct{}
	ended    chan struct{} // closed when the last message was handed over
	running  sync.WaitGroup
	close    sync.Once

	mu          sync.Mutex // protects the following
	outstanding int        // messages asked for that have not come
	heard       time.Time  // of the server, last
	refused     bool       // the server takes no pull request now
	reason      string     // why, as logged
	unacked     string     // subject that acknowledges all received so far, where that is not done for each
}

// Consumer implements [technology.Driver]. Consumer i of n reads the partitions
// p with p mod n = i, from the sequence after the last one that the stream's
// leader has now: what is sent after the return has a higher one, so it arrives.
func (d *driver) Consumer(ctx context.Context, group string, i int, received func(technology.Message)) (technology.Consumer, error) {
	c := &consumer{
		driver: d, received: received,
		inbox: nats.NewInbox(), done: make(chan struct{}), ended: make(chan struct{}),
	}
	filters := d.filters(i)
	if len(filters) == 0 {
		close(c.ended)
		return c, nil
	}
	name := group + "-" + strconv.Itoa(i)
	err := technology.Retry(ctx, func(ctx context.Context) error { return d.createConsumer(ctx, name, filters) })
	if err != nil {
		return nil, fmt.Errorf("create consumer %s: %w", name, err)
	}
	c.next = "$JS.API.CONSUMER.MSG.NEXT." + d.settings.Destination + "." + name
	if err := c.subscribe(i); err != nil {
		return nil, fmt.Errorf("consumer %s: %w", name, err)
	}
	return c, nil
}

// filters returns the subjects of the partitions of consumer i; one for all of
// them if it reads them all, which the server matches faster.
func (d *driver) filters(i int) []string {
	partitions := max(d.settings.Workload.Topology.Partitions, 1)
	members := max(d.settings.Workload.Topology.ConsumersPerGroup, 1)
	if members == 1 {
		return []string{d.settings.Destination + ".*.*"}
	}
	var filters []string
	for partition := range partitions {
		if partition%members == i%members {
			filters = append(filters, filterOf(d.settings.Destination, partition))
		}
	}
	return filters
}

// createConsumer makes the durable consumer anew, positioned at the stream's end.
func (d *driver) createConsumer(ctx context.Context, name string, filters []string) error {
	stream, err := d.js.Stream(ctx, d.settings.Destination)
	if err != nil {
		return fmt.Errorf("read the stream's end: %w", err)
	}
	config := jetstream.ConsumerConfig{
		Durable:        name,
		DeliverPolicy:  jetstream.DeliverByStartSequencePolicy,
		OptStartSeq:    stream.CachedInfo().State.LastSeq + 1,
		AckPolicy:      jetstream.AckNonePolicy,
		FilterSubjects: filters,
	}
	if len(filters) == 1 {
		config.FilterSubjects, config.FilterSubject = nil, filters[0]
	}
	if d.config.ConsumerAck != ackNone {
		config.AckPolicy = map[string]jetstream.AckPolicy{
			ackExplicit: jetstream.AckExplicitPolicy, ackPeriodic: jetstream.AckAllPolicy,
		}[d.config.ConsumerAck]
		config.AckWait = d.config.ackWait()
		config.MaxAckPending = d.config.MaxAckPending
	}
	if err := stream.DeleteConsumer(ctx, name); err != nil && !errors.Is(err, jetstream.ErrConsumerNotFound) {
		return fmt.Errorf("delete the previous one: %w", err)
	}
	_, err = stream.CreateConsumer(ctx, config)
	return err
}

// subscribe starts the reading.
func (c *consumer) subscribe(i int) error {
	lost := func(*nats.Conn, error) {
		select {
		case <-c.done: // closed by us
		default:
			c.driver.settings.Report(experiment.Reconnects, 1)
		}
	}
	conn, err := c.driver.connect(i, nats.DisconnectErrHandler(lost), nats.ReconnectHandler(func(*nats.Conn) { c.askAgain() }))
	if err != nil {
		return err
	}
	c.mu.Lock()
	c.conn = conn
	c.mu.Unlock()
	subscription, err := conn.Subscribe(c.inbox, c.take)
	if err == nil {
		// Never more than was asked for: no other limit may drop a message.
		err = subscription.SetPendingLimits(-1, -1)
	}
	if err != nil {
		closeAndWait(conn)
		return fmt.Errorf("subscribe: %w", err)
	}
	subscription.SetClosedHandler(func(string) { close(c.ended) })
	c.askAgain()
	c.running.Go(c.watch)
	if c.driver.config.ConsumerAck == ackPeriodic {
		c.running.Go(c.acknowledgeRegularly)
	}
	return nil
}

// take receives one message or a status of a pull request.
func (c *consumer) take(m *nats.Msg) {
	if len(m.Data) == 0 && m.Header.Get("Status") != "" {
		c.status(m.Header)
		return
	}
	if !c.gate.Pass(c.done) {
		return
	}
	select {
	case <-c.done:
		return
	default:
	}
	partition, key, err := parseSubject(c.driver.settings.Destination, m.Subject)
	if err != nil {
		c.driver.log.Warn("read from NATS", "error", err)
		return
	}
	c.received(technology.Message{Key: key, Payload: m.Data, Partition: partition})
	if c.driver.config.ConsumerAck == ackExplicit {
		c.acknowledge(m.Reply)
	}
	c.mu.Lock()
	c.outstanding--
	c.unacked = m.Reply
	c.refused, c.reason = false, ""
	c.ask()
	c.mu.Unlock()
}

// acknowledge tells the server of a message, by the subject that came with it.
func (c *consumer) acknowledge(reply string) {
	if err := c.conn.Publish(reply, ackBody); err != nil && !c.conn.IsClosed() {
		c.driver.log.Warn("acknowledge a message to NATS", "error", err)
	}
}

// acknowledgeRegularly tells the server how far the consumer is, as the automatic commit
// of other technologies' consumers does.
func (c *consumer) acknowledgeRegularly() {
	ticker := time.NewTicker(c.driver.config.ackInterval())
	defer ticker.Stop()
	for {
		select {
		case <-c.done:
			return
		case <-ticker.C:
		}
		c.mu.Lock()
		reply := c.unacked
		c.unacked = ""
		c.mu.Unlock()
		if reply != "" {
			c.acknowledge(reply)
		}
	}
}

// status receives what became of a pull request that the server has ended.
func (c *consumer) status(header nats.Header) {
	c.mu.Lock()
	defer c.mu.Unlock()
	code, text := header.Get("Status"), header.Get("Description")
	if rest, err := strconv.Atoi(header.Get("Nats-Pending-Messages")); err == nil {
		c.outstanding = max(c.outstanding-rest, 0)
	} else {
		c.outstanding = 0
	}
	switch {
	case code == "408", strings.Contains(strings.ToLower(text), "leadership change"):
		c.refused = false // expired, or to be asked elsewhere: at once
	default:
		c.refused = true
		if text != c.reason { // once, not at every try
			c.driver.log.Warn("NATS ended a pull request", "status", code, "description", text)
			c.reason = text
		}
	}
	c.ask()
}

// ask sends a pull request once half of what was asked for has come. Called
// with the mutex held.
func (c *consumer) ask() {
	c.heard = time.Now()
	prefetch := c.driver.config.Prefetch
	if c.refused || c.outstanding > prefetch/2 {
		return
	}
	body, err := json.Marshal(struct {
		Batch   int           `json:"batch"`
		Expires time.Duration `json:"expires"` // ns
	}{prefetch - c.outstanding, pullExpiry})
	if err == nil {
		err = c.conn.PublishRequest(c.next, c.inbox, body)
	}
	if err != nil {
		c.refused = true // disconnected: ReconnectHandler asks again
		return
	}
	c.outstanding = prefetch
}

// askAgain forgets what was asked for and asks anew.
func (c *consumer) askAgain() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.conn == nil {
		return // subscribe asks
	}
	c.outstanding, c.refused = 0, false
	c.ask()
}

// watch asks again after a refusal, and when a request seems to be lost, as
// with a leader that died.
func (c *consumer) watch() {
	ticker := time.NewTicker(pullPause)
	defer ticker.Stop()
	for {
		select {
		case <-c.done:
			return
		case <-ticker.C:
		}
		c.mu.Lock()
		lost := c.refused || time.Since(c.heard) > pullExpiry+pullPatience && !c.gate.IsShut()
		c.mu.Unlock()
		if lost {
			c.askAgain()
		}
	}
}

// Pause implements [technology.Consumer].
func (c *consumer) Pause() { c.gate.Shut() }

// Resume implements [technology.Consumer].
func (c *consumer) Resume() { c.gate.Open() }

// Close implements [technology.Consumer]. The durable consumer stays, with what
// it has acknowledged.
func (c *consumer) Close() error {
	c.close.Do(func() {
		close(c.done)
		c.running.Wait()
		if c.conn != nil {
			closeAndWait(c.conn)
		}
		<-c.ended
	})
	return nil
}
