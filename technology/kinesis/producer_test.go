package kinesis_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/technology"
)

const (
	throughput = "ProvisionedThroughputExceededException"
	internal   = "InternalFailure"
)

// TestOrderOfAKeySurvivesPartialFailures lets Kinesis refuse records at random
// places of random requests: what it has taken in the end is each message once,
// and those of a key in their order.
func TestOrderOfAKeySurvivesPartialFailures(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		shards := rapid.IntRange(1, 3).Draw(rt, "shards")
		keys := rapid.IntRange(1, 12).Draw(rt, "keys")
		batch := rapid.IntRange(1, 20).Draw(rt, "batch_max_records")
		requests := rapid.IntRange(1, 3).Draw(rt, "requests_per_shard")
		share := rapid.Float64Range(0, 0.6).Draw(rt, "refused")
		seed := rapid.Uint64().Draw(rt, "seed")
		const n = 60

		f := startFake(t, shards)
		defer f.server.Close()
		choice := rand.New(rand.NewPCG(seed, 0))
		random := rand.New(rand.NewPCG(seed, 1)) // used with the fake's mutex held
		f.refusePut = func(putRecord) string {
			if random.Float64() < share {
				return []string{throughput, internal}[random.IntN(2)]
			}
			return ""
		}
		b := connect(t, f, setup{config: fmt.Sprintf(
			`{"batch_max_records": %d, "requests_per_shard": %d, "linger_ms": 1, "retry_backoff_ms": 1, "retry_backoff_max_ms": 1}`, batch, requests)})
		p := b.producer()
		want := map[string][]string{}
		for i := range n {
			key := strconv.Itoa(choice.IntN(keys))
			want[key] = append(want[key], strconv.Itoa(i))
			send(t, p, i, key, strconv.Itoa(i))
		}
		flush(t, p)
		if diff := cmp.Diff(want, f.stored()); diff != "" {
			rt.Errorf("Kinesis has by key (-want +got):\n%s", diff)
		}
		b.checkAcks(n)
		shut(t, p)
		shut(t, b.driver)
	})
}

// checkAcks wants n messages acknowledged, once each.
func (b *bench) checkAcks(n int) {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.acks) != n {
		b.t.Errorf("acked was called for %d tokens, want %d", len(b.acks), n)
	}
	for token, err := range b.acks {
		if err != nil {
			b.t.Errorf("acked(%d, %v), want no error", token, err)
		}
	}
}

func TestBatches(t *testing.T) {
	tests := map[string]struct {
		config  string
		keys    int
		largest int // request for 6 messages; what Flush finds under way may go in smaller ones
	}{
		"records of different keys go together":                    {`{"batch_max_records": 6}`, 6, 6},
		"no request has more records than allowed":                 {`{"batch_max_records": 4}`, 6, 4},
		"no request has more bytes than allowed":                   {`{"batch_max_bytes": 2100}`, 6, 2},
		"one record of a key at a time keeps their order":          {`{"batch_max_records": 3}`, 3, 3},
		"without the order of keys records of one key go together": {`{"batch_max_records": 6, "strict_order": false}`, 1, 6},
		"records of one key go one by one":                         {`{"batch_max_records": 6}`, 1, 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := startFake(t, 1)
			b := connect(t, f, setup{config: strings.Replace(tt.config, "{", `{"linger_ms": 60000,`, 1)})
			p := b.producer()
			for i := range 6 {
				send(t, p, i, fmt.Sprintf("key %d", i%tt.keys), strings.Repeat(strconv.Itoa(i), 1000))
			}
			flush(t, p)
			b.checkAcks(6)
			largest, all := 0, 0
			for _, request := range f.requests {
				largest = max(largest, len(request))
				all += len(request)
			}
			if largest != tt.largest || all != 6 {
				t.Errorf("the largest of %d requests has %d records, all have %d, want %d and 6", len(f.requests), largest, all, tt.largest)
			}
		})
	}
}

