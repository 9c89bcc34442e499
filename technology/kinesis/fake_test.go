package kinesis_test

import (
	"crypto/md5"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/aws/smithy-go/eventstream"
)

// fakeKinesis speaks enough of Kinesis for this driver, in this process, and
// fails as a test tells it to.
type fakeKinesis struct {
	server *httptest.Server

	mu         sync.Mutex // protects the following
	changed    chan struct{}
	stream     string // "" before it is created
	mode       string
	shards     []*fakeShard
	sequence   int64
	iterators  int                          // generation; older ones have expired
	registered map[string]string            // consumers, name → ARN
	cut        int                          // generation of subscriptions; older ones end
	calls      map[string]int               // by operation
	requests   [][]putRecord                // of PutRecords, as they came
	refuse     func(call fakeCall) *refusal // asked about each request; nil lets it pass
	refusePut  func(r putRecord) string     // error code of one record of PutRecords, "" stores it
}

// fakeCall is one request, of which each operation has some of the fields.
type fakeCall struct {
	Operation         string `json:"-"`
	N                 int    `json:"-"` // of its operation, from 1
	StreamName        string
	ShardCount        int64
	StreamModeDetails struct{ StreamMode string }
	Records           []putRecord
	ShardID           string
	ShardIteratorType string
	StartingSequenceNumber,
	ShardIterator,
	ConsumerName,
	ConsumerARN string
	Limit            int
	StartingPosition struct{ Type, SequenceNumber string }
	Done             <-chan struct{} `json:"-"` // closed when the client has gone
}

type putRecord struct {
	Data                          []byte
	PartitionKey, ExplicitHashKey string
}

// refusal is an answer that is an error. With status 200 it is an event in the
// answer to a subscription.
type refusal struct {
	status int
	code   string
}

type fakeShard struct {
	id         string
	start, end *big.Int // first and last hash key
	parents    []string
	closed     bool
	records    []fakeRecord
}

type fakeRecord struct {
	Data           []byte
	PartitionKey   string
	SequenceNumber string
}

// startFake starts a Kinesis with one stream of so many shards, none if zero.
func startFake(t testing.TB, shards int) *fakeKinesis {
	t.Helper()
	f := &fakeKinesis{changed: make(chan struct{}), registered: map[string]string{}, calls: map[string]int{}, mode: "PROVISIONED"}
	if shards > 0 {
		f.create("orders", shards)
	}
	f.server = httptest.NewServer(http.HandlerFunc(f.serve))
	t.Cleanup(func() {
		f.server.CloseClientConnections()
		f.server.Close()
	})
	return f
}

// endpoints are those of a stack with this Kinesis.
func (f *fakeKinesis) endpoints(consumers string) json.RawMessage {
	return fmt.Appendf(nil, `{"region": "us-east-1", "endpoint": %q, "consumers": %q, "emulator": "fake 1.0"}`, f.server.URL, consumers)
}

// update changes the fake, and wakes all subscriptions.
func (f *fakeKinesis) update(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
	close(f.changed)
	f.changed = make(chan struct{})
}

// called says how often an operation was asked for.
func (f *fakeKinesis) called(operation string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls[operation]
}

func (f *fakeKinesis) create(name string, shards int) {
	f.stream = name
	width := new(big.Int).Div(limit128(), big.NewInt(int64(shards)))
	for i := range shards {
		start := new(big.Int).Mul(width, big.NewInt(int64(i)))
		end := new(big.Int).Sub(new(big.Int).Add(start, width), big.NewInt(1))
		if i == shards-1 {
			end = new(big.Int).Sub(limit128(), big.NewInt(1))
		}
		f.addShard(start, end)
	}
}

func limit128() *big.Int { return new(big.Int).Lsh(big.NewInt(1), 128) }

func (f *fakeKinesis) addShard(start, end *big.Int, parents ...string) *fakeShard {
	s := &fakeShard{id: fmt.Sprintf("shardId-%012d", len(f.shards)), start: start, end: end, parents: parents}
	f.shards = append(f.shards, s)
	return s
}

