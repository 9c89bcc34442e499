package kafka

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"dec.local/dec/technology"
)

// consumer is one client that reads the partitions assigned to it.
type consumer struct {
	driver   *driver
	hooks    *clientHooks
	group    string
	client   *kgo.Client // nil when there are fewer partitions than consumers
	received func(technology.Message)
	gate     technology.Gate
	stop     context.CancelFunc // ends the goroutines below
	running  sync.WaitGroup
	close    sync.Once

	mu   sync.Mutex      // protects the following
	next map[int32]int64 // offset of the next message, by partition
}

// Consumer implements [technology.Driver]. Consumer i of n reads the partitions
// p with p mod n = i, from the end offsets asked for here: what is sent after
// the return has a higher offset, so it arrives, exactly.
func (d *driver) Consumer(ctx context.Context, group string, i int, received func(technology.Message)) (technology.Consumer, error) {
	c := &consumer{
		driver: d, hooks: &clientHooks{settings: d.settings}, group: group, received: received, stop: func() {}, next: map[int32]int64{},
	}
	if err := c.position(ctx, i); err != nil {
		return nil, fmt.Errorf("position consumer %d of group %s: %w", i, group, err)
	}
	if len(c.next) == 0 {
		return c, nil
	}
	offsets := make(map[int32]kgo.Offset, len(c.next))
	for partition, offset := range c.next {
		offsets[partition] = kgo.NewOffset().At(offset)
	}
	client, err := d.newClient(nil, append(d.config.consumerOptions(),
		kgo.WithHooks(c.hooks),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{d.settings.Destination: offsets}))...)
	if err != nil {
		return nil, err
	}
	c.client = client
	reading, stop := context.WithCancel(context.WithoutCancel(ctx))
	c.stop = stop
	c.running.Go(func() { c.read(reading) })
	if d.config.CommitIntervalMS > 0 {
		c.running.Go(func() { c.commitRegularly(reading) })
	}
	return c, nil
}

// position looks up where the partitions of consumer i end now. It also commits
// that, so that the group and Kafka's own topic for it exist before any load.
func (c *consumer) position(ctx context.Context, i int) error {
	topic := c.driver.settings.Destination
	members := max(c.driver.settings.Workload.Topology.ConsumersPerGroup, 1)
	return technology.Retry(ctx, func(ctx context.Context) error {
		ends, err := c.driver.admin.ListEndOffsets(ctx, topic)
		if err != nil {
			return err
		}
		if err := ends.Error(); err != nil {
			return err
		}
		for partition, end := range ends[topic] {
			if int(partition)%members == i%members {
				c.next[partition] = end.Offset
			}
		}
		if c.driver.config.CommitIntervalMS == 0 || len(c.next) == 0 {
			return nil
		}
		return c.commit(ctx)
	})
}

// read hands messages over until the consumer is closed.
func (c *consumer) read(ctx context.Context) {
	for {
		fetches := c.client.PollFetches(ctx)
		if fetches.IsClientClosed() || ctx.Err() != nil {
			return
		}
		fetches.EachError(func(topic string, partition int32, err error) {
			c.driver.log.Warn("read from Kafka", "topic", topic, "partition", partition, "error", err)
		})
		c.hooks.came(fetches.NumRecords())
		for records := fetches.RecordIter(); !records.Done(); {
			r := records.Next()
			if !c.gate.Pass(ctx.Done()) || ctx.Err() != nil {
				return
			}
			c.received(technology.Message{Key: r.Key, Payload: r.Value, Partition: int(r.Partition)})
		}
		c.advance(fetches)
	}
}

// advance notes where the fetches, all handed over now, end.
func (c *consumer) advance(fetches kgo.Fetches) {
	c.mu.Lock()
	defer c.mu.Unlock()
	fetches.EachPartition(func(p kgo.FetchTopicPartition) {
		if n := len(p.Records); n > 0 {
			c.next[p.Partition] = p.Records[n-1].Offset + 1
		}
	})
}

// commitRegularly records the group's position as the automatic commit of
// Kafka's own consumer does. A failure is logged: the next commit covers it.
func (c *consumer) commitRegularly(ctx context.Context) {
	ticker := time.NewTicker(milliseconds(c.driver.config.CommitIntervalMS))
	defer ticker.Stop()
	c.mu.Lock()
	committed := maps.Clone(c.next)
	c.mu.Unlock()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		c.mu.Lock()
		now := maps.Clone(c.next)
		c.mu.Unlock()
		if maps.Equal(now, committed) {
			continue
		}
		if err := c.commit(ctx); err == nil {
			committed = now
		} else if ctx.Err() == nil {
			c.driver.log.Warn("commit the position of a Kafka group", "group", c.group, "error", err)
		}
	}
}

// commit records the group's position.
func (c *consumer) commit(ctx context.Context) error {
	offsets := make(kadm.Offsets)
	c.mu.Lock()
	for partition, next := range c.next {
		offsets.AddOffset(c.driver.settings.Destination, partition, next, -1)
	}
	c.mu.Unlock()
	if err := c.driver.admin.CommitAllOffsets(ctx, c.group, offsets); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// Pause implements [technology.Consumer].
func (c *consumer) Pause() { c.gate.Shut() }

// Resume implements [technology.Consumer].
func (c *consumer) Resume() { c.gate.Open() }

// Close implements [technology.Consumer].
func (c *consumer) Close() error {
	c.close.Do(func() {
		c.stop()
		c.running.Wait()
		if c.client != nil {
			c.client.Close()
		}
	})
	return nil
}
