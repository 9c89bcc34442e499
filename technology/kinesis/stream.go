package kinesis

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/technology"
)

// Prepare implements [technology.Driver]. It creates the stream unless the stack
// did. Kinesis keeps records for a time, whatever their size, so that nothing is
// dropped before the retention.
func (d *driver) Prepare(ctx context.Context, t experiment.Topology, _ experiment.Bytes) (experiment.Effective, error) {
	partitions, replicas := max(t.Partitions, 1), max(t.Replicas, 1)
	if err := d.checkReplicas(replicas); err != nil {
		return experiment.Effective{}, err
	}
	if d.endpoints.Consumers == enhancedFanOut && t.ConsumerGroups > maxFanOuts {
		return experiment.Effective{}, fmt.Errorf("workload.topology.consumer_groups is %d, "+
			"but a stream has at most %d consumers with enhanced fan-out: "+
			"lower it, or set the option consumers: polling", t.ConsumerGroups, maxFanOuts)
	}
	if d.endpoints.Stream == "" {
		if err := d.createStream(ctx, partitions); err != nil {
			return experiment.Effective{}, fmt.Errorf("create stream %s: %w", d.stream, err)
		}
	}
	summary, err := d.waitForStream(ctx, partitions)
	if err != nil {
		return experiment.Effective{}, fmt.Errorf("wait for stream %s: %w", d.stream, err)
	}
	return d.effective(ctx, summary)
}

// checkReplicas reports whether there are as many copies of a record.
func (d *driver) checkReplicas(replicas int) error {
	switch {
	case d.endpoints.Emulator != "" && replicas > 1:
		return fmt.Errorf("workload.topology.replicas is %d, but the emulator %s keeps one copy: set it to 1, or use AWS",
			replicas, d.endpoints.Emulator)
	case replicas > maxReplicas:
		return fmt.Errorf("workload.topology.replicas is %d, but Kinesis keeps %d copies: lower it", replicas, maxReplicas)
	}
	return nil
}

// createStream succeeds on a stream that exists. Whether that one has the right
// shape is for waitForStream to say.
func (d *driver) createStream(ctx context.Context, partitions int) error {
	input := &kinesis.CreateStreamInput{StreamName: &d.stream}
	if d.endpoints.Capacity == onDemand {
		input.StreamModeDetails = &types.StreamModeDetails{StreamMode: types.StreamModeOnDemand}
	} else {
		input.ShardCount = aws.Int32(int32(partitions))
	}
	return d.control(ctx, func(ctx context.Context) error {
		_, err := d.admin.CreateStream(ctx, input)
		if isInUse(err) {
			return nil
		}
		// The same code is for too many streams in the making, which passes.
		if limit, ok := errors.AsType[*types.LimitExceededException](err); ok && strings.Contains(limit.ErrorMessage(), "shard limit") {
			return technology.Final(fmt.Errorf("workload.topology.partitions is %d, more than the shard limit allows: raise the account's limit, "+
				"or lower partitions: %w", partitions, err))
		}
		return err
	})
}