// split closes a shard in favour of two, merge two in favour of one.
func (f *fakeKinesis) split(i int) {
	f.update(func() {
		s := f.shards[i]
		s.closed = true
		half := new(big.Int).Rsh(new(big.Int).Add(s.start, s.end), 1)
		f.addShard(s.start, half, s.id)
		f.addShard(new(big.Int).Add(half, big.NewInt(1)), s.end, s.id)
	})
}

func (f *fakeKinesis) merge(i, j int) {
	f.update(func() {
		a, b := f.shards[i], f.shards[j]
		a.closed, b.closed = true, true
		f.addShard(a.start, b.end, a.id, b.id)
	})
}

// stored returns the data of all records by partition key, in their order.
func (f *fakeKinesis) stored() map[string][]string {
	f.mu.Lock()
	defer f.mu.Unlock()
	found := map[string][]string{}
	for _, s := range f.shards {
		for _, r := range s.records {
			found[r.PartitionKey] = append(found[r.PartitionKey], string(r.Data))
		}
	}
	return found
}

func (f *fakeKinesis) serve(w http.ResponseWriter, r *http.Request) {
	call := fakeCall{Done: r.Context().Done()}
	if err := json.NewDecoder(r.Body).Decode(&call); err != nil {
		answer(w, &refusal{http.StatusBadRequest, "SerializationException"}, nil)
		return
	}
	_, call.Operation, _ = strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	f.mu.Lock()
	f.calls[call.Operation]++
	call.N = f.calls[call.Operation]
	refuse := f.refuse
	f.mu.Unlock()
	if refuse != nil {
		if no := refuse(call); no != nil && no.status == http.StatusOK {
			beginEvents(w)
			push(w, eventstream.ExceptionMessageType, no.code, object{"message": "the test wants it"})
			return
		} else if no != nil {
			answer(w, no, nil)
			return
		}
	}
	if call.Operation == "SubscribeToShard" {
		f.subscribe(w, r, call)
		return
	}
	no, body := f.act(call)
	answer(w, no, body)
}

func answer(w http.ResponseWriter, no *refusal, body any) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	if no != nil {
		w.WriteHeader(no.status)
		body = map[string]string{"__type": no.code, "message": "the test wants it"}
	}
	_ = json.NewEncoder(w).Encode(body) // the client may have gone
}

type object map[string]any

var notFound = &refusal{http.StatusBadRequest, "ResourceNotFoundException"}

// act does what a request asks for.
func (f *fakeKinesis) act(call fakeCall) (*refusal, any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if call.StreamName != "" && call.StreamName != f.stream && call.Operation != "CreateStream" {
		return notFound, nil
	}
	switch call.Operation {
	case "CreateStream":
		if f.stream != "" {
			return &refusal{http.StatusBadRequest, "ResourceInUseException"}, nil
		}
		f.create(call.StreamName, max(int(call.ShardCount), 1))
		return nil, object{}
	case "DescribeStreamSummary":
		return nil, object{"StreamDescriptionSummary": f.summary()}
	case "DescribeLimits":
		return nil, object{"ShardLimit": 500, "OpenShardCount": 1, "OnDemandStreamCount": 0, "OnDemandStreamCountLimit": 50}
	case "ListShards":
		return nil, object{"Shards": f.list()}
	case "PutRecords":
		return nil, f.put(call)
	case "GetShardIterator":
		return f.iterator(call)
	case "GetRecords":
		return f.get(call)
	case "RegisterStreamConsumer", "DescribeStreamConsumer", "DeregisterStreamConsumer":
		return f.consumer(call)
	}
	return &refusal{http.StatusBadRequest, "UnknownOperationException"}, nil
}

