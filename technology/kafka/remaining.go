package kafka

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"dec.local/dec/technology"
)

// rereadBytes bounds a fetch of what the topic still holds: that may be a whole run, and
// the agent is not to grow with it.
const rereadBytes = 8 << 20

// Remaining implements [technology.Rereader]: it reads each partition from the first
// offset that there is to the end of now. A first offset above 0 says that the
// retention has deleted what was before it.
func (d *driver) Remaining(ctx context.Context, held func(technology.Message)) (expired bool, err error) {
	topic := d.settings.Destination
	from, until := map[int32]kgo.Offset{}, map[int32]int64{}
	err = technology.Retry(ctx, func(ctx context.Context) error {
		starts, err := d.admin.ListStartOffsets(ctx, topic)
		if err == nil {
			err = starts.Error()
		}
		if errors.Is(err, kerr.UnknownTopicOrPartition) {
			return technology.Final(err)
		}
		if err != nil {
			return err
		}
		ends, err := d.admin.ListEndOffsets(ctx, topic)
		if err == nil {
			err = ends.Error()
		}
		for partition, start := range starts[topic] {
			expired = expired || start.Offset > 0
			if end, ok := ends[topic][partition]; ok && end.Offset > start.Offset {
				from[partition], until[partition] = kgo.NewOffset().At(start.Offset), end.Offset
			}
		}
		return err
	})
	if errors.Is(err, kerr.UnknownTopicOrPartition) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look at what topic %s holds: %w", topic, err)
	}
	if len(from) == 0 {
		return expired, nil
	}
	client, err := d.newClient(nil, kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: from}),
		kgo.ClientID(rereadClientID), kgo.FetchMaxBytes(rereadBytes), kgo.MaxConcurrentFetches(1))
	if err != nil {
		return false, err
	}
	defer client.Close()
	for len(until) > 0 {
		fetches := client.PollFetches(ctx)
		if err := ctx.Err(); err != nil {
			return false, fmt.Errorf("read topic %s again: %w", topic, context.Cause(ctx))
		}
		for records := fetches.RecordIter(); !records.Done(); {
			r := records.Next()
			if end, reading := until[r.Partition]; reading && r.Offset < end {
				held(technology.Message{Key: r.Key, Payload: r.Value, Partition: int(r.Partition)})
			}
			if r.Offset+1 >= until[r.Partition] {
				delete(until, r.Partition)
			}
		}
	}
	return expired, nil
}
