package nats

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"

	"dec.local/dec/technology"
)

// Remaining implements [technology.Rereader]: it reads the stream from its first
// message to the last one of now with an ordered consumer, which acknowledges nothing
// and goes with the connection. A first sequence above 1 says that the retention has
// deleted what was before it.
func (d *driver) Remaining(ctx context.Context, held func(technology.Message)) (expired bool, err error) {
	var stream jetstream.Stream
	err = technology.Retry(ctx, func(ctx context.Context) error {
		stream, err = d.js.Stream(ctx, d.settings.Destination)
		if errors.Is(err, jetstream.ErrStreamNotFound) {
			return technology.Final(err)
		}
		return err
	})
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look at what stream %s holds: %w", d.settings.Destination, err)
	}
	state := stream.CachedInfo().State
	expired = state.FirstSeq > 1
	if state.Msgs == 0 {
		return expired, nil
	}
	consumer, err := stream.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{DeliverPolicy: jetstream.DeliverAllPolicy})
	if err != nil {
		return false, fmt.Errorf("read stream %s again: %w", d.settings.Destination, err)
	}
	messages, err := consumer.Messages()
	if err != nil {
		return false, fmt.Errorf("read stream %s again: %w", d.settings.Destination, err)
	}
	defer messages.Stop()
	for {
		m, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return false, fmt.Errorf("read stream %s again: %w", d.settings.Destination, err)
		}
		if partition, key, err := parseSubject(d.settings.Destination, m.Subject()); err == nil {
			held(technology.Message{Key: key, Payload: m.Data(), Partition: partition})
		}
		meta, err := m.Metadata()
		if err != nil {
			return false, fmt.Errorf("read stream %s again: %w", d.settings.Destination, err)
		}
		if meta.Sequence.Stream >= state.LastSeq || meta.NumPending == 0 {
			return expired, nil
		}
	}
}
