package limiter_test

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"dec.local/dec/technology/kinesis/limiter"
	"dec.local/dec/technology/technologytest"
)

// start starts the stack of an emulator and returns where it listens.
func start(t *testing.T, options map[string]any) string {
	t.Helper()
	var endpoints struct{ Endpoint string }
	if err := json.Unmarshal(technologytest.Start(t, "kinesis", "emulator", options), &endpoints); err != nil {
		t.Fatal(err)
	}
	return endpoints.Endpoint
}

// client is AWS's own, which does not try again.
func client(endpoint string) *kinesis.Client {
	return kinesis.New(kinesis.Options{
		Region: "us-east-1", BaseEndpoint: &endpoint, RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
		}),
	})
}

var stream = aws.String("s")

// create makes a stream and waits until it is there.
func create(t *testing.T, c *kinesis.Client) {
	t.Helper()
	if _, err := c.CreateStream(t.Context(), &kinesis.CreateStreamInput{StreamName: stream, ShardCount: aws.Int32(1)}); err != nil {
		t.Fatal(err)
	}
	active(t, c)
}

func active(t *testing.T, c *kinesis.Client) {
	t.Helper()
	for {
		got, err := c.DescribeStreamSummary(t.Context(), &kinesis.DescribeStreamSummaryInput{StreamName: stream})
		if err != nil {
			t.Fatal(err)
		}
		if got.StreamDescriptionSummary.StreamStatus == types.StreamStatusActive {
			return
		}
	}
}

// write puts records of some bytes, each with a text of its own, and returns the
// texts that were accepted.
func write(t *testing.T, c *kinesis.Client, first, n, size int) (accepted []string) {
	t.Helper()
	var records []types.PutRecordsRequestEntry
	for i := range n {
		data := fmt.Sprintf("%0*d", size, first+i)
		records = append(records, types.PutRecordsRequestEntry{Data: []byte(data), PartitionKey: aws.String("k")})
	}
	got, err := c.PutRecords(t.Context(), &kinesis.PutRecordsInput{StreamName: stream, Records: records})
	if err != nil {
		t.Fatal(err)
	}
	for i, one := range got.Records {
		switch code := aws.ToString(one.ErrorCode); {
		case code == "" && aws.ToString(one.ShardId) != "":
			accepted = append(accepted, string(records[i].Data))
		case code != "ProvisionedThroughputExceededException" || !strings.HasPrefix(aws.ToString(one.ErrorMessage), "Rate exceeded for shard "):
			t.Fatalf("record %d: %s, %s", i, code, aws.ToString(one.ErrorMessage))
		}
	}
	if failed := int(aws.ToInt32(got.FailedRecordCount)); failed != n-len(accepted) {
		t.Errorf("FailedRecordCount = %d, want %d", failed, n-len(accepted))
	}
	return accepted
}

