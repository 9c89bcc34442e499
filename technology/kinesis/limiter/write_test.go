package limiter_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dec.local/dec/technology/kinesis/limiter"
)

func TestWritesOfAShardAreLimited(t *testing.T) {
	type step struct {
		after   time.Duration
		records []string
		taken   string
	}
	tests := map[string]struct {
		limits limiter.Limits
		steps  []step
	}{
		"a second's records at once, then as many as time gives": {
			limiter.Limits{WriteRecords: 4, WriteBytes: 1000, ReadCalls: 1, ReadBytes: 1},
			[]step{
				{0, []string{"A", "A", "A", "A", "A"}, "++++-"},
				{250 * time.Millisecond, []string{"A", "A"}, "+-"},
				{500 * time.Millisecond, []string{"A", "A", "A"}, "++-"},
				{time.Hour, []string{"A", "A", "A", "A", "A"}, "++++-"},
			},
		},
		"bytes are those before base64, with the key": {
			limiter.Limits{WriteRecords: 100, WriteBytes: 20, ReadCalls: 1, ReadBytes: 1},
			[]step{
				{0, []string{"A23456789", "A23456789", "A"}, "++-"}, // 9 + 1 twice
				{100 * time.Millisecond, []string{"A2", "A", "A"}, "-+-"},
			},
		},
		"a record that needs more than a second waits for a full one": {
			limiter.Limits{WriteRecords: 100, WriteBytes: 10, ReadCalls: 1, ReadBytes: 1},
			[]step{
				{0, []string{"A2345678901234567890", "A"}, "+-"}, // 21: 11 too many
				{1100 * time.Millisecond, []string{"A"}, "-"},
				{300 * time.Millisecond, []string{"A", "A2345678901234567890"}, "+-"},
				{time.Second, []string{"A2345678901234567890"}, "+"},
			},
		},
		"each shard has limits of its own": {
			limiter.Limits{WriteRecords: 2, WriteBytes: 1000, ReadCalls: 1, ReadBytes: 1},
			[]step{
				{0, []string{"A", "B", "A", "A", "B", "B", "C", "A"}, "+++-+-+-"},
				{0, []string{"A", "B"}, "--"},
			},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			at, clock := fake(t, &emulator{open: 3}, tt.limits)
			for i, s := range tt.steps {
				clock.pass(s.after)
				got := put(t, at, 3, s.records...)
				if got.Status != 200 || got.taken() != s.taken || got.FailedRecordCount != strings.Count(s.taken, "-") {
					t.Errorf("step %d: PutRecords = %d, %s, %d failed; want 200, %s", i, got.Status, got.taken(), got.FailedRecordCount, s.taken)
				}
			}
		})
	}
}

