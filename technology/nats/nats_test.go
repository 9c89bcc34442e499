package nats_test

import (
	"encoding/json"
	"net"
	"net/url"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/technology"
	"dec.local/dec/technology/nats"
	"dec.local/dec/technology/technologytest"
)

// embedded starts a server inside this process and returns its endpoints.
func embedded(t *testing.T, change func(*server.Options)) json.RawMessage {
	t.Helper()
	_, endpoints := startServer(t, change)
	return endpoints
}

// startServer starts a server, with changed options unless change is nil.
func startServer(t *testing.T, change func(*server.Options)) (*server.Server, json.RawMessage) {
	t.Helper()
	options := &server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, HTTPHost: "127.0.0.1", HTTPPort: server.RANDOM_PORT,
		JetStream: true, StoreDir: t.TempDir(), NoLog: true, NoSigs: true,
	}
	if change != nil {
		change(options)
	}
	s, err := server.NewServer(options)
	if err != nil {
		t.Fatalf("start the embedded NATS server: %v", err)
	}
	s.Start()
	t.Cleanup(func() {
		s.Shutdown()
		s.WaitForShutdown()
	})
	if !s.ReadyForConnections(10 * time.Second) {
		t.Fatal("the embedded NATS server is not ready after 10 s")
	}
	monitor := url.URL{Scheme: "http", Host: s.MonitorAddr().String()}
	endpoints, err := json.Marshal(map[string]any{"servers": []string{s.ClientURL()}, "monitors": []string{monitor.String()}, "storage": "file"})
	if err != nil {
		t.Fatal(err)
	}
	return s, endpoints
}

// portOf returns the port of a listener's address.
func portOf(t *testing.T, address net.Addr) int {
	t.Helper()
	tcp, ok := address.(*net.TCPAddr)
	if !ok {
		t.Fatalf("address %v is not of TCP", address)
	}
	return tcp.Port
}

func TestConformanceAgainstEmbeddedServer(t *testing.T) {
	technologytest.Suite{Technology: nats.Technology, Endpoints: embedded(t, nil)}.Run(t)
}

func TestConformanceWithPositions(t *testing.T) {
	technologytest.Suite{Technology: nats.Technology, Endpoints: embedded(t, nil), Config: map[string]json.RawMessage{
		"consumer_ack": []byte(`"periodic"`), "ack_interval_ms": []byte("20"),
	}}.Run(t)
}

// TestConformanceWithLittlePrefetch asks for a few messages at a time, so that
// every test needs many pull requests, in pauses too.
func TestConformanceWithLittlePrefetch(t *testing.T) {
	for _, ack := range []string{"explicit", "none"} {
		t.Run(ack, func(t *testing.T) {
			technologytest.Suite{Technology: nats.Technology, Endpoints: embedded(t, nil), Config: map[string]json.RawMessage{
				"prefetch": []byte("3"), "max_ack_pending": []byte("3"), "consumer_ack": []byte(`"` + ack + `"`),
			}}.Run(t)
		})
	}
}

func TestConsumersAcknowledgeAsAsked(t *testing.T) {
	tests := map[string]struct {
		config string
		asked  string
		want   jetstream.AckPolicy
		told   string
	}{
		"each message unless asked":  {`{}`, "", jetstream.AckExplicitPolicy, "each message"},
		"each message":               {`{}`, "each", jetstream.AckExplicitPolicy, "each message"},
		"nothing":                    {`{}`, "none", jetstream.AckNonePolicy, "none"},
		"the position":               {`{"ack_interval_ms": 20}`, "periodic", jetstream.AckAllPolicy, "position every 20ms"},
		"the position, by a setting": {`{"consumer_ack": "periodic", "ack_interval_ms": 20}`, "", jetstream.AckAllPolicy, "position every 20ms"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var config map[string]json.RawMessage
			if err := json.Unmarshal([]byte(tt.config), &config); err != nil {
				t.Fatal(err)
			}
			endpoints := embedded(t, nil)
			d := open(t, endpoints, technology.Settings{ClientConfig: config, Workload: experiment.Workload{Client: experiment.Client{ConsumerAck: tt.asked}}})
			have, err := d.Prepare(t.Context(), experiment.Topology{Partitions: 1, Replicas: 1}, 1<<20)
			if err != nil || have.Clients[experiment.ConsumerAck] != tt.told {
				t.Errorf("Prepare() = %v, %v, want %q", have.Clients, err, tt.told)
			}
			received := make(chan string, 100)
			c, err := d.Consumer(t.Context(), "group", 0, func(m technology.Message) { received <- string(m.Payload) })
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			p, _ := producer(t, d)
			for range 10 {
				send(t, p, "m")
			}
			for range 10 {
				receive(t, received)
			}
			consumer, err := direct(t, endpoints).Consumer(t.Context(), "orders", "group-0")
			if err != nil {
				t.Fatal(err)
			}
			if got := consumer.CachedInfo().Config.AckPolicy; got != tt.want {
				t.Errorf("ack policy = %v, want %v", got, tt.want)
			}
			for tt.want != jetstream.AckNonePolicy { // until the server knows of all ten
				info, err := consumer.Info(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if info.AckFloor.Stream == 10 && info.NumAckPending == 0 {
					break
				}
			}
		})
	}
}

func TestPartitionsOfOneStreamAreTold(t *testing.T) {
	endpoints := embedded(t, nil)
	for partitions, want := range map[int]string{
		1: "",
		4: "NATS JetStream has no partitions. The 4 of the workload are subjects of one stream: they keep order and share the reading, " +
			"but one leader writes them all, into one log.",
	} {
		topology := experiment.Topology{Partitions: partitions, Replicas: 1}
		d := open(t, endpoints, technology.Settings{Workload: experiment.Workload{Topology: topology}})
		got, err := d.Prepare(t.Context(), topology, 1<<20)
		if err != nil || got.Nature != want {
			t.Errorf("Prepare() of %d partitions = %v, nature %q, want %q", partitions, err, got.Nature, want)
		}
	}
}
