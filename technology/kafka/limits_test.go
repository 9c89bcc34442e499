package kafka_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/technology"
	"dec.local/dec/technology/technologytest"
)

// TestTwoBrokersInTwoZones has a broker that is no controller, and throttles.
func TestTwoBrokersInTwoZones(t *testing.T) {
	t.Parallel()
	const limit = 100_000 // bytes/s
	cluster := run(t, map[string]any{"brokers": 2, "min_insync_replicas": 2, "producer_quota": limit, "consumer_quota": limit}, func(name string, s *technologytest.Service) {
		s.Files["server.properties"] += "broker.rack=" + name + "\n"
	})
	for copies := 1; copies <= 2; copies++ {
		d := openWith(t, cluster.Endpoints, technology.Settings{Destination: fmt.Sprintf("copies-%d", copies)})
		effective, err := d.Prepare(t.Context(), experiment.Topology{Partitions: 4, Replicas: copies}, 0)
		if err != nil || effective.Zones != copies || effective.Replicas != copies || effective.MinInSync != copies || effective.Value(experiment.WaitedFor) != fmt.Sprint(copies) {
			t.Errorf("Prepare() of %d copies = %+v, %v, want as many copies, all in sync and in zones of their own", copies, effective, err)
		}
		for _, name := range []string{"producer_byte_rate", "consumer_byte_rate"} {
			if effective.Details[name] != fmt.Sprint(limit) {
				t.Errorf("Details[%s] = %s, want %d", name, effective.Details[name], limit)
			}
		}
		sendSome(t, d, 10) // also with one copy, although min.insync.replicas is 2
	}
	var found counted
	d := openWith(t, cluster.Endpoints, technology.Settings{OnIncident: found.add})
	if _, err := d.Prepare(t.Context(), experiment.Topology{Partitions: 4, Replicas: 2}, 0); err != nil {
		t.Fatalf("Prepare() = %v, want no error", err)
	}
	// Quotas are means over 10 s: what is sent at once must be more than that.
	passOnLarge(t, d, 28, 100_000)
	writes, reads := found.of(experiment.DelayedWrites), found.of(experiment.DelayedReads)
	if writes == 0 || writes > 28 || reads == 0 || reads > 28 {
		t.Errorf("the clients reported %d delayed writes and %d delayed reads, want some of 28 messages", writes, reads)
	}
	if n := found.of(experiment.ThrottledWrites) + found.of(experiment.ThrottledReads); n != 0 {
		t.Errorf("the clients reported %d refusals, want none: a quota only delays", n)
	}
	holds(t, d, 28)
}

// holds reads the destination again, which no quota may delay: it would for as long as
// the test has.
func holds(t *testing.T, d technology.Driver, want int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	got := 0
	if _, err := d.(technology.Rereader).Remaining(ctx, func(technology.Message) { got++ }); err != nil || got != want {
		t.Errorf("Remaining() = %d messages, %v, want %d in 5 s although consumers are delayed", got, err, want)
	}
}

// passOnLarge sends n messages of some bytes to 4 partitions in turn, wants them
// all to come back, and closes its clients.
func passOnLarge(t *testing.T, d technology.Driver, n, size int) {
	t.Helper()
	came := make(chan struct{}, n)
	c, err := d.Consumer(t.Context(), "group", 0, func(technology.Message) { came <- struct{}{} })
	if err != nil {
		t.Fatalf("Consumer() = %v, want no error", err)
	}
	defer c.Close()
	p, err := d.Producer(t.Context(), 0, func(_ uint64, err error) {
		if err != nil {
			t.Errorf("acked(%v), want no error", err)
		}
	})
	if err != nil {
		t.Fatalf("Producer() = %v, want no error", err)
	}
	defer p.Close()
	for i := range n {
		if err := p.Send(t.Context(), uint64(i), technology.Message{Payload: make([]byte, size), Partition: i % 4}); err != nil {
			t.Fatalf("Send() = %v, want no error", err)
		}
	}
	if err := p.Flush(t.Context()); err != nil {
		t.Fatalf("Flush() = %v, want no error", err)
	}
	for i := range n {
		select {
		case <-came:
		case <-time.After(time.Minute):
			t.Fatalf("%d messages came, want %d", i, n)
		}
	}
}

