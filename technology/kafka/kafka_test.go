package kafka_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/technology"
	"dec.local/dec/technology/kafka"
	"dec.local/dec/technology/technologytest"
)

// fake starts a cluster inside this process and returns its endpoints.
func fake(t *testing.T, options ...kfake.Opt) json.RawMessage {
	t.Helper()
	cluster, err := kfake.NewCluster(options...)
	if err != nil {
		t.Fatalf("start kfake: %v", err)
	}
	t.Cleanup(cluster.Close)
	endpoints, err := json.Marshal(map[string][]string{"bootstrap": cluster.ListenAddrs()})
	if err != nil {
		t.Fatal(err)
	}
	return endpoints
}

func TestConformanceAgainstFake(t *testing.T) {
	technologytest.Suite{Technology: kafka.Technology, Endpoints: fake(t, kfake.NumBrokers(1))}.Run(t)
}

func TestGroupRecordsItsPosition(t *testing.T) {
	endpoints := fake(t, kfake.NumBrokers(1))
	d := open(t, endpoints, map[string]json.RawMessage{"commit_interval_ms": []byte("1")})
	if _, err := d.Prepare(t.Context(), experiment.Topology{Partitions: 4, Replicas: 1}, 0); err != nil {
		t.Fatalf("Prepare() = %v, want no error", err)
	}
	c, err := d.Consumer(t.Context(), "group", 0, func(technology.Message) {})
	if err != nil {
		t.Fatalf("Consumer() = %v, want no error", err)
	}
	defer c.Close()
	admin := kadm.NewClient(client(t, endpoints))
	committed := func() int64 {
		offsets, err := admin.FetchOffsets(t.Context(), "group")
		if err != nil {
			t.Fatalf("read the group's position: %v", err)
		}
		if len(offsets.Offsets()) != 1 {
			t.Fatalf("the group has positions %v, want those of one topic before Consumer returns", offsets)
		}
		total := int64(0)
		offsets.Offsets().Each(func(o kadm.Offset) { total += o.At })
		return total
	}
	if n := committed(); n != 0 {
		t.Errorf("the group's position is %d before any message, want 0", n)
	}
	sendSome(t, d, 100)
	for deadline := time.Now().Add(30 * time.Second); committed() != 100; {
		if time.Now().After(deadline) {
			t.Fatalf("the group's position is %d after 100 messages, want 100", committed())
		}
	}
}

// client is one beside the driver.
func client(t *testing.T, endpoints json.RawMessage) *kgo.Client {
	t.Helper()
	var e struct{ Bootstrap []string }
	if err := json.Unmarshal(endpoints, &e); err != nil {
		t.Fatal(err)
	}
	c, err := kgo.NewClient(kgo.SeedBrokers(e.Bootstrap...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}
