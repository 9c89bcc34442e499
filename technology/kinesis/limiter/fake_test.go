package limiter_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"dec.local/dec/technology/kinesis/limiter"
)

// emulator is a fake one: it keeps what it was sent, and knows no limits.
type emulator struct {
	mu      sync.Mutex // protects the following
	open    int        // open shards of equal size; their ids begin with closed
	closed  int
	bodies  []string // of PutRecord and PutRecords
	content int      // bytes of the one record that GetRecords returns
	reads   int
	given   int         // iterators
	events  chan string // what SubscribeToShard sends
}

func (e *emulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	if operation == "SubscribeToShard" {
		for event := range e.events {
			io.WriteString(w, event)
			w.(http.Flusher).Flush()
		}
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	switch operation {
	case "ListShards":
		e.listShards(w)
	case "SplitShard":
		e.closed, e.open = e.open, 2*e.open
	case "PutRecord":
		e.bodies = append(e.bodies, string(body))
		fmt.Fprint(w, `{"ShardId": "shardId-000000000000", "SequenceNumber": "1"}`)
	case "PutRecords":
		e.putRecords(w, body)
	case "GetShardIterator":
		var request struct{ ShardID string }
		json.Unmarshal(body, &request)
		e.given++
		fmt.Fprintf(w, `{"ShardIterator": "%s, %d"}`, request.ShardID, e.given)
	case "GetRecords":
		e.reads++
		data := base64.StdEncoding.EncodeToString(make([]byte, e.content))
		fmt.Fprintf(w, `{"NextShardIterator": "after %d", "Records": [{"Data": "%s", "PartitionKey": ""}]}`, e.reads, data)
	default:
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"__type": "UnknownOperationException"}`)
	}
}

func (e *emulator) listShards(w io.Writer) {
	var shards []string
	for i := range e.closed {
		shards = append(shards, fmt.Sprintf(`{"ShardId": "shardId-%012d", "HashKeyRange": {"StartingHashKey": "0", "EndingHashKey": "%s"}, "SequenceNumberRange": {"EndingSequenceNumber": "9"}}`,
			i, keyAt(1, 1)))
	}
	for i := range e.open {
		shards = append(shards, fmt.Sprintf(`{"ShardId": "shardId-%012d", "HashKeyRange": {"StartingHashKey": "%s", "EndingHashKey": "%s"}, "SequenceNumberRange": {"StartingSequenceNumber": "1"}}`,
			e.closed+i, keyAt(i, e.open), new(big.Int).Sub(keyAt(i+1, e.open), big.NewInt(1))))
	}
	fmt.Fprintf(w, `{"Shards": [%s]}`, strings.Join(shards, ", "))
}

// putRecords says shard i of a record whose data begins with the letter A+i.
func (e *emulator) putRecords(w io.Writer, body []byte) {
	e.bodies = append(e.bodies, string(body))
	var request struct{ Records []struct{ Data []byte } }
	json.Unmarshal(body, &request)
	var results []string
	for i, one := range request.Records {
		shard := e.closed
		if len(one.Data) > 0 {
			shard += int(one.Data[0] - 'A')
		}
		results = append(results, fmt.Sprintf(`{"ShardId":"shardId-%012d","SequenceNumber":"%d"}`, shard, i))
	}
	fmt.Fprintf(w, `{"FailedRecordCount": 0, "Records": [%s]}`, strings.Join(results, ", "))
}

// keyAt is i/n of the way through the hash keys.
func keyAt(i, n int) *big.Int {
	all := new(big.Int).Lsh(big.NewInt(1), 128)
	return all.Mul(all, big.NewInt(int64(i))).Div(all, big.NewInt(int64(n)))
}

// clock is a time that only tests move.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) read() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// limited puts limits in front of an emulator, and returns their address.
func limited(t *testing.T, upstream string, limits limiter.Limits) (string, *clock) {
	t.Helper()
	at, err := url.Parse(upstream)
	if err != nil {
		t.Fatal(err)
	}
	c := &clock{now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	l := limiter.New(limiter.Options{Upstream: at, Limits: limits, Now: c.read, Logger: slog.New(slog.DiscardHandler)})
	server := httptest.NewServer(l)
	t.Cleanup(func() {
		server.Close()
		l.Close()
	})
	return server.URL, c
}

// fake starts a fake emulator with limits in front of it.
func fake(t *testing.T, e *emulator, limits limiter.Limits) (string, *clock) {
	t.Helper()
	server := httptest.NewServer(e)
	t.Cleanup(server.Close)
	return limited(t, server.URL, limits)
}

// reply is an answer to a call.
type reply struct {
	Status            int
	Type              string `json:"__type"`
	Message           string `json:"message"`
	FailedRecordCount int
	ShardIterator     string
	NextShardIterator string
	Records           []struct{ ShardID, SequenceNumber, ErrorCode, ErrorMessage string }
}

// call calls the API.
func call(t *testing.T, endpoint, operation, body string) reply {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, endpoint, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-amz-json-1.1")
	request.Header.Set("X-Amz-Target", "Kinesis_20131202."+operation)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	r := reply{Status: response.StatusCode}
	data, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &r); len(data) > 0 && err != nil {
		t.Fatalf("%s: %v\n%s", operation, err, data)
	}
	return r
}

// put calls PutRecords with records, each with the hash key of a shard out of n
// that its first letter names.
func put(t *testing.T, endpoint string, n int, records ...string) reply {
	t.Helper()
	var all []string
	for _, data := range records {
		all = append(all, fmt.Sprintf(`{"Data": "%s", "PartitionKey": "k", "ExplicitHashKey": "%s"}`,
			base64.StdEncoding.EncodeToString([]byte(data)), keyAt(int(data[0]-'A'), n)))
	}
	return call(t, endpoint, "PutRecords", `{"StreamName": "s", "Records": [`+strings.Join(all, ", ")+`]}`)
}

// taken tells of each record whether it was accepted.
func (r reply) taken() string {
	var text strings.Builder
	for _, one := range r.Records {
		if one.ErrorCode == "" {
			text.WriteByte('+')
		} else {
			text.WriteByte('-')
		}
	}
	return text.String()
}
