package main

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/twmb/franz-go/pkg/kgo"
)

// What DEC's plan says or its drivers do by default, and all tools are given.
const (
	batchBytes  = 128 << 10
	linger      = time.Millisecond
	maxInFlight = 10_000 // messages
)

// bareClient is what a user of the client library writes.
type bareClient interface {
	send(ctx context.Context, payload []byte) error        // without waiting for the answer
	flush(ctx context.Context) error                       // fails when a message did
	consume(ctx context.Context, received func(int)) error // until ctx ends
	close()
}

var bareClients = map[string]func(address, destination string, consumes bool) (bareClient, error){
	kafkaSystem: openBareKafka,
	natsSystem:  openBareNATS,
}

// bareKafka has the settings of DEC's Kafka driver.
type bareKafka struct {
	client *kgo.Client
	failed atomic.Int64
}

func openBareKafka(address, topic string, consumes bool) (bareClient, error) {
	options := []kgo.Opt{
		kgo.SeedBrokers(address), kgo.DisableClientMetrics(), kgo.RequiredAcks(kgo.AllISRAcks()), kgo.ProducerLinger(linger),
		kgo.ProducerBatchMaxBytes(batchBytes), kgo.ProducerBatchCompression(kgo.NoCompression()), kgo.MaxBufferedRecords(maxInFlight),
		kgo.FetchMinBytes(1), kgo.FetchMaxWait(500 * time.Millisecond), kgo.FetchMaxBytes(50 << 20), kgo.FetchMaxPartitionBytes(1 << 20),
		kgo.DefaultProduceTopic(topic),
	}
	if consumes {
		options = append(options, kgo.ConsumeTopics(topic))
	}
	client, err := kgo.NewClient(options...)
	if err != nil {
		return nil, err
	}
	return &bareKafka{client: client}, nil
}

func (b *bareKafka) send(ctx context.Context, payload []byte) error {
	b.client.Produce(ctx, &kgo.Record{Value: payload}, func(_ *kgo.Record, err error) {
		if err != nil {
			b.failed.Add(1)
		}
	})
	return ctx.Err()
}

func (b *bareKafka) flush(ctx context.Context) error {
	return errors.Join(b.client.Flush(ctx), failures(b.failed.Load()))
}

func failures(n int64) error {
	if n == 0 {
		return nil
	}
	return fmt.Errorf("%d messages failed", n)
}

func (b *bareKafka) consume(ctx context.Context, received func(int)) error {
	for {
		fetches := b.client.PollFetches(ctx)
		if err := fetches.Err0(); err != nil {
			return err
		}
		n := 0
		fetches.EachRecord(func(*kgo.Record) { n++ })
		received(n)
	}
}

func (b *bareKafka) close() { b.client.Close() }

// bareNATS publishes and consumes as the manual of nats.go does, with the settings
// of DEC's NATS driver.
type bareNATS struct {
	conn    *nats.Conn
	js      jetstream.JetStream
	subject string
	failed  atomic.Int64
}

func openBareNATS(address, subject string, _ bool) (bareClient, error) {
	conn, err := nats.Connect("nats://" + address)
	if err != nil {
		return nil, err
	}
	b := &bareNATS{conn: conn, subject: subject}
	b.js, err = jetstream.New(conn, jetstream.WithPublishAsyncMaxPending(maxInFlight),
		jetstream.WithPublishAsyncErrHandler(func(jetstream.JetStream, *nats.Msg, error) { b.failed.Add(1) }))
	if err != nil {
		conn.Close()
		return nil, err
	}
	return b, nil
}

func (b *bareNATS) send(_ context.Context, payload []byte) error {
	_, err := b.js.PublishAsync(b.subject, payload, jetstream.WithStallWait(patience))
	return err
}

func (b *bareNATS) flush(ctx context.Context) error {
	select {
	case <-b.js.PublishAsyncComplete():
		return failures(b.failed.Load())
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (b *bareNATS) consume(ctx context.Context, received func(int)) error {
	consumer, err := b.js.CreateConsumer(ctx, b.subject, jetstream.ConsumerConfig{
		Durable: "bare", AckPolicy: jetstream.AckExplicitPolicy, MaxAckPending: 20_000,
	})
	if err != nil {
		return err
	}
	reading, err := consumer.Consume(func(m jetstream.Msg) {
		received(1)
		if err := m.Ack(); err != nil {
			b.failed.Add(1)
		}
	}, jetstream.PullMaxMessages(5000))
	if err != nil {
		return err
	}
	defer reading.Stop()
	<-ctx.Done()
	return errors.Join(context.Cause(ctx), failures(b.failed.Load()))
}

func (b *bareNATS) close() { b.conn.Close() }
