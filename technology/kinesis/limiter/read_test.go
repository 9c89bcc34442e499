package limiter_test

import (
	"bufio"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dec.local/dec/technology/kinesis/limiter"
)

// iterator returns a new iterator of a shard.
func iterator(t *testing.T, at, shard string) string {
	t.Helper()
	got := call(t, at, "GetShardIterator", `{"StreamName": "s", "ShardId": "`+shard+`", "ShardIteratorType": "LATEST"}`)
	if got.Status != 200 || got.ShardIterator == "" {
		t.Fatalf("GetShardIterator = %+v, want an iterator", got)
	}
	return got.ShardIterator
}

func get(t *testing.T, at, iterator string) reply {
	t.Helper()
	return call(t, at, "GetRecords", `{"ShardIterator": "`+iterator+`"}`)
}

func TestReadsOfAShardAreLimited(t *testing.T) {
	e := &emulator{open: 2, content: 1}
	at, clock := fake(t, e, limiter.Limits{})
	const shard = "shardId-000000000000"
	one, two := iterator(t, at, shard), iterator(t, at, shard)
	for range 3 { // whoever reads, and wherever an iterator leads
		one = get(t, at, one).NextShardIterator
	}
	for range 2 {
		if got := get(t, at, two); got.Status != 200 {
			t.Fatalf("GetRecords = %+v, want 200", got)
		}
	}
	want := reply{
		Status: 400, Type: "ProvisionedThroughputExceededException",
		Message: "Rate exceeded for shard shardId-000000000000 in stream s under account 000000000000.",
	}
	for _, i := range []string{one, two} {
		if diff := cmp.Diff(want, get(t, at, i)); diff != "" {
			t.Errorf("the sixth GetRecords of a second (-want +got):\n%s", diff)
		}
	}
	if got := get(t, at, iterator(t, at, "shardId-000000000001")); got.Status != 200 {
		t.Errorf("GetRecords of another shard = %d, want 200", got.Status)
	}
	clock.pass(200 * time.Millisecond)
	if first, second := get(t, at, one), get(t, at, two); first.Status != 200 || second.Status != 400 {
		t.Errorf("GetRecords a fifth of a second later = %d, %d; want 200, then 400", first.Status, second.Status)
	}
}

// TestTenMebibytesSilenceAShard is AWS's own example.
func TestTenMebibytesSilenceAShard(t *testing.T) {
	e := &emulator{open: 1, content: 10 << 20}
	at, clock := fake(t, e, limiter.Limits{})
	next := get(t, at, iterator(t, at, "shardId-000000000000")).NextShardIterator
	clock.pass(5*time.Second - time.Nanosecond)
	if got := get(t, at, next); got.Status != 400 {
		t.Errorf("GetRecords within 5 s = %d, want 400", got.Status)
	}
	clock.pass(time.Nanosecond)
	if got := get(t, at, next); got.Status != 200 {
		t.Errorf("GetRecords after 5 s = %d, want 200", got.Status)
	}
}

func TestIteratorsStayKnownWhileTheyCanBeUsed(t *testing.T) {
	at, clock := fake(t, &emulator{open: 1, content: 1}, limiter.Limits{WriteRecords: 1, WriteBytes: 1, ReadCalls: 1, ReadBytes: 1000})
	iterator(t, at, "shardId-000000000000")
	clock.pass(3 * time.Minute)
	first := iterator(t, at, "shardId-000000000000")
	for range 10 { // other iterators come and go
		clock.pass(30 * time.Second)
		get(t, at, iterator(t, at, "shardId-000000000000"))
	}
	if got := get(t, at, first); got.Status != 400 {
		t.Errorf("GetRecords with an iterator of 5 minutes = %d, want 400: the shard's call was used", got.Status)
	}
}

func TestEventsAreNotHeldBack(t *testing.T) {
	e := &emulator{events: make(chan string)}
	at, _ := fake(t, e, limiter.Limits{})
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, at, strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("X-Amz-Target", "Kinesis_20131202.SubscribeToShard")
	go func() { e.events <- "one\n" }()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	lines := bufio.NewReader(response.Body)
	if line, err := lines.ReadString('\n'); line != "one\n" {
		t.Errorf("the first event = %q, %v; want it before there is a second", line, err)
	}
	e.events <- "two\n"
	close(e.events)
	if rest, err := io.ReadAll(lines); string(rest) != "two\n" || err != nil {
		t.Errorf("the rest = %q, %v; want the second event", rest, err)
	}
}

func TestWhatCannotBeLimitedIsRefused(t *testing.T) {
	at, _ := fake(t, &emulator{open: 1}, limiter.Limits{})
	response, err := http.DefaultClient.Do(withTarget(t, at, "PutRecords", "application/x-amz-cbor-1.1"))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if body, _ := io.ReadAll(response.Body); response.StatusCode != 400 || !strings.Contains(string(body), "reads only application/x-amz-json-1.1") {
		t.Errorf("PutRecords in CBOR = %d, %s; want 400 that names JSON", response.StatusCode, body)
	}
}

func withTarget(t *testing.T, at, operation, contentType string) *http.Request {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, at, strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("X-Amz-Target", "Kinesis_20131202."+operation)
	request.Header.Set("Content-Type", contentType)
	return request
}

func TestAnEmulatorThatIsGoneIsAnErrorToTryAgain(t *testing.T) {
	server := httptest.NewServer(&emulator{open: 1})
	at, _ := limited(t, server.URL, limiter.Limits{})
	server.Close()
	for _, operation := range []string{"PutRecords", "GetShardIterator", "DescribeStream"} {
		if got := call(t, at, operation, `{"StreamName": "s", "Records": []}`); got.Status != 500 || got.Type != "InternalFailure" {
			t.Errorf("%s = %+v, want 500 InternalFailure", operation, got)
		}
	}
}