func (f *fakeKinesis) summary() object {
	return object{
		"StreamName": f.stream, "StreamARN": "arn:" + f.stream, "StreamStatus": "ACTIVE", "RetentionPeriodHours": 24,
		"OpenShardCount": len(f.shards), "EncryptionType": "KMS", "EnhancedMonitoring": []any{},
		"StreamModeDetails": object{"StreamMode": f.mode}, "StreamCreationTimestamp": 1,
	}
}

func (f *fakeKinesis) list() []object {
	var all []object
	for _, s := range f.shards {
		numbers := object{"StartingSequenceNumber": "0"}
		if s.closed {
			numbers["EndingSequenceNumber"] = "9"
		}
		one := object{"ShardId": s.id, "SequenceNumberRange": numbers,
			"HashKeyRange": object{"StartingHashKey": s.start.String(), "EndingHashKey": s.end.String()}}
		for i, parent := range s.parents {
			one[[]string{"ParentShardId", "AdjacentParentShardId"}[i]] = parent
		}
		all = append(all, one)
	}
	return all
}

func (f *fakeKinesis) put(call fakeCall) object {
	f.requests = append(f.requests, call.Records)
	var results []object
	for _, r := range call.Records {
		if f.refusePut != nil {
			if code := f.refusePut(r); code != "" {
				results = append(results, object{"ErrorCode": code, "ErrorMessage": "the test wants it"})
				continue
			}
		}
		sum := md5.Sum([]byte(r.PartitionKey))
		hash := new(big.Int).SetBytes(sum[:])
		if r.ExplicitHashKey != "" {
			hash.SetString(r.ExplicitHashKey, 10)
		}
		i := slices.IndexFunc(f.shards, func(s *fakeShard) bool { return !s.closed && s.start.Cmp(hash) <= 0 && s.end.Cmp(hash) >= 0 })
		f.sequence++
		number := strconv.FormatInt(f.sequence, 10)
		f.shards[i].records = append(f.shards[i].records, fakeRecord{r.Data, r.PartitionKey, number})
		results = append(results, object{"SequenceNumber": number, "ShardId": f.shards[i].id})
	}
	close(f.changed)
	f.changed = make(chan struct{})
	return object{"Records": results}
}

// shard returns a shard by its id.
func (f *fakeKinesis) shard(id string) *fakeShard {
	i := slices.IndexFunc(f.shards, func(s *fakeShard) bool { return s.id == id })
	return f.shards[i]
}

// at returns the index of the record at which reading starts.
func (s *fakeShard) at(kind, number string) int {
	switch kind {
	case "TRIM_HORIZON":
		return 0
	case "AT_TIMESTAMP", "LATEST":
		return len(s.records)
	}
	after, _ := strconv.ParseInt(number, 10, 64)
	return slices.IndexFunc(append(s.records, fakeRecord{SequenceNumber: "9223372036854775807"}), func(r fakeRecord) bool {
		n, _ := strconv.ParseInt(r.SequenceNumber, 10, 64)
		return n > after
	})
}

func (f *fakeKinesis) iterator(call fakeCall) (*refusal, any) {
	s := f.shard(call.ShardID)
	return nil, object{"ShardIterator": f.iteratorAt(s, s.at(call.ShardIteratorType, call.StartingSequenceNumber))}
}

func (f *fakeKinesis) iteratorAt(s *fakeShard, at int) string {
	return fmt.Sprintf("%d/%s/%d", f.iterators, s.id, at)
}

func (f *fakeKinesis) get(call fakeCall) (*refusal, any) {
	parts := strings.Split(call.ShardIterator, "/")
	if parts[0] != strconv.Itoa(f.iterators) {
		return &refusal{http.StatusBadRequest, "ExpiredIteratorException"}, nil
	}
	s := f.shard(parts[1])
	at, _ := strconv.Atoi(parts[2])
	records := s.records[at:min(len(s.records), at+call.Limit)]
	body := object{"Records": append([]fakeRecord{}, records...), "MillisBehindLatest": 0}
	if at += len(records); !s.closed || at < len(s.records) {
		body["NextShardIterator"] = f.iteratorAt(s, at)
	}
	return nil, body
}
