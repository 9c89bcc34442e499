package kinesis

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/schemas"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/aws/smithy-go/transport/http/protocol/awsjson"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/technology"
)

const (
	// subscribePatience is how long Kinesis may take to accept a subscription.
	subscribePatience = 10 * time.Second
	// silence is how long a subscription may bring nothing before it is made
	// anew. Kinesis sends an event every few seconds, records or not.
	silence = 35 * time.Second
)

// subscriber reads a shard by SubscribeToShard: Kinesis pushes the records, and
// ends each subscription after five minutes. The next one goes on behind the
// last event that was handed over whole.
type subscriber struct {
	base
	stream       *kinesis.SubscribeToShardEventStream // nil when there is none
	cancel       context.CancelFunc                   // of its request
	continuation *string                              // where the next subscription goes on; nil before the first event
	fruitless    bool                                 // it has brought no event yet
	first        *types.SubscribeToShardEvent         // that told the position
}

// position implements [reader]. The first event tells where the subscription
// stands, so all that is sent afterwards comes.
func (r *subscriber) position(ctx context.Context) error {
	return technology.Retry(ctx, func(context.Context) error { // a subscription outlives the time of a try
		if err := r.subscribe(ctx); err != nil {
			if judge(err) == fatal && !isAccess(err) {
				return technology.Final(err)
			}
			return err
		}
		event, err := r.receive(ctx)
		if err != nil {
			r.drop()
			return err
		}
		r.first = event
		return nil
	})
}

// read implements [reader].
func (r *subscriber) read(ctx context.Context) (ended bool) {
	defer r.drop()
	event := r.first
	r.first = nil
	for {
		if event != nil {
			if !r.hand(ctx, event.Records) {
				return false
			}
			if event.ContinuationSequenceNumber == nil || len(event.ChildShards) > 0 {
				return true
			}
			r.continuation = event.ContinuationSequenceNumber
		}
		var err error
		if event, err = r.receive(ctx); err == nil {
			continue
		}
		r.drop()
		if ctx.Err() != nil || !r.resubscribe(ctx, err) {
			return false
		}
	}
}

// errEnded is why a subscription ended in the regular way.
var errEnded = errors.New("the subscription has ended")

// receive waits for the next event.
func (r *subscriber) receive(ctx context.Context) (*types.SubscribeToShardEvent, error) {
	quiet := time.NewTimer(silence)
	defer quiet.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-quiet.C:
			return nil, fmt.Errorf("nothing was received within %s", silence)
		case event, ok := <-r.stream.Events():
			if !ok {
				return nil, errors.Join(errEnded, r.stream.Err())
			}
			if records, ok := event.(*types.SubscribeToShardEventStreamMemberSubscribeToShardEvent); ok {
				r.fruitless = false
				return &records.Value, nil
			}
		}
	}
}

// subscribe makes one subscription.
func (r *subscriber) subscribe(ctx context.Context) error {
	arn, err := r.consumer.driver.register(ctx, r.consumer.name)
	if err != nil {
		return err
	}
	start := &types.StartingPosition{Type: r.origin}
	if r.continuation != nil {
		start = &types.StartingPosition{Type: types.ShardIteratorTypeAfterSequenceNumber, SequenceNumber: r.continuation}
	}
	life, cancel := context.WithCancel(ctx)
	late := time.AfterFunc(subscribePatience, cancel)
	output, err := r.consumer.client.SubscribeToShard(life, &kinesis.SubscribeToShardInput{
		ConsumerARN: &arn, ShardId: &r.shard, StartingPosition: start,
	}, ownProtocol)
	if !late.Stop() && err == nil {
		output.GetStream().Close()
		err = context.DeadlineExceeded
	}
	if err != nil {
		cancel()
		if isNotFound(err) {
			r.consumer.driver.forget(r.consumer.name, arn)
		}
		return fmt.Errorf("subscribe to shard %s: %w", r.shard, plain(err))
	}
	r.stream, r.cancel, r.fruitless = output.GetStream(), cancel, true
	return nil
}

// ownProtocol gives a subscription a protocol of its own: the SDK's keeps a
// decoder, which the subscriptions of one client would share without a lock.
func ownProtocol(o *kinesis.Options) {
	o.Protocol = lenientProtocol{awsjson.New11(schemas.Kinesis_20131202)}
}

