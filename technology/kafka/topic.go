package kafka

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/technology"
)

// Where a run writes more than its retention holds, a topic's segments are a quarter of
// what a partition keeps, within these bounds: Kafka deletes whole segments only, and
// its own 1 GiB for each partition can be many times the retention that was asked for.
// Any other run has Kafka's own: smaller segments make brokers roll them, which is work.
const (
	minSegment = 16 << 20
	maxSegment = 1 << 30 // Kafka's own
)

// defaultMaxMessage is Kafka's own limit of a batch, in bytes.
const defaultMaxMessage = 1_048_588

// Prepare implements [technology.Driver]. Retention is split evenly among the
// partitions.
func (d *driver) Prepare(ctx context.Context, t experiment.Topology, retention experiment.Bytes) (experiment.Effective, error) {
	partitions, replicas := max(t.Partitions, 1), max(t.Replicas, 1)
	if d.Replicas > 0 {
		replicas = d.Replicas
	}
	if err := d.createTopic(ctx, partitions, replicas, int64(retention)); err != nil {
		return experiment.Effective{}, fmt.Errorf("create topic %s: %w", d.settings.Destination, err)
	}
	if err := d.waitForLeaders(ctx, partitions, replicas); err != nil {
		return experiment.Effective{}, fmt.Errorf("wait for the leaders of topic %s: %w", d.settings.Destination, err)
	}
	if err := d.setQuotas(ctx); err != nil {
		return experiment.Effective{}, fmt.Errorf("set the client quotas: %w", err)
	}
	return d.effective(ctx, replicas)
}

// createTopic succeeds on a topic that exists. Whether that one has the right
// shape is for waitForLeaders to say.
func (d *driver) createTopic(ctx context.Context, partitions, replicas int, retention int64) error {
	configs := map[string]*string{}
	set := func(name string, value int64) { configs[name] = kadm.StringPtr(strconv.FormatInt(value, 10)) }
	if retention > 0 {
		share := max(retention/int64(partitions), 1)
		set("retention.bytes", share)
		if d.settings.Workload.Outgrows() {
			set("segment.bytes", min(max(share/4, minSegment), maxSegment))
		}
	}
	if batch := int64(d.config.BatchMaxBytes); batch > defaultMaxMessage {
		set("max.message.bytes", batch+batchOverhead)
	}
	return technology.Retry(ctx, func(ctx context.Context) error {
		_, err := d.admin.CreateTopic(ctx, int32(partitions), int16(replicas), configs, d.settings.Destination)
		switch {
		case err == nil, errors.Is(err, kerr.TopicAlreadyExists):
			return nil
		case errors.Is(err, kerr.InvalidReplicationFactor):
			// All brokers have joined when the driver was opened.
			return technology.Final(fmt.Errorf("workload.topology.replicas is %d, but the cluster has %d brokers: raise the stack's option brokers, "+
				"or lower replicas: %w", replicas, len(d.Bootstrap), err))
		}
		if e := (*kerr.Error)(nil); errors.As(err, &e) && !e.Retriable {
			return technology.Final(err)
		}
		return err
	})
}

// waitForLeaders returns once every partition has its leader, which knows it, and
// all its copies are in sync.
func (d *driver) waitForLeaders(ctx context.Context, partitions, replicas int) error {
	topic := d.settings.Destination
	return technology.Retry(ctx, func(ctx context.Context) error {
		topics, err := d.admin.ListTopics(ctx, topic)
		if err != nil {
			return err
		}
		if err := topics[topic].Err; err != nil {
			return err
		}
		found := topics[topic].Partitions
		if len(found) != partitions {
			return technology.Final(fmt.Errorf("it already exists with %d partitions, not %d: use another destination", len(found), partitions))
		}
		for _, p := range found {
			switch {
			case p.Err != nil:
				return fmt.Errorf("partition %d: %w", p.Partition, p.Err)
			case len(p.Replicas) != replicas:
				return technology.Final(fmt.Errorf("it already exists with %d replicas, not %d: use another destination", len(p.Replicas), replicas))
			case p.Leader < 0 || len(p.ISR) < replicas:
				return fmt.Errorf("partition %d: leader %d, %d of %d replicas in sync", p.Partition, p.Leader, len(p.ISR), replicas)
			}
		}
		// A leader is named at once, but makes the files of 1,000 partitions for
		// seconds. Until then it denies that it leads.
		ends, err := d.admin.ListEndOffsets(ctx, topic)
		return cmp.Or(err, ends.Error())
	})
}