// TestSettingsOfARealBroker asks the broker for what the options and the
// client_config are to give.
func TestSettingsOfARealBroker(t *testing.T) {
	cluster := run(t, map[string]any{"flush_messages": 100, "flush_ms": 250})
	t.Run("flush policy", func(t *testing.T) {
		d := open(t, cluster.Endpoints, nil)
		effective, err := d.Prepare(t.Context(), experiment.Topology{Partitions: 4, Replicas: 1}, 0)
		if err != nil {
			t.Fatalf("Prepare() = %v, want no error", err)
		}
		want := map[string]string{
			"flush.messages": "100", "flush.ms": "250", "topic.compression.type": "producer", "unclean.leader.election.enable": "false",
			"security": "PLAINTEXT", "security.controllers": "PLAINTEXT", "replication.factor": "1",
			"producer_byte_rate": "unlimited", "consumer_byte_rate": "unlimited",
		}
		for name, value := range want {
			if effective.Details[name] != value {
				t.Errorf("Details[%s] = %q, want %s", name, effective.Details[name], value)
			}
		}
		if effective.Durability != "page_cache" || effective.Zones != 1 {
			t.Errorf("Prepare() = %+v, want page_cache in one zone", effective)
		}
		otherShapes(t, cluster.Endpoints)
	})
	for _, codec := range []string{"none", "gzip", "snappy", "lz4", "zstd"} {
		t.Run("compression "+codec, func(t *testing.T) {
			d := openWith(t, cluster.Endpoints, technology.Settings{Destination: "compression-" + codec, ClientConfig: map[string]json.RawMessage{"compression": fmt.Appendf(nil, "%q", codec)}})
			if _, err := d.Prepare(t.Context(), experiment.Topology{Partitions: 1, Replicas: 1}, 0); err != nil {
				t.Fatalf("Prepare() = %v, want no error", err)
			}
			const messages = 200
			compressible(t, d, messages)
			size := sizeOnDisk(t, cluster.Endpoints, "compression-"+codec)
			if raw := int64(messages * 1000); codec == "none" && size < raw || codec != "none" && size > raw/5 {
				t.Errorf("%d bytes of repeated text take %d on the broker's disk", raw, size)
			}
		})
	}
	t.Run("1000 partitions", func(t *testing.T) { thousandPartitions(t, cluster.Endpoints) })
	t.Run("no answer", func(t *testing.T) {
		tr, _ := start(t, cluster.Endpoints, "silent", time.Second, experiment.Topology{Partitions: 1, Replicas: 1})
		tr.send(1, 100, 1)
		cluster.Signal(t, "broker-0", syscall.SIGSTOP)
		// Whether the broker has them nobody knows, but the sends must end.
		if ok, failures := tr.send(3, 100, 1); ok != 0 || len(failures) == 0 {
			t.Errorf("%d messages were acknowledged by a broker that stands still, %v failed, want all", ok, failures)
		}
		cluster.Signal(t, "broker-0", syscall.SIGCONT)
	})
}

// otherShapes prepares a topic that exists.
func otherShapes(t *testing.T, endpoints json.RawMessage) {
	t.Helper()
	for _, tt := range []struct {
		partitions int
		want       string
	}{{4, ""}, {5, "it already exists with 4 partitions, not 5: use another destination"}} {
		d := open(t, endpoints, nil)
		_, err := d.Prepare(t.Context(), experiment.Topology{Partitions: tt.partitions, Replicas: 1}, 0)
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("Prepare() of a topic that exists, with %d partitions = %v, want %q", tt.partitions, err, tt.want)
		}
	}
}

// compressible sends n messages of 1000 equal bytes and receives them whole.
func compressible(t *testing.T, d technology.Driver, n int) {
	t.Helper()
	text := strings.Repeat("a", 1000)
	came := make(chan string, n)
	c, err := d.Consumer(t.Context(), "group", 0, func(m technology.Message) { came <- string(m.Payload) })
	if err != nil {
		t.Fatalf("Consumer() = %v, want no error", err)
	}
	defer c.Close()
	p, err := d.Producer(t.Context(), 0, func(uint64, error) {})
	if err != nil {
		t.Fatalf("Producer() = %v, want no error", err)
	}
	defer p.Close()
	for i := range n {
		if err := p.Send(t.Context(), uint64(i), technology.Message{Payload: []byte(text), Partition: 0}); err != nil {
			t.Fatalf("Send() = %v, want no error", err)
		}
	}
	for range n {
		select {
		case got := <-came:
			if got != text {
				t.Fatalf("received %d other bytes", len(got))
			}
		case <-time.After(time.Minute):
			t.Fatal("a message did not come")
		}
	}
}

// sizeOnDisk asks the broker how long a topic's log is, in bytes.
func sizeOnDisk(t *testing.T, endpoints json.RawMessage, topic string) int64 {
	t.Helper()
	all, err := kadm.NewClient(client(t, endpoints)).DescribeAllLogDirs(t.Context(), kadm.TopicsSet{topic: {0: {}}})
	if err != nil {
		t.Fatalf("ask for the size of %s: %v", topic, err)
	}
	size := int64(0)
	all.Each(func(d kadm.DescribedLogDir) {
		d.Topics.Each(func(p kadm.DescribedLogDirPartition) {
			if p.Topic == topic {
				size += p.Size
			}
		})
	})
	return size
}

// thousandPartitions sends a message to each of 1000 partitions of one broker.
func thousandPartitions(t *testing.T, endpoints json.RawMessage) {
	const partitions = 1000
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	topology := experiment.Topology{Partitions: partitions, Replicas: 1, ConsumersPerGroup: 2}
	d := openWith(t, endpoints, technology.Settings{Workload: experiment.Workload{Topology: topology}})
	if _, err := d.Prepare(ctx, topology, 1<<40); err != nil {
		t.Fatalf("Prepare() = %v, want no error", err)
	}
	came := make(chan int, partitions)
	for i := range 2 {
		c, err := d.Consumer(ctx, "group", i, func(m technology.Message) { came <- m.Partition })
		if err != nil {
			t.Fatalf("Consumer(%d) = %v, want no error", i, err)
		}
		defer c.Close()
	}
	p, err := d.Producer(ctx, 0, func(_ uint64, err error) {
		if err != nil {
			t.Errorf("acked(%v), want no error", err)
		}
	})
	if err != nil {
		t.Fatalf("Producer() = %v, want no error", err)
	}
	defer p.Close()
	for i := range partitions {
		if err := p.Send(ctx, uint64(i), technology.Message{Payload: []byte("x"), Partition: i}); err != nil {
			t.Fatalf("Send() = %v, want no error", err)
		}
	}
	if err := p.Flush(ctx); err != nil {
		t.Fatalf("Flush() = %v, want no error", err)
	}
	found := map[int]bool{}
	for range partitions {
		select {
		case partition := <-came:
			found[partition] = true
		case <-ctx.Done():
			t.Fatalf("messages of %d partitions came, want %d", len(found), partitions)
		}
	}
	if len(found) != partitions {
		t.Errorf("messages of %d partitions came, want %d", len(found), partitions)
	}
}