// waitForStream returns once the stream is active and has the right number of
// shards.
func (d *driver) waitForStream(ctx context.Context, partitions int) (*types.StreamDescriptionSummary, error) {
	var summary *types.StreamDescriptionSummary
	err := technology.Retry(ctx, func(ctx context.Context) error {
		output, err := d.describe(ctx)
		if err != nil {
			if judge(err) == fatal && !isNotFound(err) && !isAccess(err) {
				return technology.Final(err)
			}
			return err // a stack's stream may still be in the making
		}
		summary = output.StreamDescriptionSummary
		if status := summary.StreamStatus; status != types.StreamStatusActive {
			return fmt.Errorf("it is %s", status)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	open, err := d.openShards(ctx)
	if err != nil {
		return nil, err
	}
	if len(open) == partitions {
		return summary, nil
	}
	if d.endpoints.Capacity == onDemand {
		return nil, fmt.Errorf("it has %d shards, chosen by AWS for an on-demand stream: set workload.topology.partitions: %d", len(open), len(open))
	}
	return nil, fmt.Errorf("it already exists with %d partitions, not %d: use another destination", len(open), partitions)
}

// nature is what Kinesis guarantees, for results of an emulator. The source is
// named in README.md.
const nature = "Amazon Kinesis itself copies each record to three Availability Zones before acknowledging it."

// effective tells the guarantees. Kinesis leaves no choice of them, and tells no
// client: they are those of its documentation.
func (d *driver) effective(ctx context.Context, s *types.StreamDescriptionSummary) (experiment.Effective, error) {
	details := d.config.details()
	details["version"] = "API 2013-12-02"
	details["client"] = "aws-sdk-go-v2 " + sdkVersion()
	details["shards"] = strconv.Itoa(int(aws.ToInt32(s.OpenShardCount)))
	details["retention_hours"] = strconv.Itoa(int(aws.ToInt32(s.RetentionPeriodHours)))
	details["encryption"] = string(types.EncryptionTypeNone)
	if s.EncryptionType != "" {
		details["encryption"] = string(s.EncryptionType)
	}
	details["capacity"] = d.endpoints.Capacity
	if s.StreamModeDetails != nil {
		details["capacity"] = strings.ToLower(string(s.StreamModeDetails.StreamMode))
	}
	details["consumers"] = d.endpoints.Consumers
	if d.endpoints.Consumers == polling {
		interval := d.config.pollInterval(d.settings.Workload.Topology.ConsumerGroups)
		details["poll_interval_ms"] = strconv.FormatInt(interval.Milliseconds(), 10)
		details["poll_max_records"] = strconv.Itoa(d.config.PollMaxRecords)
	}
	if d.endpoints.Emulator != "" {
		return d.emulated(details), nil
	}
	details["limits"] = "AWS's own"
	// For people only, and not every role may ask.
	if limits, err := d.admin.DescribeLimits(ctx, &kinesis.DescribeLimitsInput{}); err == nil {
		details["account_shard_limit"] = strconv.Itoa(int(aws.ToInt32(limits.ShardLimit)))
	}
	return experiment.Effective{ // nothing raises or lowers them: Kinesis gives no choice
		ProducerAck: "all",
		Durability:  "page_cache",
		Replicas:    maxReplicas,
		MinInSync:   maxReplicas,
		WaitedFor:   new(maxReplicas),
		Zones:       3,
		Details:     details,
		Clients:     d.clients(),
		Incidents:   d.incidents(),
	}, nil
}

// emulated are the guarantees of an emulator: a process that keeps records in
// its memory.
func (d *driver) emulated(details map[string]string) experiment.Effective {
	details["version"] = d.endpoints.Emulator
	details["limits"] = "none enforced"
	if d.endpoints.Limits {
		details["limits"] = "per shard, enforced in front of the emulator"
	}
	return experiment.Effective{
		ProducerAck: "all",
		Durability:  "memory",
		Replicas:    1,
		MinInSync:   1,
		WaitedFor:   new(1),
		Zones:       1,
		Details:     details,
		Clients:     d.clients(),
		Incidents:   d.incidents(),
		Emulator:    d.endpoints.Emulator,
		Nature:      nature,
	}
}

// incidents are those that the clients can tell. Connections of requests are made anew by
// Go's own client, which tells nobody; those of subscriptions are ours.
func (d *driver) incidents() []experiment.Incident {
	told := []experiment.Incident{experiment.ThrottledWrites, experiment.ThrottledReads, experiment.RetriedSends}
	if d.endpoints.Consumers == enhancedFanOut {
		told = append(told, experiment.Reconnects)
	}
	return told
}

// clients are the settings that decide about latencies. AWS is always spoken to by TLS.
func (d *driver) clients() map[experiment.ClientSetting]string {
	return d.config.clients(!strings.HasPrefix(d.endpoints.Endpoint, "http://"), d.endpoints.Consumers == enhancedFanOut)
}

// sdkModule is the part of the SDK that speaks to Kinesis.
const sdkModule = "github.com/aws/aws-sdk-go-v2/service/kinesis"

// sdkVersion is the version of sdkModule in this program.
func sdkVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, module := range info.Deps {
		if module.Path == sdkModule {
			return strings.TrimPrefix(module.Version, "v")
		}
	}
	return "unknown"
}
