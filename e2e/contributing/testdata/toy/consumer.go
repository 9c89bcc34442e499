package toy

import (
	"context"
	"fmt"
	"sync"

	"dec.local/dec/technology"
)

// consumer reads the partitions that are its share of the group's.
type consumer struct {
	conn     *conn
	gate     technology.Gate
	received func(technology.Message)
	closing  sync.Once
	done     chan struct{} // closed by Close
	reading  sync.WaitGroup
}

// Consumer implements [technology.Driver]. The position is where the partitions
// end when it is made.
func (d *driver) Consumer(ctx context.Context, group string, i int, received func(technology.Message)) (technology.Consumer, error) {
	c, err := dial(ctx, d.endpoints.Address)
	if err != nil {
		return nil, fmt.Errorf("connect consumer %d of %s: %w", i, group, err)
	}
	answer, err := c.call(ctx, request{Op: opEnds, Destination: d.settings.Destination})
	if err != nil {
		c.Close()
		return nil, fmt.Errorf("position consumer %d of %s: %w", i, group, err)
	}
	from := map[int]int{}
	for partition, end := range answer.Ends {
		if partition%max(1, d.settings.Workload.Topology.ConsumersPerGroup) == i {
			from[partition] = end
		}
	}
	reader := &consumer{conn: c, received: received, done: make(chan struct{})}
	if len(from) > 0 {
		r := request{Op: opFetch, Destination: d.settings.Destination, From: from, Max: d.config.FetchMessages}
		reader.reading.Go(func() { reader.read(r) })
	}
	return reader, nil
}

// read hands messages over until the connection ends.
func (c *consumer) read(r request) {
	for {
		answer, err := c.conn.call(context.Background(), r)
		if err != nil {
			return
		}
		for _, m := range answer.Messages {
			if !c.gate.Pass(c.done) {
				return
			}
			c.received(technology.Message{Key: m.Key, Payload: m.Payload, Partition: m.Partition})
			r.From[m.Partition]++
		}
	}
}

// Pause implements [technology.Consumer].
func (c *consumer) Pause() { c.gate.Shut() }

// Resume implements [technology.Consumer].
func (c *consumer) Resume() { c.gate.Open() }

// Close implements [technology.Consumer].
func (c *consumer) Close() error {
	c.closing.Do(func() {
		close(c.done)
		c.conn.Close()
	})
	c.reading.Wait()
	return nil
}
