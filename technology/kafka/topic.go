package kafka

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/technology"
)

// A topic's segments are a quarter of what a partition keeps, within these
// bounds: Kafka deletes whole segments only, and its own 1 GiB for each
// partition can be many times the retention that was asked for.
const (
	minSegment = 16 << 20
	maxSegment = 1 << 30
)

// defaultMaxMessage is Kafka's own limit of a batch, in bytes.
const defaultMaxMessage = 1_048_588

// Prepare implements [technology.Driver]. Retention is split evenly among the
// partitions.
func (d *driver) Prepare(ctx context.Context, t experiment.Topology, retention experiment.Bytes) (technology.Effective, error) {
	partitions, replicas := max(t.Partitions, 1), max(t.Replicas, 1)
	if err := d.createTopic(ctx, partitions, replicas, int64(retention)); err != nil {
		return technology.Effective{}, fmt.Errorf("create topic %s: %w", d.settings.Destination, err)
	}
	if err := d.waitForLeaders(ctx, partitions, replicas); err != nil {
		return technology.Effective{}, fmt.Errorf("wait for the leaders of topic %s: %w", d.settings.Destination, err)
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
		set("segment.bytes", min(max(share/4, minSegment), maxSegment))
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
			return technology.Final(fmt.Errorf("workload.topology.replicas is %d, more than the cluster has brokers (%d): raise the option brokers of the stack, or lower replicas: %w", replicas, len(d.seeds), err))
		}
		if e := (*kerr.Error)(nil); errors.As(err, &e) && !e.Retriable {
			return technology.Final(err)
		}
		return err
	})
}

// waitForLeaders returns once every partition has its leader and all its copies
// are in sync.
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
			return technology.Final(fmt.Errorf("it exists with %d partitions, not %d: use another destination", len(found), partitions))
		}
		for _, p := range found.Sorted() {
			switch {
			case p.Err != nil:
				return fmt.Errorf("partition %d: %w", p.Partition, p.Err)
			case len(p.Replicas) != replicas:
				return technology.Final(fmt.Errorf("it exists with %d replicas, not %d: use another destination", len(p.Replicas), replicas))
			case p.Leader < 0 || len(p.ISR) < replicas:
				return fmt.Errorf("partition %d: leader %d, %d of %d copies in sync", p.Partition, p.Leader, len(p.ISR), replicas)
			}
		}
		return nil
	})
}

// reported are the topic's settings that Effective tells; the first two give
// the durability.
var reported = []string{"flush.messages", "flush.ms", "min.insync.replicas", "retention.bytes", "segment.bytes", "max.message.bytes"}

// effective reads the guarantees back from the brokers.
func (d *driver) effective(ctx context.Context, replicas int) (technology.Effective, error) {
	details := d.config.details()
	err := technology.Retry(ctx, func(ctx context.Context) error {
		resources, err := d.admin.DescribeTopicConfigs(ctx, d.settings.Destination)
		if err != nil {
			return err
		}
		resource, err := resources.On(d.settings.Destination, nil)
		if err = cmp.Or(err, resource.Err); err != nil {
			return err
		}
		for _, c := range resource.Configs {
			if slices.Contains(reported, c.Key) {
				details[c.Key] = c.MaybeValue()
			}
		}
		return d.addVersions(ctx, details)
	})
	if err != nil {
		return technology.Effective{}, fmt.Errorf("read the settings of topic %s: %w", d.settings.Destination, err)
	}
	minInSync, err := strconv.Atoi(details["min.insync.replicas"])
	if err != nil {
		return technology.Effective{}, fmt.Errorf("read min.insync.replicas of topic %s: %w", d.settings.Destination, err)
	}
	details["replication.factor"] = strconv.Itoa(replicas)
	return technology.Effective{
		ProducerAck: d.config.Acks,
		Durability:  durability(d.config.Acks, details["flush.messages"]),
		Replicas:    replicas,
		Zones:       1,
		MinInSync:   map[string]int{"all": minInSync, "leader": 1, "none": 0}[d.config.Acks],
		Details:     details,
		Raise: map[string]string{
			"producer_ack": "client_config acks: {want}",
			"durability":   "flush_messages: 1",
			"replicas":     "brokers: {want} and workload.topology.replicas: {want}",
			"min_in_sync":  "min_insync_replicas: {want}, with as many brokers and copies and acks: all",
		},
	}, nil
}

// addVersions adds the brokers' versions and the feature levels of the cluster.
// Brokers don't tell their version, so it is guessed from the requests that
// they understand.
func (d *driver) addVersions(ctx context.Context, details map[string]string) error {
	versions, err := d.admin.ApiVersions(ctx)
	if err != nil {
		return err
	}
	var guesses []string
	for _, v := range versions.Sorted() {
		if v.Err != nil {
			return fmt.Errorf("broker %d: %w", v.NodeID, v.Err)
		}
		if guess := v.VersionGuess(); !slices.Contains(guesses, guess) {
			guesses = append(guesses, guess)
		}
		for _, f := range v.Raw().FinalizedFeatures {
			details["feature."+f.Name] = strconv.Itoa(int(f.MaxVersionLevel))
		}
	}
	details["version"] = strings.Join(guesses, ", ")
	return nil
}

// durability says where a message is when it is acknowledged. Kafka appends to
// the page cache, and flushes before the answer only when each message is to be
// flushed; without acknowledgement nothing is promised.
func durability(acks, flushMessages string) string {
	switch {
	case acks == "none":
		return "memory"
	case flushMessages == "1":
		return "fsync_before_ack"
	}
	return "page_cache"
}
