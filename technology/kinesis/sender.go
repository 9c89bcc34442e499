package kinesis

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/technology"
)

// sender sends the batches of a lane, one after the other.
type sender struct {
	producer *producer
	lane     *lane
	batch    batch
	taken    []*record // of the last request
	refused  []*record // of the last request, to be sent again
	timer    *time.Timer
}

func newSender(p *producer, l *lane) *sender { return &sender{producer: p, lane: l} }

// run sends until ctx ends.
func (s *sender) run(ctx context.Context) {
	s.timer = time.NewTimer(time.Hour)
	defer s.timer.Stop()
	for s.take(ctx) {
		s.count()
		output, err := s.put(ctx)
		if ctx.Err() != nil {
			s.settle(nil, nil, s.batch.records, technology.ErrClosed) // for Close to tell
			return
		}
		s.judge(output, err)
	}
}

// take waits for the next batch. It returns false when ctx has ended.
func (s *sender) take(ctx context.Context) bool {
	s.lane.taking.Lock() // the others wait in line: one batch is filled at a time
	defer s.lane.taking.Unlock()
	for ctx.Err() == nil {
		s.batch.reset()
		s.lane.mu.Lock()
		wait := s.lane.fill(&s.batch, time.Now())
		s.lane.mu.Unlock()
		if len(s.batch.late) > 0 {
			s.producer.settle(s.batch.late, s.tooLate())
		}
		if len(s.batch.records) > 0 {
			return true
		}
		if len(s.batch.late) > 0 {
			continue
		}
		s.wait(ctx, wait)
	}
	return false
}

// tooLate is the error of messages that were not taken in time.
func (s *sender) tooLate() error {
	limit := milliseconds(s.producer.config.DeliveryTimeoutMS)
	if s.batch.reason == nil {
		return fmt.Errorf("%w, %s: Kinesis was too slow to accept it; lower the rate, or raise client_config.delivery_timeout_ms", errTooLate, limit)
	}
	return fmt.Errorf("%w, %s: %w", errTooLate, limit, s.batch.reason)
}

// wait returns when the lane was roused, when the time is over unless it is 0,
// or when ctx has ended.
func (s *sender) wait(ctx context.Context, limit time.Duration) {
	var over <-chan time.Time
	if limit > 0 {
		s.timer.Reset(limit)
		over = s.timer.C
	}
	select {
	case <-ctx.Done():
	case <-s.lane.wake:
	case <-over:
	}
}

// count tells which records of the batch are sent again.
func (s *sender) count() {
	repeated := 0
	for _, r := range s.batch.records {
		if r.sent {
			repeated++
		}
		r.sent = true
	}
	s.producer.report(experiment.RetriedSends, repeated)
}

// put makes one request.
func (s *sender) put(ctx context.Context) (*kinesis.PutRecordsOutput, error) {
	c := &s.producer.config
	ctx, cancel := context.WithTimeout(ctx, milliseconds(min(c.RequestTimeoutMS, c.DeliveryTimeoutMS)))
	defer cancel()
	output, err := s.producer.client.PutRecords(ctx, &kinesis.PutRecordsInput{Records: s.batch.entries, StreamName: &s.producer.stream})
	if err != nil {
		return nil, fmt.Errorf("put records: %w", plain(err))
	}
	if len(output.Records) != len(s.batch.records) {
		return nil, fmt.Errorf("put records: the response has %d results for %d records", len(output.Records), len(s.batch.records))
	}
	return output, nil
}

// judge ends the records that were taken, and gives the others back.
func (s *sender) judge(output *kinesis.PutRecordsOutput, err error) {
	if err == nil {
		s.sort(output.Records)
		return
	}
	switch judge(err) {
	case fatal:
		s.settle(s.batch.records, err, nil, nil)
		return
	case throttled:
		s.producer.report(experiment.ThrottledWrites, len(s.batch.records))
	}
	s.settle(nil, nil, s.batch.records, err)
}

// sort tells the records that were taken from those that were refused.
func (s *sender) sort(results []types.PutRecordsResultEntry) {
	s.refused, s.taken = s.refused[:0], s.taken[:0]
	limited := 0
	var last *types.PutRecordsResultEntry
	for i, r := range s.batch.records {
		result := &results[i]
		if result.ErrorCode == nil {
			s.taken = append(s.taken, r)
			continue
		}
		if throttles[*result.ErrorCode] {
			limited++
		}
		s.refused = append(s.refused, r)
		last = result
	}
	s.producer.report(experiment.ThrottledWrites, limited)
	var reason error
	if last != nil {
		reason = fmt.Errorf("the record was refused: %s: %s", *last.ErrorCode, aws.ToString(last.ErrorMessage))
	}
	s.settle(s.taken, nil, s.refused, reason)
}

// settle tells the end of the ended records, and puts the refused ones back
// with the reason.
func (s *sender) settle(ended []*record, end error, refused []*record, reason error) {
	l := s.lane
	l.mu.Lock()
	for _, r := range ended {
		l.release(r)
	}
	l.giveBack(refused)
	switch {
	case len(refused) == 0:
		l.misses = 0
	case len(ended) == 0:
		l.misses++
	default:
		l.misses = 1
	}
	if len(refused) > 0 {
		l.reason = reason
		l.resume = time.Now().Add(s.pause(l.misses))
	}
	l.mu.Unlock()
	s.producer.settle(ended, end)
}

// pause is how long a lane rests after so many misses.
func (s *sender) pause(misses int) time.Duration {
	c := &s.producer.config
	limit := milliseconds(c.RetryBackoffMaxMS)
	pause := milliseconds(c.RetryBackoffMS)
	for ; misses > 1 && pause < limit; misses-- {
		pause *= 2
	}
	return jitter(min(pause, limit))
}