// TestRefusedRecordsStandInTheirPlaces wants the emulator's own words for those
// that it took, and nothing of the others to have reached it.
func TestRefusedRecordsStandInTheirPlaces(t *testing.T) {
	e := &emulator{open: 2}
	at, _ := fake(t, e, limiter.Limits{WriteRecords: 2, WriteBytes: 1000, ReadCalls: 1, ReadBytes: 1})
	put(t, at, 2, "A spent", "A spent")
	got := put(t, at, 2, "A", "B first", "A", "B second", "B")
	const refusedA = "Rate exceeded for shard shardId-000000000000 in stream s under account 000000000000."
	const refusedB = "Rate exceeded for shard shardId-000000000001 in stream s under account 000000000000."
	want := reply{Status: 200, FailedRecordCount: 3, Records: []struct{ ShardID, SequenceNumber, ErrorCode, ErrorMessage string }{
		{ErrorCode: "ProvisionedThroughputExceededException", ErrorMessage: refusedA},
		{ShardID: "shardId-000000000001", SequenceNumber: "0"},
		{ErrorCode: "ProvisionedThroughputExceededException", ErrorMessage: refusedA},
		{ShardID: "shardId-000000000001", SequenceNumber: "1"},
		{ErrorCode: "ProvisionedThroughputExceededException", ErrorMessage: refusedB},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("PutRecords (-want +got):\n%s", diff)
	}
	var reached struct {
		StreamName string
		Records    []struct {
			Data         []byte
			PartitionKey string
		}
	}
	if err := json.Unmarshal([]byte(e.bodies[1]), &reached); err != nil {
		t.Fatal(err)
	}
	if len(reached.Records) != 2 || string(reached.Records[1].Data) != "B second" || reached.Records[1].PartitionKey != "k" || reached.StreamName != "s" {
		t.Errorf("the emulator got %s, want the two records", e.bodies[1])
	}
}

func TestPutRecordIsRefusedAsAWhole(t *testing.T) {
	e := &emulator{open: 1}
	at, clock := fake(t, e, limiter.Limits{WriteRecords: 1, WriteBytes: 100, ReadCalls: 1, ReadBytes: 1})
	const body = `{"StreamARN": "arn:aws:kinesis:us-east-1:000000000000:stream/s", "PartitionKey": "k", "Data": "YQ=="}`
	if got := call(t, at, "PutRecord", body); got.Status != 200 {
		t.Errorf("the first PutRecord = %d, want 200", got.Status)
	}
	got := call(t, at, "PutRecord", body)
	want := reply{
		Status: 400, Type: "ProvisionedThroughputExceededException",
		Message: "Rate exceeded for shard shardId-000000000000 in stream s under account 000000000000.",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the second PutRecord (-want +got):\n%s", diff)
	}
	// It spends what PutRecords has, by whichever name the stream is called.
	if got := put(t, at, 1, "A"); got.taken() != "-" {
		t.Errorf("PutRecords = %s, want -", got.taken())
	}
	clock.pass(time.Second)
	if got := call(t, at, "PutRecord", body); got.Status != 200 {
		t.Errorf("PutRecord after a second = %d, want 200", got.Status)
	}
	if len(e.bodies) != 2 {
		t.Errorf("%d writes reached the emulator, want 2", len(e.bodies))
	}
}

func TestShardsAreAskedForAgainAfterASplit(t *testing.T) {
	e := &emulator{open: 1}
	at, _ := fake(t, e, limiter.Limits{WriteRecords: 2, WriteBytes: 1000, ReadCalls: 1, ReadBytes: 1})
	if got := put(t, at, 1, "A", "A", "A"); got.taken() != "++-" {
		t.Errorf("before the split: %s, want ++-", got.taken())
	}
	call(t, at, "SplitShard", `{"StreamName": "s"}`)
	if got := put(t, at, 2, "A", "B", "A", "A", "B", "B"); got.taken() != "+++-+-" {
		t.Errorf("after the split: %s, want +++-+-", got.taken())
	}
}

// TestShardsAreAskedForAgainWhenRecordsGoElsewhere splits behind the proxy's back.
func TestShardsAreAskedForAgainWhenRecordsGoElsewhere(t *testing.T) {
	e := &emulator{open: 1}
	at, clock := fake(t, e, limiter.Limits{WriteRecords: 2, WriteBytes: 1000, ReadCalls: 1, ReadBytes: 1})
	put(t, at, 1, "A")
	e.mu.Lock()
	e.closed, e.open = 1, 2
	e.mu.Unlock()
	clock.pass(time.Second)
	put(t, at, 2, "A")
	if got := put(t, at, 2, "A", "A", "A", "B", "B", "B"); got.taken() != "++-++-" {
		t.Errorf("after the emulator has told of a new shard: %s, want ++-++-", got.taken())
	}
}

func TestPartitionKeysAreHashed(t *testing.T) {
	// The MD5 of "a" begins with 0x0c, that of "b" with 0x92.
	at, _ := fake(t, &emulator{open: 2}, limiter.Limits{WriteRecords: 1, WriteBytes: 1000, ReadCalls: 1, ReadBytes: 1})
	got := call(t, at, "PutRecords", `{"StreamName": "s", "Records": [
		{"Data": "QQ==", "PartitionKey": "a"}, {"Data": "Qg==", "PartitionKey": "b"}, {"Data": "Qg==", "PartitionKey": "b"}]}`)
	if got.taken() != "++-" || !strings.Contains(got.Records[2].ErrorMessage, "shardId-000000000001") {
		t.Errorf("PutRecords = %s, %+v, want ++- of the second shard", got.taken(), got.Records)
	}
}

func TestEscapedBase64IsCountedAsItIs(t *testing.T) {
	at, _ := fake(t, &emulator{open: 1}, limiter.Limits{WriteRecords: 100, WriteBytes: 10, ReadCalls: 1, ReadBytes: 1})
	escaped := strings.Repeat(`\/`, 8) // eight letters, six bytes
	got := call(t, at, "PutRecords", fmt.Sprintf(`{"StreamName": "s", "Records": [{"Data": "%s", "PartitionKey": "k"}, {"Data": "QUI=", "PartitionKey": "k"}, {"Data": "", "PartitionKey": "k"}]}`, escaped))
	if got.taken() != "++-" {
		t.Errorf("7, 3 and 1 bytes of 10 = %s, want ++-", got.taken())
	}
}
