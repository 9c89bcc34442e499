package kinesis

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"golang.org/x/sync/errgroup"

	"dec.local/dec/technology"
)

const (
	readAgainEvery  = 200 * time.Millisecond // between two reads of a shard: five a second are allowed
	readAgainAtOnce = 8                      // shards
	readAgainMost   = 2000                   // records in an answer, which must come in time
)

// Remaining implements [technology.Rereader]: it reads every shard that the stream still
// has from its oldest record to its end. Nothing expires within a run: records are kept
// for a day at least.
func (d *driver) Remaining(ctx context.Context, held func(technology.Message)) (expired bool, err error) {
	all, err := d.shards(ctx)
	if isNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	var one sync.Mutex // called one at a time
	reading, ctx := errgroup.WithContext(ctx)
	reading.SetLimit(readAgainAtOnce)
	partition := 0
	for _, s := range all {
		of := partition
		reading.Go(func() error {
			err := d.readShardAgain(ctx, s, of, func(m technology.Message) { one.Lock(); held(m); one.Unlock() })
			if err != nil {
				return fmt.Errorf("read shard %s again: %w", s.id, err)
			}
			return nil
		})
		if s.open {
			partition++
		}
	}
	return false, reading.Wait()
}

// readShardAgain reads until an answer without a record says that nothing is behind it.
func (d *driver) readShardAgain(ctx context.Context, s shard, partition int, held func(technology.Message)) error {
	var key []byte
	var next *string
	err := d.control(ctx, func(ctx context.Context) error {
		output, err := d.admin.GetShardIterator(ctx, &kinesis.GetShardIteratorInput{
			StreamName: &d.stream, ShardId: &s.id, ShardIteratorType: types.ShardIteratorTypeTrimHorizon,
		})
		if err == nil {
			next = output.ShardIterator
		}
		return err
	})
	for err == nil && next != nil {
		var output *kinesis.GetRecordsOutput
		err = d.control(ctx, func(ctx context.Context) error {
			output, err = d.admin.GetRecords(ctx, &kinesis.GetRecordsInput{ShardIterator: next, Limit: aws.Int32(readAgainMost)})
			return err
		})
		if err != nil {
			break
		}
		for _, record := range output.Records {
			m := technology.Message{Payload: record.Data, Partition: partition}
			if of, given := keyOf(key, aws.ToString(record.PartitionKey)); given {
				key, m.Key = of, of
			}
			held(m)
		}
		if next = output.NextShardIterator; len(output.Records) == 0 && aws.ToInt64(output.MillisBehindLatest) == 0 {
			return nil
		}
		if !sleep(ctx.Done(), readAgainEvery) {
			return context.Cause(ctx)
		}
	}
	return err
}
