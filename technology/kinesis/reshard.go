package kinesis

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"dec.local/dec/technology"
)

// follow goes on with the children of a shard that was split or merged and has
// been read to its end. A child of two parents is read by the consumer that has
// the first of them, and only after the end of the other one, as far as that is
// read by this driver.
func (c *consumer) follow(ctx context.Context, parent string) {
	all, err := c.awaitChildren(ctx, parent)
	if err != nil {
		if ctx.Err() == nil {
			c.driver.log.Warn("find the children of a closed Kinesis shard", "shard", parent, "error", err)
		}
		return
	}
	for _, child := range all {
		if len(child.parents) == 0 || slices.Min(child.parents) != parent {
			continue
		}
		for _, other := range child.parents {
			if other != parent && !c.group.await(ctx, lineage(all, other)) {
				return
			}
		}
		partition := c.ranges.partition(child.start)
		c.driver.log.Info("a Kinesis shard was closed; reading continues from its child", "shard", parent, "child", child.id, "partition", partition)
		position := make(chan error, 1)
		c.start(ctx, c.newReader(child.id, partition, types.ShardIteratorTypeTrimHorizon), child.id, position)
		c.running.Go(func() {
			if err := <-position; err != nil && ctx.Err() == nil {
				c.driver.log.Warn("read a child of a Kinesis shard", "shard", child.id, "error", err)
			}
		})
	}
}

// awaitChildren lists all shards, once there are some that came from parent.
func (c *consumer) awaitChildren(ctx context.Context, parent string) ([]shard, error) {
	var all []shard
	err := technology.Retry(ctx, func(ctx context.Context) (err error) {
		if all, err = c.driver.shards(ctx); err != nil {
			if judge(err) == fatal && !isAccess(err) {
				return technology.Final(err)
			}
			return err
		}
		if !slices.ContainsFunc(all, func(s shard) bool { return slices.Contains(s.parents, parent) }) {
			return fmt.Errorf("shard %s was closed and has no children yet", parent)
		}
		return nil
	})
	return all, err
}

// lineage returns a shard and all that it came from.
func lineage(all []shard, id string) []string {
	found := []string{id}
	for i := 0; i < len(found); i++ {
		for _, s := range all {
			if s.id == found[i] {
				found = append(found, s.parents...)
			}
		}
	}
	return found
}

// group is what the consumers of one group share within a driver.
type group struct {
	mu      sync.Mutex               // protects the following
	reading map[string]chan struct{} // shards that are read now; closed when they are no more
}

// group returns the group of a name.
func (d *driver) group(name string) *group {
	d.mu.Lock()
	defer d.mu.Unlock()
	g, ok := d.groups[name]
	if !ok {
		g = &group{reading: map[string]chan struct{}{}}
		d.groups[name] = g
	}
	return g
}

// enter notes that a shard is read, until the returned function is called.
func (g *group) enter(shard string) (leave func()) {
	done := make(chan struct{})
	g.mu.Lock()
	defer g.mu.Unlock()
	g.reading[shard] = done
	return func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		close(done)
		if g.reading[shard] == done {
			delete(g.reading, shard)
		}
	}
}

// await waits until none of the shards is read. It returns false when ctx has
// ended.
func (g *group) await(ctx context.Context, shards []string) bool {
	for {
		g.mu.Lock()
		var done chan struct{}
		for _, shard := range shards {
			if reading, ok := g.reading[shard]; ok {
				done = reading
			}
		}
		g.mu.Unlock()
		if done == nil {
			return ctx.Err() == nil
		}
		select {
		case <-done:
		case <-ctx.Done():
			return false
		}
	}
}