// lenientProtocol does without the event "initial-response", which carries
// nothing and kinesis-local does not send. Where it comes, it is an event of an
// unknown kind, which nobody minds.
type lenientProtocol struct{ smithyhttp.ClientProtocol }

// HasInitialEventMessage implements [smithyhttp.ClientProtocol].
func (lenientProtocol) HasInitialEventMessage() bool { return false }

// resubscribe makes the next subscription, after one that ended for a reason.
// It returns false when ctx has ended.
func (r *subscriber) resubscribe(ctx context.Context, reason error) bool {
	d := r.consumer.driver
	logged := ""
	for again := r.fruitless; ; again = true {
		if judge(reason) == throttled {
			r.refused = true
		} else if text := reason.Error(); text != logged && text != errEnded.Error() { // once, not at every try
			d.log.Warn("a Kinesis subscription failed or was refused; retrying", "shard", r.shard, "error", reason)
			logged = text
		}
		if again && !sleep(ctx.Done(), jitter(throttlePause)) {
			return false
		}
		if reason = r.subscribe(ctx); reason == nil {
			d.settings.Report(experiment.Reconnects, 1)
			return true
		}
		if ctx.Err() != nil {
			return false
		}
	}
}

// drop ends the subscription.
func (r *subscriber) drop() {
	if r.stream == nil {
		return
	}
	r.cancel()
	r.stream.Close()
	r.stream = nil
}

// fanOut is a consumer registered with Kinesis, which stands for a group.
type fanOut struct {
	arn  string
	mine bool // registered here, so to be taken back here
}

// register returns the ARN of a group's registered consumer, which it makes if
// nobody has. Consumers of one group in several agents share it.
func (d *driver) register(ctx context.Context, name string) (arn string, err error) {
	d.registering.Lock()
	defer d.registering.Unlock()
	if found, ok := d.fanOuts[name]; ok {
		return found.arn, nil
	}
	one := &fanOut{}
	known := false
	err = d.control(ctx, func(ctx context.Context) error {
		if d.arn == "" {
			output, err := d.describe(ctx)
			if err != nil {
				return err
			}
			d.arn = aws.ToString(output.StreamDescriptionSummary.StreamARN)
		}
		if !known {
			_, err := d.admin.RegisterStreamConsumer(ctx, &kinesis.RegisterStreamConsumerInput{ConsumerName: &name, StreamARN: &d.arn})
			if err != nil && !isInUse(err) {
				return err
			}
			known, one.mine = true, one.mine || err == nil
		}
		output, err := d.admin.DescribeStreamConsumer(ctx, &kinesis.DescribeStreamConsumerInput{ConsumerName: &name, StreamARN: &d.arn})
		switch {
		case isNotFound(err):
			known = false
			return fmt.Errorf("the registered consumer is gone: %v", err)
		case err != nil:
			return err
		}
		if status := output.ConsumerDescription.ConsumerStatus; status != types.ConsumerStatusActive {
			return fmt.Errorf("the registered consumer is %s", status)
		}
		one.arn = aws.ToString(output.ConsumerDescription.ConsumerARN)
		return nil
	})
	if err != nil {
		return "", fmt.Errorf("register consumer %s of stream %s: %w", name, d.stream, err)
	}
	d.fanOuts[name] = one
	return one.arn, nil
}

// forget drops a registered consumer that does not exist any more: the agent
// that had registered it has ended.
func (d *driver) forget(name, arn string) {
	d.registering.Lock()
	defer d.registering.Unlock()
	if found, ok := d.fanOuts[name]; ok && found.arn == arn {
		delete(d.fanOuts, name)
	}
}

// deregister takes back what was registered here. A failure is logged: what is
// left goes with the stream.
func (d *driver) deregister(ctx context.Context) {
	d.registering.Lock()
	defer d.registering.Unlock()
	for name, one := range d.fanOuts {
		if !one.mine {
			continue
		}
		_, err := d.admin.DeregisterStreamConsumer(ctx, &kinesis.DeregisterStreamConsumerInput{ConsumerARN: &one.arn})
		if err != nil && !isNotFound(err) {
			d.log.Warn("deregister a Kinesis consumer", "consumer", name, "error", err)
		}
	}
}
