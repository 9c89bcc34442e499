package nats_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/technology"
	"dec.local/dec/technology/nats"
)

func TestCheckConfig(t *testing.T) {
	tests := map[string]struct {
		config   string
		workload experiment.Workload
		want     string // "" for no error
	}{
		"every setting at once": {config: `{"consumer_ack": "explicit", "prefetch": 10, "max_ack_pending": 10, "ack_wait_ms": 1000}`},
		"more prefetched than may be pending": {config: `{"prefetch": 100, "max_ack_pending": 99}`,
			want: "client_config.max_ack_pending: is 99, but must be at least prefetch, 100"},
		"nothing is pending without acknowledgements": {config: `{"prefetch": 100, "max_ack_pending": 99, "consumer_ack": "none"}`},
		"a setting of Kafka": {config: `{"linger_ms": 5}`,
			want: "client_config.linger_ms: there is no such setting; known settings: consumer_ack, ack_interval_ms, prefetch, max_ack_pending, ack_wait_ms"},
		"what a client without batches can do": {config: `{}`, workload: common(`{"batch_max_delay": "0s", "compression": "none"}`)},
		"batches": {config: `{}`, workload: common(`{"batch_max_delay": "5ms"}`),
			want: "NATS sends each message at once, so workload.client.batch_max_delay must be 0s, not 5ms"},
		"the size of batches": {config: `{}`, workload: common(`{"batch_max_bytes": "64KiB"}`),
			want: "NATS sends each message by itself: remove workload.client.batch_max_bytes"},
		"a codec": {config: `{}`, workload: common(`{"compression": "lz4"}`),
			want: "NATS does not compress messages, so workload.client.compression must be none, not lz4"},
		"the ways to acknowledge": {config: `{}`, workload: common(`{"consumer_ack": "periodic"}`)},
		"a way that is given twice": {config: `{"consumer_ack": "none"}`, workload: common(`{"consumer_ack": "each"}`),
			want: "client_config.consumer_ack: is given twice, here and as workload.client.consumer_ack: remove one of them"},
		"a position that is told later than messages are sent again": {config: `{"consumer_ack": "periodic", "ack_interval_ms": 5000, "ack_wait_ms": 5000}`,
			want: "client_config.ack_wait_ms: is 5000, but must be more than ack_interval_ms, 5000, or messages come twice"},
		"more copies than a stream can have": {config: `{}`, workload: experiment.Workload{Topology: experiment.Topology{Replicas: 7}},
			want: "JetStream keeps at most 5 copies of a stream, but the workload asks for 7: lower workload.topology.replicas and workload.require.replicas"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var config map[string]json.RawMessage
			if err := json.Unmarshal([]byte(tt.config), &config); err != nil {
				t.Fatal(err)
			}
			got := ""
			if err := nats.Technology.CheckConfig(config, tt.workload); err != nil {
				got = err.Error()
			}
			if got != tt.want {
				t.Errorf("CheckConfig(%s) = %q, want %q", tt.config, got, tt.want)
			}
		})
	}
}

// common is a workload that asks this of all clients.
func common(client string) experiment.Workload {
	var w experiment.Workload
	if err := json.Unmarshal([]byte(client), &w.Client); err != nil {
		panic(err)
	}
	return w
}

func TestOpenRefuses(t *testing.T) {
	endpoints := embedded(t, nil)
	tests := map[string]struct {
		endpoints   json.RawMessage
		destination string
	}{
		"endpoints without servers":    {json.RawMessage(`{"monitors": ["http://127.0.0.1:1"]}`), "orders"},
		"endpoints without monitors":   {json.RawMessage(`{"servers": ["nats://127.0.0.1:1"]}`), "orders"},
		"a destination with dots":      {endpoints, "a.b"},
		"a destination with wildcards": {endpoints, "a*"},
		"no destination":               {endpoints, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := nats.Technology.Open(t.Context(), tt.endpoints, technology.Settings{Destination: tt.destination}); err == nil {
				t.Errorf("Open(%s, %q) = nil, want an error", tt.endpoints, tt.destination)
			}
		})
	}
}

func TestPrepareRefuses(t *testing.T) {
	d := open(t, embedded(t, func(o *server.Options) { o.JetStreamMaxStore = 1 << 20 }), technology.Settings{})
	tests := map[string]struct {
		replicas  int
		retention experiment.Bytes
		want      string
	}{
		"copies without a cluster":          {3, 1 << 10, "workload.topology.replicas is 3, but there is one server"},
		"more retention than there is room": {1, 2 << 20, "the server has no space for workload.retention_bytes, 2MiB"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := d.Prepare(t.Context(), experiment.Topology{Partitions: 1, Replicas: tt.replicas}, tt.retention)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Prepare(%d, %s) = %v, want %q", tt.replicas, tt.retention, err, tt.want)
			}
		})
	}
}

