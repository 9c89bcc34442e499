package kinesis

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

// poller reads a shard by GetRecords, at most once in each interval. All groups
// share the five reads a second and the 2 MB/s of a shard.
type poller struct {
	base
	interval time.Duration
	iterator *string        // where to read on; nil at the shard's end
	last     string         // sequence number of the last record read; "" before the first
	idle     time.Time      // when the last answer without a record was asked for
	asked    time.Time      // when the last read began
	first    []types.Record // what came while the position was taken
	limit    int            // records to ask for; the configured number if 0
}

// fewest is the number of records below which a read asks for no fewer.
const fewest = 100

// position implements [reader]. The first read makes sure that Kinesis has
// settled where the iterator points to.
func (r *poller) position(ctx context.Context) error {
	return r.consumer.driver.control(ctx, func(ctx context.Context) error {
		if r.iterator == nil {
			input := &kinesis.GetShardIteratorInput{ShardIteratorType: r.origin}
			if err := r.renew(ctx, input); err != nil {
				return err
			}
		}
		output, err := r.get(ctx)
		if err != nil {
			return err
		}
		r.advance(output)
		r.first = output.Records
		return nil
	})
}

// renew gets an iterator.
func (r *poller) renew(ctx context.Context, input *kinesis.GetShardIteratorInput) error {
	input.StreamName, input.ShardId = &r.consumer.driver.stream, &r.shard
	output, err := r.consumer.client.GetShardIterator(ctx, input)
	if err != nil {
		return fmt.Errorf("get an iterator for shard %s: %w", r.shard, plain(err))
	}
	r.iterator = output.ShardIterator
	return nil
}

// get makes one request.
func (r *poller) get(ctx context.Context) (*kinesis.GetRecordsOutput, error) {
	config := &r.consumer.driver.config
	ctx, cancel := context.WithTimeout(ctx, milliseconds(config.RequestTimeoutMS))
	defer cancel()
	r.asked = time.Now()
	limit := cmp.Or(r.limit, config.PollMaxRecords)
	output, err := r.consumer.client.GetRecords(ctx, &kinesis.GetRecordsInput{ShardIterator: r.iterator, Limit: aws.Int32(int32(limit))})
	r.limit = min(2*limit, config.PollMaxRecords)
	if err != nil {
		// The same request might never be answered in time, and what waits grows.
		if errors.Is(err, context.DeadlineExceeded) {
			r.limit = max(limit/2, min(fewest, config.PollMaxRecords))
		}
		return nil, fmt.Errorf("get the records of shard %s: %w", r.shard, plain(err))
	}
	return output, nil
}

// advance notes where an answer ends.
func (r *poller) advance(output *kinesis.GetRecordsOutput) {
	if n := len(output.Records); n > 0 {
		r.last = aws.ToString(output.Records[n-1].SequenceNumber)
	} else {
		r.idle = r.asked
	}
	r.iterator = output.NextShardIterator
}

// read implements [reader]. A paused consumer holds one answer; without records
// it reads on, so that its iterator does not expire before it knows a sequence
// number to go on from.
func (r *poller) read(ctx context.Context) (ended bool) {
	records := r.first
	r.first = nil
	for {
		if !r.hand(ctx, records) {
			return false
		}
		if r.iterator == nil {
			return true
		}
		output := r.next(ctx)
		if output == nil {
			return false
		}
		r.advance(output)
		records = output.Records
	}
}

// next reads until there is an answer. It returns nil when ctx has ended.
func (r *poller) next(ctx context.Context) *kinesis.GetRecordsOutput {
	var logged string
	pause := r.interval - time.Since(r.asked)
	for sleep(ctx.Done(), pause) {
		output, err := r.get(ctx)
		if err == nil {
			return output
		}
		if ctx.Err() != nil {
			return nil
		}
		if _, expired := errors.AsType[*types.ExpiredIteratorException](err); expired {
			if err = r.renew(ctx, r.resumption()); err == nil {
				pause = 0
				continue
			}
		}
		pause = r.interval + jitter(r.interval)
		if judge(err) == throttled {
			r.refused = true
			continue
		}
		if reason := err.Error(); reason != logged { // once, not at every try
			r.consumer.driver.log.Warn("read from Kinesis", "error", err)
			logged = reason
		}
	}
	return nil
}

// resumption is where to go on when the iterator has expired, which takes five
// minutes without any read. Before the first record there is only the time to
// go by, and the clocks of two machines: what came while they differ is read
// twice or not at all.
func (r *poller) resumption() *kinesis.GetShardIteratorInput {
	if r.last != "" {
		return &kinesis.GetShardIteratorInput{ShardIteratorType: types.ShardIteratorTypeAfterSequenceNumber, StartingSequenceNumber: &r.last}
	}
	if r.origin == types.ShardIteratorTypeTrimHorizon {
		return &kinesis.GetShardIteratorInput{ShardIteratorType: r.origin}
	}
	r.consumer.driver.log.Warn("a Kinesis iterator expired before the first record; reading continues from the time of the last answer",
		"shard", r.shard, "time", r.idle)
	return &kinesis.GetShardIteratorInput{ShardIteratorType: types.ShardIteratorTypeAtTimestamp, Timestamp: &r.idle}
}
