package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

// What DEC's driver does by default.
const (
	kinesisLinger = 5 * time.Millisecond
	kinesisPoll   = 200 * time.Millisecond
	kinesisBatch  = 500
)

// startKinesis starts the installed kinesalite.
func startKinesis(_ context.Context, tools, dir string) (*broker, error) {
	homes, err := filepath.Glob(filepath.Join(tools, "artifacts", "kinesalite", "*"))
	if err != nil || len(homes) == 0 {
		return nil, fmt.Errorf("no kinesalite below %s: run make setup", tools)
	}
	home, err := filepath.Abs(homes[0])
	if err != nil {
		return nil, err
	}
	const port = 19567
	url := "http://127.0.0.1:" + strconv.Itoa(port)
	endpoints, err := json.Marshal(map[string]any{
		"region": "us-east-1", "endpoint": url, "consumers": "polling", "emulator": "kinesalite", "capacity": "provisioned",
	})
	if err != nil {
		return nil, err
	}
	return startBroker(dir, url, endpoints, "env", "PORT="+strconv.Itoa(port), "SHARD_LIMIT=100", "node", filepath.Join(home, "start.js"))
}

// bareKinesis is a client with the settings of DEC's Kinesis driver: one request
// under way.
type bareKinesis struct {
	client *kinesis.Client
	stream string
	failed atomic.Int64
	wake   chan struct{}
	sent   sync.WaitGroup

	mu      sync.Mutex // protects the following
	pending []types.PutRecordsRequestEntry
}

func openBareKinesis(ctx context.Context, url, stream string, consumes bool) (bareClient, error) {
	b := &bareKinesis{stream: stream, wake: make(chan struct{}, 1), client: kinesis.New(kinesis.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(url), Credentials: credentials.NewStaticCredentialsProvider("dec", "dec", ""),
		HTTPClient: &http.Client{Transport: wholeBodies{http.DefaultTransport}},
	})}
	for {
		_, err := b.client.CreateStream(ctx, &kinesis.CreateStreamInput{StreamName: &stream, ShardCount: aws.Int32(1)})
		if _, exists := errors.AsType[*types.ResourceInUseException](err); err == nil || exists {
			break
		}
		if ctx.Err() != nil {
			return nil, fmt.Errorf("create stream: %w", err)
		}
		time.Sleep(100 * time.Millisecond)
	}
	if err := kinesis.NewStreamExistsWaiter(b.client).Wait(ctx, &kinesis.DescribeStreamInput{StreamName: &stream}, time.Minute); err != nil {
		return nil, err
	}
	if !consumes {
		go b.write(ctx)
	}
	return b, nil
}

func (b *bareKinesis) send(_ context.Context, payload []byte) {
	b.sent.Add(1)
	b.mu.Lock()
	b.pending = append(b.pending, types.PutRecordsRequestEntry{Data: payload, PartitionKey: aws.String("dec")})
	b.mu.Unlock()
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// write sends what is pending, one request after another.
func (b *bareKinesis) write(ctx context.Context) {
	for range b.wake {
		time.Sleep(kinesisLinger)
		for {
			b.mu.Lock()
			n := min(len(b.pending), kinesisBatch)
			batch := b.pending[:n:n]
			b.pending = b.pending[n:]
			b.mu.Unlock()
			if n == 0 {
				break
			}
			answer, err := b.client.PutRecords(ctx, &kinesis.PutRecordsInput{StreamName: &b.stream, Records: batch})
			if err != nil {
				b.failed.Add(int64(n))
			} else {
				b.failed.Add(int64(aws.ToInt32(answer.FailedRecordCount)))
			}
			b.sent.Add(-n)
		}
	}
}

func (b *bareKinesis) flush(context.Context) error {
	b.sent.Wait()
	if n := b.failed.Load(); n > 0 {
		return fmt.Errorf("%d messages failed", n)
	}
	return nil
}

func (b *bareKinesis) consume(ctx context.Context) error {
	iterator, err := b.client.GetShardIterator(ctx, &kinesis.GetShardIteratorInput{
		StreamName: &b.stream, ShardId: aws.String("shardId-000000000000"), ShardIteratorType: types.ShardIteratorTypeLatest,
	})
	if err != nil {
		return err
	}
	for next := iterator.ShardIterator; ; {
		page, err := b.client.GetRecords(ctx, &kinesis.GetRecordsInput{ShardIterator: next})
		if err != nil {
			return err
		}
		next = page.NextShardIterator
		time.Sleep(kinesisPoll)
	}
}

// wholeBodies hides from net/http all that the SDK's request bodies can beside
// being read: the SDK closes them too early for the rest.
type wholeBodies struct{ http.RoundTripper }

// RoundTrip implements [http.RoundTripper].
func (w wholeBodies) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		r = r.Clone(r.Context())
		r.Body = struct{ io.ReadCloser }{r.Body}
	}
	return w.RoundTripper.RoundTrip(r)
}