func TestRefusedMessagesAreTold(t *testing.T) {
	endpoints := embedded(t, nil)
	d := open(t, endpoints, technology.Settings{})
	prepare(t, d)
	p, acked := producer(t, d)
	js := direct(t, endpoints)

	stream, err := js.Stream(t.Context(), "orders")
	if err != nil {
		t.Fatal(err)
	}
	config := stream.CachedInfo().Config
	config.MaxMsgSize = 10
	if _, err := js.UpdateStream(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	send(t, p, "longer than ten bytes")
	if err := receive(t, acked); err == nil || !strings.Contains(err.Error(), "message size exceeds maximum allowed") {
		t.Errorf("acked(%v) of a message that is too large, want the server's reason", err)
	}
	if err := js.DeleteStream(t.Context(), "orders"); err != nil {
		t.Fatal(err)
	}
	send(t, p, "to nobody")
	if err := receive(t, acked); !errors.Is(err, natsgo.ErrNoResponders) {
		t.Errorf("acked(%v) without a stream, want %v", err, natsgo.ErrNoResponders)
	}
	large := technology.Message{Payload: make([]byte, 2<<20)}
	if err := p.Send(t.Context(), 1, large); !errors.Is(err, natsgo.ErrMaxPayload) {
		t.Errorf("Send() of 2 MiB = %v, want %v", err, natsgo.ErrMaxPayload)
	}
	if err := p.Flush(t.Context()); err != nil {
		t.Errorf("Flush() = %v, want no error: nothing is under way", err)
	}
}

// TestLostConnection takes the server away while a message waits for its
// acknowledgement, and brings it back.
func TestLostConnection(t *testing.T) {
	folder := t.TempDir()
	var port, monitor int
	start := func(t *testing.T) (*server.Server, json.RawMessage) {
		return startServer(t, func(o *server.Options) {
			o.StoreDir = folder
			if port != 0 {
				o.Port, o.HTTPPort = port, monitor
			}
		})
	}
	first, endpoints := start(t)
	port, monitor = portOf(t, first.Addr()), portOf(t, first.MonitorAddr())
	var reconnects atomic.Int64
	d := open(t, endpoints, technology.Settings{OnIncident: func(i experiment.Incident, n int) {
		if i != experiment.Reconnects {
			t.Errorf("the clients reported %d %s, want nothing but reconnects", n, i)
		}
		reconnects.Add(int64(n))
	}})
	prepare(t, d)
	p, acked := producer(t, d)
	received := make(chan string, 10)
	c, err := d.Consumer(t.Context(), "group", 0, func(m technology.Message) { received <- string(m.Payload) })
	if err != nil {
		t.Fatalf("Consumer() = %v, want no error", err)
	}
	defer c.Close()
	send(t, p, "before")
	if err := receive(t, acked); err != nil {
		t.Errorf("acked(%v), want no error", err)
	}
	if got := receive(t, received); got != "before" {
		t.Errorf("received %q, want before", got)
	}

	first.DisableJetStream() // from here on nobody acknowledges
	discardUnanswered(t, endpoints)
	send(t, p, "lost")
	first.Shutdown()
	first.WaitForShutdown()
	if err := receive(t, acked); !errors.Is(err, natsgo.ErrDisconnected) {
		t.Errorf("acked(%v) after the connection was lost, want %v", err, natsgo.ErrDisconnected)
	}

	start(t)
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for p.Send(t.Context(), 3, technology.Message{Payload: []byte("after"), Partition: 0}) != nil {
		<-ticker.C
	}
	for receive(t, acked) != nil { // JetStream comes up after the connection
		send(t, p, "after")
	}
	if got := receive(t, received); got != "after" {
		t.Errorf("received %q, want after", got)
	}
	if n := reconnects.Load(); n != 2 {
		t.Errorf("%d reconnects were reported, want 2: one of the producer, one of the consumer", n)
	}
}

// discardUnanswered takes all messages off the subjects without an answer.
func discardUnanswered(t *testing.T, endpoints json.RawMessage) {
	t.Helper()
	conn := connect(t, endpoints)
	if _, err := conn.Subscribe("orders.*.*", func(*natsgo.Msg) {}); err != nil {
		t.Fatal(err)
	}
	if err := conn.Flush(); err != nil {
		t.Fatal(err)
	}
}

// connect opens a connection beside the driver.
func connect(t *testing.T, endpoints json.RawMessage) *natsgo.Conn {
	t.Helper()
	var e struct{ Servers []string }
	if err := json.Unmarshal(endpoints, &e); err != nil {
		t.Fatal(err)
	}
	conn, err := natsgo.Connect(e.Servers[0])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	return conn
}

func direct(t *testing.T, endpoints json.RawMessage) jetstream.JetStream {
	t.Helper()
	js, err := jetstream.New(connect(t, endpoints))
	if err != nil {
		t.Fatal(err)
	}
	return js
}

func open(t *testing.T, endpoints json.RawMessage, s technology.Settings) technology.Driver {
	t.Helper()
	s.Destination = "orders"
	d, err := nats.Technology.Open(t.Context(), endpoints, s)
	if err != nil {
		t.Fatalf("Open() = %v, want no error", err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func prepare(t *testing.T, d technology.Driver) {
	t.Helper()
	if _, err := d.Prepare(t.Context(), experiment.Topology{Partitions: 1, Replicas: 1}, 1<<20); err != nil {
		t.Fatalf("Prepare() = %v, want no error", err)
	}
}

// producer returns a producer and the errors of its acknowledgements.
func producer(t *testing.T, d technology.Driver) (technology.Producer, <-chan error) {
	t.Helper()
	acked := make(chan error, 1000)
	p, err := d.Producer(t.Context(), 0, func(_ uint64, err error) { acked <- err })
	if err != nil {
		t.Fatalf("Producer(0) = %v, want no error", err)
	}
	t.Cleanup(func() { p.Close() })
	return p, acked
}

func send(t *testing.T, p technology.Producer, payload string) {
	t.Helper()
	if err := p.Send(t.Context(), 0, technology.Message{Payload: []byte(payload), Partition: 0}); err != nil {
		t.Fatalf("Send(%q) = %v, want no error", payload, err)
	}
}

// receive waits for one item.
func receive[T any](t *testing.T, from <-chan T) T {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	select {
	case item := <-from:
		return item
	case <-ctx.Done():
		t.Fatal("nothing came within 30 s")
		panic("not reached")
	}
}
