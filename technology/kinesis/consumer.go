package kinesis

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/technology"
)

// consumer reads its share of the shards, each in a goroutine of its own.
type consumer struct {
	driver   *driver
	name     string // of its group
	group    *group
	client   *client
	ranges   ranges // of the partitions
	received func(technology.Message)
	gate     technology.Gate
	stop     context.CancelFunc // ends the readers
	running  sync.WaitGroup
	close    sync.Once

	handing sync.Mutex // held while received is called, and while waiting at the gate; protects the following
	key     []byte     // of the message that is handed over
}

// reader reads one shard, in one of the two modes.
type reader interface {
	// position puts the reader where it starts: at the shard's end or beginning.
	position(ctx context.Context) error
	// read hands records over until ctx ends, or the shard has ended, which it
	// tells by true.
	read(ctx context.Context) (ended bool)
}

// Consumer implements [technology.Driver]. Consumer i of n reads the shards s
// with s mod n = i. Each reader has asked for the end of its shard and got an
// answer from there before Consumer returns: what is sent afterwards is behind
// it, so it arrives, and nothing that was acknowledged before does.
func (d *driver) Consumer(ctx context.Context, name string, i int, received func(technology.Message)) (technology.Consumer, error) {
	open, err := d.openShards(ctx)
	if err != nil {
		return nil, err
	}
	reading, stop := context.WithCancel(context.WithoutCancel(ctx))
	c := &consumer{driver: d, name: name, group: d.group(name), client: d.newClient(), ranges: rangesOf(open), received: received, stop: stop}
	members := max(d.settings.Workload.Topology.ConsumersPerGroup, 1)
	positions := make(chan error, len(open))
	count := 0
	for index, s := range open {
		if index%members == i%members {
			c.start(reading, c.newReader(s.id, index, types.ShardIteratorTypeLatest), s.id, positions)
			count++
		}
	}
	if err := c.awaitPositions(ctx, positions, count); err != nil {
		c.Close()
		return nil, fmt.Errorf("position consumer %d of group %s: %w", i, name, err)
	}
	return c, nil
}

// awaitPositions returns once as many readers have their position.
func (c *consumer) awaitPositions(ctx context.Context, positions <-chan error, count int) error {
	ended := ctx.Done()
	var cause error
	for count > 0 {
		select {
		case err := <-positions:
			if err != nil {
				return errors.Join(cause, err)
			}
			count--
		case <-ended:
			ended, cause = nil, context.Cause(ctx)
			c.stop() // the readers tell what they were waiting for
		}
	}
	return cause
}

// newReader returns a reader of the mode that the stack chose.
func (c *consumer) newReader(shard string, partition int, origin types.ShardIteratorType) reader {
	b := base{consumer: c, shard: shard, partition: partition, origin: origin}
	if c.driver.endpoints.Consumers == enhancedFanOut {
		return &subscriber{base: b}
	}
	return &poller{base: b, interval: c.driver.config.pollInterval(c.driver.settings.Workload.Topology.ConsumerGroups)}
}

// start runs a reader. It reports whether there is a position.
func (c *consumer) start(ctx context.Context, r reader, shard string, positions chan<- error) {
	left := c.group.enter(shard)
	c.running.Go(func() {
		err := r.position(ctx)
		positions <- err
		if err == nil && r.read(ctx) {
			c.follow(ctx, shard) // before it has left, so that the group is never seen without a heir
		}
		left()
	})
}

// Pause implements [technology.Consumer]. A reader then holds what it has read
// or what is on its way to it, and asks for no more.
func (c *consumer) Pause() { c.gate.Shut() }

// Resume implements [technology.Consumer].
func (c *consumer) Resume() { c.gate.Open() }

// Close implements [technology.Consumer].
func (c *consumer) Close() error {
	c.close.Do(func() {
		c.stop()
		c.running.Wait()
		c.client.close()
	})
	return nil
}

// base is what the readers of both modes have.
type base struct {
	consumer  *consumer
	shard     string
	partition int
	origin    types.ShardIteratorType // where to start
	refused   bool                    // because of a limit, since records were read last
}

// hand hands records over, which are all that an answer has. Those of the first one after
// a refusal came later than they could. It returns false when ctx has ended meanwhile.
func (b *base) hand(ctx context.Context, records []types.Record) bool {
	c := b.consumer
	if b.refused {
		b.refused = false
		c.driver.settings.Report(experiment.ThrottledReads, len(records))
	}
	c.handing.Lock()
	defer c.handing.Unlock()
	for i := range records {
		if !c.gate.Pass(ctx.Done()) || ctx.Err() != nil {
			return false
		}
		m := technology.Message{Payload: records[i].Data, Partition: b.partition}
		if key, given := keyOf(c.key, aws.ToString(records[i].PartitionKey)); given {
			c.key, m.Key = key, key
		}
		c.received(m)
	}
	return ctx.Err() == nil
}