// readAll reads a shard to its end, waiting on the limits' clock.
func readAll(t *testing.T, c *kinesis.Client, now *clock, want int) (texts []string) {
	t.Helper()
	got, err := c.GetShardIterator(t.Context(), &kinesis.GetShardIteratorInput{
		StreamName: stream, ShardId: aws.String("shardId-000000000000"), ShardIteratorType: types.ShardIteratorTypeTrimHorizon,
	})
	if err != nil {
		t.Fatal(err)
	}
	for next := got.ShardIterator; len(texts) < want; {
		page, err := c.GetRecords(t.Context(), &kinesis.GetRecordsInput{ShardIterator: next})
		if _, refused := errors.AsType[*types.ProvisionedThroughputExceededException](err); refused {
			now.pass(200 * time.Millisecond)
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range page.Records {
			texts = append(texts, string(one.Data))
		}
		next = page.NextShardIterator
	}
	return texts
}

// TestOneShardTakesAThousandRecordsASecond offers 1,500 to a real emulator, for
// twenty seconds of a clock that the test moves.
func TestOneShardTakesAThousandRecordsASecond(t *testing.T) {
	const seconds, calls, perCall = 20, 5, 300
	at, now := limited(t, start(t, nil), limiter.Limits{})
	c := client(at)
	create(t, c)
	var accepted []string
	for i := range seconds * calls {
		accepted = append(accepted, write(t, c, i*perCall, perCall, 100)...)
		now.pass(time.Second / calls)
	}
	// A full bucket, and what came until the last call.
	const want = 1000 + 1000*(seconds*calls-1)/calls
	if len(accepted) != want {
		t.Errorf("%d of %d records were accepted in %d s, want %d", len(accepted), seconds*calls*perCall, seconds, want)
	}
	got := map[string]int{}
	for _, text := range readAll(t, c, now, len(accepted)) {
		got[text]++
	}
	for _, text := range accepted {
		if got[text] != 1 {
			t.Fatalf("record %q was accepted and came back %d times", strings.TrimLeft(text, "0"), got[text])
		}
	}
}

func TestASplitShardOfARealEmulatorTakesTwice(t *testing.T) {
	for _, engine := range []string{"kinesalite", "kinesis-local"} {
		t.Run(engine, func(t *testing.T) {
			at, _ := limited(t, start(t, map[string]any{"engine": engine}), limiter.Limits{WriteRecords: 10})
			c := client(at)
			create(t, c)
			if n := len(write(t, c, 0, 20, 10)); n != 10 {
				t.Errorf("one shard took %d records, want 10", n)
			}
			if _, err := c.SplitShard(t.Context(), &kinesis.SplitShardInput{
				StreamName: stream, ShardToSplit: aws.String("shardId-000000000000"), NewStartingHashKey: aws.String(keyAt(1, 2).String()),
			}); err != nil {
				t.Fatal(err)
			}
			active(t, c)
			var records []types.PutRecordsRequestEntry
			for i := range 40 {
				records = append(records, types.PutRecordsRequestEntry{Data: []byte("x"), PartitionKey: aws.String("k"), ExplicitHashKey: aws.String(keyAt(i%2, 2).String())})
			}
			got, err := c.PutRecords(t.Context(), &kinesis.PutRecordsInput{StreamName: stream, Records: records})
			if err != nil {
				t.Fatal(err)
			}
			if failed := aws.ToInt32(got.FailedRecordCount); failed != 20 {
				t.Errorf("two shards refused %d of 40 records, want 20", failed)
			}
		})
	}
}

// TestTheStackHoldsClientsToTheLimits runs the real command: of two records that
// are nearly a second's bytes each, it takes one.
func TestTheStackHoldsClientsToTheLimits(t *testing.T) {
	c := client(start(t, map[string]any{"shard_limits": true}))
	create(t, c)
	if n := len(write(t, c, 0, 2, 1_000_000)); n != 1 {
		t.Errorf("%d of 2 records were accepted, want 1", n)
	}
}

// TestFanOutOfARealEmulatorPassesThrough subscribes, receives, and goes away in
// the middle, of which the emulator must not end.
func TestFanOutOfARealEmulatorPassesThrough(t *testing.T) {
	at, _ := limited(t, start(t, map[string]any{"engine": "kinesis-local", "consumers": "enhanced_fan_out"}), limiter.Limits{})
	c := client(at)
	create(t, c)
	summary, err := c.DescribeStreamSummary(t.Context(), &kinesis.DescribeStreamSummaryInput{StreamName: stream})
	if err != nil {
		t.Fatal(err)
	}
	registered, err := c.RegisterStreamConsumer(t.Context(), &kinesis.RegisterStreamConsumerInput{
		StreamARN: summary.StreamDescriptionSummary.StreamARN, ConsumerName: aws.String("group-0"),
	})
	if err != nil {
		t.Fatal(err)
	}
	arn := registered.Consumer.ConsumerARN
	for status := registered.Consumer.ConsumerStatus; status != types.ConsumerStatusActive; {
		described, err := c.DescribeStreamConsumer(t.Context(), &kinesis.DescribeStreamConsumerInput{ConsumerARN: arn})
		if err != nil {
			t.Fatal(err)
		}
		status = described.ConsumerDescription.ConsumerStatus
	}
	sent := write(t, c, 0, 3, 10)
	response := subscribe(t, at, aws.ToString(arn))
	// The events are frames with JSON in them.
	lines := bufio.NewReader(response.Body)
	for _, text := range sent {
		want := base64.StdEncoding.EncodeToString([]byte(text))
		for read := ""; !strings.HasSuffix(read, want); {
			one, err := lines.ReadByte()
			if err != nil {
				t.Fatalf("record %s has not come: %v", text, err)
			}
			read += string(one)
		}
	}
	response.Body.Close()
	if n := len(write(t, c, 0, 1, 10)); n != 1 {
		t.Error("the emulator takes no record after a subscriber has gone, want it to")
	}
}

// subscribe asks for all records of a shard. AWS's client wants a first event
// that kinesis-local does not send.
func subscribe(t *testing.T, at, arn string) *http.Response {
	t.Helper()
	request := withTarget(t, at, "SubscribeToShard", "application/x-amz-json-1.1")
	body := `{"ConsumerARN": "` + arn + `", "ShardId": "shardId-000000000000", "StartingPosition": {"Type": "TRIM_HORIZON"}}`
	request.Body, request.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
	request.Header.Set("X-Amz-Date", "20260101T000000Z")
	request.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/kinesis/aws4_request, SignedHeaders=host, Signature=0")
	response, err := http.DefaultClient.Do(request)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("SubscribeToShard = %v, %v", response, err)
	}
	return response
}