// TestWithoutStrictOrderALaterRecordOvertakes shows what the setting is for.
func TestWithoutStrictOrderALaterRecordOvertakes(t *testing.T) {
	tests := map[string]struct {
		config string
		want   []string
	}{
		"strict":     {`{"retry_backoff_ms": 1}`, []string{"first", "second"}},
		"not strict": {`{"retry_backoff_ms": 1, "strict_order": false, "linger_ms": 60000, "batch_max_records": 2}`, []string{"second", "first"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := startFake(t, 1)
			refused := false
			f.refusePut = func(r putRecord) string {
				if string(r.Data) == "first" && !refused {
					refused = true
					return internal
				}
				return ""
			}
			p := connect(t, f, setup{config: tt.config}).producer()
			send(t, p, 0, "key", "first")
			send(t, p, 1, "key", "second")
			flush(t, p)
			if diff := cmp.Diff(tt.want, f.stored()["key"]); diff != "" {
				t.Errorf("Kinesis has (-want +got):\n%s", diff)
			}
		})
	}
}

// TestRefusedRecordsGoFirst refuses a whole batch while other records wait.
func TestRefusedRecordsGoFirst(t *testing.T) {
	f := startFake(t, 1)
	f.refuse = first("PutRecords", &refusal{http.StatusInternalServerError, internal})
	p := connect(t, f, setup{config: `{"linger_ms": 60000, "batch_max_records": 2, "strict_order": false, "retry_backoff_ms": 1}`}).producer()
	var want []string
	for i := range 6 {
		want = append(want, strconv.Itoa(i))
		send(t, p, i, "key", want[i])
	}
	flush(t, p)
	if diff := cmp.Diff(want, f.stored()["key"]); diff != "" {
		t.Errorf("Kinesis has (-want +got):\n%s", diff)
	}
}

func TestThrottlesAndRetriesAreCounted(t *testing.T) {
	tests := map[string]struct {
		refuse    func(fakeCall) *refusal
		refusePut func(n int, r putRecord) string
		want      map[experiment.Incident]int
	}{
		"nothing happens": {want: map[experiment.Incident]int{}},
		"three records are throttled": {
			refusePut: func(n int, _ putRecord) string { return map[bool]string{true: throughput}[n <= 3] },
			want:      map[experiment.Incident]int{experiment.ThrottledWrites: 3, experiment.RetriedSends: 3},
		},
		"two records fail inside Kinesis": {
			refusePut: func(n int, _ putRecord) string { return map[bool]string{true: internal}[n <= 2] },
			want:      map[experiment.Incident]int{experiment.RetriedSends: 2},
		},
		"a request is throttled whole": {
			refuse: first("PutRecords", &refusal{http.StatusBadRequest, throughput}),
			want:   map[experiment.Incident]int{experiment.ThrottledWrites: 10, experiment.RetriedSends: 10},
		},
		"a request fails inside Kinesis": {
			refuse: first("PutRecords", &refusal{http.StatusInternalServerError, "whatever"}),
			want:   map[experiment.Incident]int{experiment.RetriedSends: 10},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := startFake(t, 1)
			f.refuse = tt.refuse
			n := 0
			f.refusePut = func(r putRecord) string {
				if n++; tt.refusePut == nil {
					return ""
				}
				return tt.refusePut(n, r)
			}
			b := connect(t, f, setup{config: `{"batch_max_records": 10, "linger_ms": 60000, "retry_backoff_ms": 1}`})
			p := b.producer()
			for i := range 10 {
				send(t, p, i, fmt.Sprintf("key %d", i), "x")
			}
			flush(t, p)
			b.checkAcks(10)
			if diff := cmp.Diff(tt.want, b.incidents); diff != "" {
				t.Errorf("incidents (-want +got):\n%s", diff)
			}
		})
	}
}

// first refuses the first request of an operation.
func first(operation string, no *refusal) func(fakeCall) *refusal {
	return func(call fakeCall) *refusal {
		if call.Operation == operation && call.N == 1 {
			return no
		}
		return nil
	}
}

// silent leaves the first request of an operation without an answer.
func silent(operation string) func(fakeCall) *refusal {
	return func(call fakeCall) *refusal {
		if call.Operation == operation && call.N == 1 {
			<-call.Done
			return &refusal{http.StatusInternalServerError, "nobody hears this"}
		}
		return nil
	}
}

func TestARequestWithoutAnAnswerIsSentAgain(t *testing.T) {
	f := startFake(t, 1)
	f.refuse = silent("PutRecords")
	b := connect(t, f, setup{config: `{"request_timeout_ms": 100, "retry_backoff_ms": 1}`})
	p := b.producer()
	send(t, p, 0, "key", "text")
	flush(t, p)
	b.checkAcks(1)
	if diff := cmp.Diff(map[string][]string{"key": {"text"}}, f.stored()); diff != "" {
		t.Errorf("Kinesis has (-want +got):\n%s", diff)
	}
	if got := b.count(experiment.RetriedSends); got != 1 {
		t.Errorf("retried_sends = %d, want 1", got)
	}
}

