package kinesis_test

import (
	"encoding/json"
	"fmt"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/technology/kinesis"
	"dec.local/dec/technology/technologytest"
)

// emulators are the options of the stack for each mode of consumers.
var emulators = map[string]map[string]any{
	"polling":          {"engine": "kinesalite", "consumers": "polling"},
	"enhanced fan-out": {"engine": "kinesis-local", "consumers": "enhanced_fan_out"},
}

func TestConformance(t *testing.T) {
	for mode, options := range emulators {
		t.Run(mode, func(t *testing.T) {
			endpoints := technologytest.Start(t, "kinesis", "emulator", options)
			technologytest.Suite{Technology: kinesis.Technology, Endpoints: endpoints, Alone: true}.Run(t)
		})
	}
}

// TestReshardingOfAnEmulator splits a shard and merges two while messages are
// sent: they come once, and in the order of their keys. With enhanced fan-out
// there is the fake alone: kinesis-local never tells the end of a shard.
func TestReshardingOfAnEmulator(t *testing.T) {
	const half = "170141183460469231731687303715884105728" // 2^127, where the second shard starts
	changes := []struct{ operation, body string }{
		{"SplitShard", `{"StreamName": "orders", "ShardToSplit": "shardId-000000000000", "NewStartingHashKey": "1000"}`},
		{"MergeShards", `{"StreamName": "orders", "ShardToMerge": "shardId-000000000003", "AdjacentShardToMerge": "shardId-000000000001"}`},
		{"SplitShard", `{"StreamName": "orders", "ShardToSplit": "shardId-000000000004", "NewStartingHashKey": "` + half + `"}`},
	}
	raw := technologytest.Start(t, "kinesis", "emulator", nil)
	var at struct{ Endpoint string }
	if err := json.Unmarshal(raw, &at); err != nil {
		t.Fatal(err)
	}
	b := connectTo(t, raw, setup{members: 2})
	if _, err := b.driver.Prepare(t.Context(), experiment.Topology{Partitions: 2, Replicas: 1}, 0); err != nil {
		t.Fatalf("Prepare() = %v, want no error", err)
	}
	b.consumer("group", 0)
	b.consumer("group", 1)
	p := b.producer()
	want := map[string][]string{}
	sent := 0
	sendSome := func(n int) {
		for range n {
			key := fmt.Sprintf("key %d", sent%50)
			want[key] = append(want[key], strconv.Itoa(sent))
			send(t, p, sent, key, strconv.Itoa(sent))
			sent++
		}
	}
	sendSome(500)
	for _, change := range changes {
		call(t, at.Endpoint, change.operation, change.body)
		sendSome(500)
		await(t, at.Endpoint, "DescribeStreamSummary", `{"StreamName": "orders"}`, `"ACTIVE"`)
	}
	sendSome(500)
	flush(t, p)
	b.checkAcks(sent)
	b.wait(b.came, sent, "messages")
	if diff := cmp.Diff(want, b.texts()); diff != "" {
		t.Errorf("received by key (-want +got):\n%s", diff)
	}
	for _, m := range b.received {
		if m.Partition != 0 && m.Partition != 1 {
			t.Errorf("a message came from partition %d, want 0 or 1", m.Partition)
		}
	}
}
