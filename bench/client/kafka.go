package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// startKafka starts one broker of the installed Kafka.
func startKafka(ctx context.Context, tools, dir string) (*broker, error) {
	homes, err := filepath.Glob(filepath.Join(tools, "artifacts", "kafka", "*", "lib"))
	if err != nil || len(homes) == 0 {
		return nil, fmt.Errorf("no Kafka below %s: run make setup", tools)
	}
	home, err := filepath.Abs(homes[0])
	if err != nil {
		return nil, err
	}
	config := filepath.Join(dir, "server.properties")
	data := filepath.Join(dir, "kafka")
	lines := []string{
		"process.roles=broker,controller", "node.id=1", "controller.quorum.voters=1@127.0.0.1:19093",
		"controller.listener.names=CONTROLLER", "listeners=PLAINTEXT://127.0.0.1:19092,CONTROLLER://127.0.0.1:19093",
		"listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
		"offsets.topic.replication.factor=1", "log.dirs=" + data, "log.retention.bytes=268435456", "log.segment.bytes=67108864",
	}
	if err := os.WriteFile(config, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		return nil, err
	}
	classpath := filepath.Join(home, "*")
	format := exec.CommandContext(ctx, "java", "-cp", classpath, "kafka.tools.StorageTool", "format", "-c", config, "-t", "AAAAAAAAAAAAAAAAAAAAAA")
	if out, err := format.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("format: %w\n%s", err, out)
	}
	return startBroker(dir, "127.0.0.1:19092", json.RawMessage(`{"bootstrap": ["127.0.0.1:19092"]}`),
		"java", "-Xmx512m", "-cp", classpath, "kafka.Kafka", config)
}

// bareKafka is a client with the settings of DEC's Kafka driver.
type bareKafka struct {
	client *kgo.Client
	failed atomic.Int64
}

func openBareKafka(ctx context.Context, address, topic string, consumes bool) (bareClient, error) {
	options := []kgo.Opt{
		kgo.SeedBrokers(address), kgo.DisableClientMetrics(), kgo.RequiredAcks(kgo.AllISRAcks()), kgo.ProducerLinger(5 * time.Millisecond),
		kgo.ProducerBatchMaxBytes(131_072), kgo.ProducerBatchCompression(kgo.NoCompression()), kgo.MaxBufferedRecords(10_000),
		kgo.FetchMinBytes(1), kgo.FetchMaxWait(500 * time.Millisecond), kgo.DefaultProduceTopic(topic),
	}
	if consumes {
		options = append(options, kgo.ConsumeTopics(topic))
	}
	client, err := kgo.NewClient(options...)
	if err != nil {
		return nil, err
	}
	return &bareKafka{client: client}, createTopic(ctx, client, topic)
}

func createTopic(ctx context.Context, client *kgo.Client, topic string) error {
	admin := kadm.NewClient(client)
	for {
		_, err := admin.CreateTopic(ctx, 1, 1, nil, topic)
		if err == nil || errors.Is(err, kerr.TopicAlreadyExists) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("create topic: %w", err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (b *bareKafka) send(ctx context.Context, payload []byte) {
	b.client.Produce(ctx, &kgo.Record{Value: payload}, func(_ *kgo.Record, err error) {
		if err != nil {
			b.failed.Add(1)
		}
	})
}

func (b *bareKafka) flush(ctx context.Context) error {
	if err := b.client.Flush(ctx); err != nil {
		return err
	}
	if n := b.failed.Load(); n > 0 {
		return fmt.Errorf("%d messages failed", n)
	}
	return nil
}

func (b *bareKafka) consume(ctx context.Context) error {
	for {
		fetches := b.client.PollFetches(ctx)
		if err := fetches.Err0(); err != nil {
			return err
		}
		fetches.EachRecord(func(*kgo.Record) {})
	}
}