func TestMessagesFail(t *testing.T) {
	tests := map[string]struct {
		refuse    func(fakeCall) *refusal
		refusePut string
		want      []string // parts of the error
	}{
		"that are throttled for too long": {refusePut: throughput, want: []string{"not acknowledged in time, 100ms", throughput}},
		"when Kinesis is away for too long": {
			refuse: always("PutRecords", &refusal{http.StatusServiceUnavailable, "ServiceUnavailable"}),
			want:   []string{"not acknowledged in time, 100ms", "ServiceUnavailable"},
		},
		"at once when there is no such stream": {
			refuse: always("PutRecords", notFound), want: []string{"put records", "ResourceNotFoundException"},
		},
		"at once when the rights are missing": {
			refuse: always("PutRecords", &refusal{http.StatusBadRequest, "AccessDeniedException"}), want: []string{"AccessDeniedException"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := startFake(t, 1)
			f.refuse = tt.refuse
			f.refusePut = func(putRecord) string { return tt.refusePut }
			b := connect(t, f, setup{config: `{"delivery_timeout_ms": 100, "retry_backoff_ms": 5, "retry_backoff_max_ms": 5}`})
			p := b.producer()
			for i := range 5 { // the later ones wait behind their key
				send(t, p, i, "key", "text")
			}
			flush(t, p)
			if len(b.acks) != 5 {
				t.Errorf("acked was called for %d tokens, want 5", len(b.acks))
			}
			for token, err := range b.acks {
				for _, part := range tt.want {
					if err == nil || !strings.Contains(err.Error(), part) {
						t.Errorf("acked(%d, %v), want %q", token, err, part)
					}
				}
			}
		})
	}
}

// always refuses every request of an operation.
func always(operation string, no *refusal) func(fakeCall) *refusal {
	return func(call fakeCall) *refusal {
		if call.Operation == operation {
			return no
		}
		return nil
	}
}

func TestSendRefuses(t *testing.T) {
	p := connect(t, startFake(t, 1), setup{}).producer()
	tests := map[string]technology.Message{
		"more than 1 MiB":                 {Payload: make([]byte, 1<<20+1)},
		"more than 1 MiB with its key":    {Key: []byte("key"), Payload: make([]byte, 1<<20)},
		"a key of too many characters":    {Key: []byte(strings.Repeat("ä", 257))},
		"a key of too many other bytes":   {Key: []byte(strings.Repeat("\xff", 200))},
		"a partition that does not exist": {Partition: 1},
	}
	for name, m := range tests {
		if err := p.Send(t.Context(), 0, m); err == nil {
			t.Errorf("Send() of %s = nil, want an error", name)
		}
	}
	flush(t, p)
}

func TestEveryKeyComesBack(t *testing.T) {
	b := connect(t, startFake(t, 3), setup{config: `{"poll_interval_ms": 1}`})
	b.consumer("group", 0)
	p := b.producer()
	keys := []string{"plain", "~", "~5", "~x", "~xQQ", "", "\xff\x00", "line\nbreak", strings.Repeat("ä", 256), "\u2028"}
	want := map[string][]string{}
	for i, key := range keys {
		send(t, p, i, key, strconv.Itoa(i))
		want[key] = []string{strconv.Itoa(i)}
	}
	flush(t, p)
	b.wait(b.came, len(keys), "messages")
	if diff := cmp.Diff(want, b.texts()); diff != "" {
		t.Errorf("received by key (-want +got):\n%s", diff)
	}
}

func TestCloseWhileKinesisIsSilent(t *testing.T) {
	f := startFake(t, 1)
	f.refuse = silent("PutRecords")
	b := connect(t, f, setup{workload: experiment.Workload{Load: experiment.Load{MaxInFlight: 10}}})
	p := b.producer()
	for i := range 10 {
		send(t, p, i, "key", "text")
	}
	shut(t, p)
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.acks) != 10 {
		t.Errorf("acked was called for %d tokens before Close returned, want 10", len(b.acks))
	}
	for token, err := range b.acks {
		if !errors.Is(err, technology.ErrClosed) {
			t.Errorf("acked(%d, %v), want %v", token, err, technology.ErrClosed)
		}
	}
}
