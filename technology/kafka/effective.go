package kafka

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/technology"
)

// reported are the topic's settings that Effective tells, the defaults of the
// brokers included. The first gives the durability.
var reported = []string{
	"flush.messages", "flush.ms", "min.insync.replicas", "unclean.leader.election.enable", "compression.type",
	"retention.bytes", "segment.bytes", "max.message.bytes",
}

// reportedOfBrokers are those of the brokers.
var reportedOfBrokers = []string{"log.retention.check.interval.ms", "log.segment.delete.delay.ms"}

// effective reads the guarantees back from the brokers.
func (d *driver) effective(ctx context.Context, replicas int) (experiment.Effective, error) {
	details := d.config.details()
	zones := 1
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
				// The topic's own compression, not to be taken for the client's.
				details[strings.Replace(c.Key, "compression.type", "topic.compression.type", 1)] = c.MaybeValue()
			}
		}
		if zones, err = d.zones(ctx); err != nil {
			return err
		}
		if err := d.addBrokers(ctx, details); err != nil {
			return err
		}
		if err := d.addQuotas(ctx, details); err != nil {
			return err
		}
		return d.addVersions(ctx, details)
	})
	if err != nil {
		return experiment.Effective{}, fmt.Errorf("read the settings of topic %s: %w", d.settings.Destination, err)
	}
	minInSync, err := strconv.Atoi(details["min.insync.replicas"])
	if err != nil {
		return experiment.Effective{}, fmt.Errorf("read min.insync.replicas of topic %s: %w", d.settings.Destination, err)
	}
	details["replication.factor"] = strconv.Itoa(replicas)
	nature := ""
	if d.settings.Workload.Outgrows() {
		nature = fmt.Sprintf("Kafka did not run by its own settings: the load writes more than the retention holds, so DEC set segment.bytes to %s "+
			"and let the brokers look for what to delete every %s ms (Kafka's own: 1GiB, 300000 ms).",
			bytesOf(details["segment.bytes"]), details["log.retention.check.interval.ms"])
	}
	return experiment.Effective{
		ProducerAck: d.config.Acks,
		Durability:  durability(d.config.Acks, details["flush.messages"]),
		Replicas:    replicas,
		Zones:       zones,
		// A leader asks for no more copies in sync than a partition has.
		MinInSync: map[string]int{"all": min(minInSync, replicas), "leader": 1, "none": 0}[d.config.Acks],
		// A leader waits for all copies that are in sync, however few are required.
		WaitedFor: new(map[string]int{"all": replicas, "leader": 1, "none": 0}[d.config.Acks]),
		Incidents: d.config.incidents(),
		Details:   details,
		Nature:    nature,
		Fsync:     fsync(details),
		Clients:   d.config.clients(strings.HasSuffix(details["security"], "SSL"), d.settings.Workload.Load.MaxInFlight),
		Raise: map[string]string{
			"producer_ack": "client_config acks: {want}",
			"durability":   "flush_messages: 1, with acks: leader or all",
			"replicas":     "replicas: {want}, with as many brokers",
			"min_in_sync":  "min_insync_replicas: {want}, with as many brokers and replicas, and acks: all",
			"waited_for":   "replicas: {want}, with as many brokers, and acks: all",
		},
	}, nil
}

// zones counts the racks that hold copies, of the partition that has the fewest.
// Brokers without a rack tell nothing: all of them may be in one place.
func (d *driver) zones(ctx context.Context) (int, error) {
	m, err := d.admin.Metadata(ctx, d.settings.Destination)
	if err != nil {
		return 0, err
	}
	racks := map[int32]string{}
	for _, b := range m.Brokers {
		if b.Rack != nil {
			racks[b.NodeID] = *b.Rack
		}
	}
	fewest := len(m.Brokers)
	for _, p := range m.Topics[d.settings.Destination].Partitions {
		found := map[string]bool{}
		for _, broker := range p.Replicas {
			found[racks[broker]] = true
		}
		fewest = min(fewest, len(found))
	}
	return max(fewest, 1), nil
}

// addBrokers adds settings of the brokers, among them how their listeners encrypt and
// authenticate, in Kafka's own words: PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL.
func (d *driver) addBrokers(ctx context.Context, details map[string]string) error {
	m, err := d.admin.BrokerMetadata(ctx)
	if err != nil {
		return err
	}
	resources, err := d.admin.DescribeBrokerConfigs(ctx, m.Brokers.NodeIDs()...)
	if err != nil {
		return err
	}
	configs := map[string]string{}
	for _, r := range resources {
		if r.Err != nil {
			return fmt.Errorf("broker %s: %w", r.Name, r.Err)
		}
		for _, c := range r.Configs {
			configs[c.Key] = c.MaybeValue()
		}
	}
	for _, name := range reportedOfBrokers {
		details[name] = configs[name]
	}
	// CLIENT:SASL_SSL,CONTROLLER:SSL
	for listener := range strings.SplitSeq(configs["listener.security.protocol.map"], ",") {
		name, protocol, _ := strings.Cut(listener, ":")
		switch name {
		case configs["inter.broker.listener.name"]: // clients and brokers call the same one
			details["security"] = protocol
		case configs["controller.listener.names"]:
			details["security.controllers"] = protocol
		}
	}
	if strings.HasPrefix(details["security"], "SASL") {
		details["security.mechanism"] = configs["sasl.enabled.mechanisms"]
	}
	return nil
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

// unlimited is the default of flush.messages and flush.ms: Kafka never flushes because
// of them.
const unlimited = "9223372036854775807"

// fsync tells when brokers call it for messages: by their flush settings, and when they
// roll a segment. It is nil where they flush after a number of messages.
func fsync(details map[string]string) *experiment.Fsync {
	f := &experiment.Fsync{}
	segment, err := strconv.ParseInt(details["segment.bytes"], 10, 64)
	if err != nil || details["flush.messages"] != unlimited {
		return nil
	}
	f.AfterBytes = experiment.Bytes(segment)
	if after := details["flush.ms"]; after != unlimited {
		ms, err := strconv.ParseInt(after, 10, 32)
		if err != nil {
			return nil
		}
		f.AfterNS = (time.Duration(ms) * time.Millisecond).Nanoseconds()
	}
	return f
}

// bytesOf is a number of bytes for people.
func bytesOf(text string) string {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return text
	}
	return experiment.Bytes(n).String()
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
