package kafka_test

import (
	"context"
	"encoding/json"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/technology"
	"dec.local/dec/technology/kafka"
	"dec.local/dec/technology/technologytest"
)

func TestConformanceAgainstOneBroker(t *testing.T) {
	endpoints := technologytest.Start(t, "kafka", "kraft", nil)
	technologytest.Suite{Technology: kafka.Technology, Endpoints: endpoints, Alone: true}.Run(t)
}

func TestConformanceAgainstThreeBrokers(t *testing.T) {
	endpoints := run(t, map[string]any{"brokers": 3, "min_insync_replicas": 2}).Endpoints
	technologytest.Suite{Technology: kafka.Technology, Endpoints: endpoints, Replicas: 3, Alone: true}.Run(t)
}

// formatted are the feature levels that StorageTool of Kafka 4.4.0 writes; a
// broker that starts without a checkpoint has the first one only.
var formatted = map[string]string{
	"feature.metadata.version":                 "33",
	"feature.eligible.leader.replicas.version": "1",
	"feature.group.version":                    "1",
	"feature.share.version":                    "2",
	"feature.streams.version":                  "1",
	"feature.transaction.version":              "2",
}

func TestGuaranteesOfARealBroker(t *testing.T) {
	endpoints := run(t, map[string]any{"flush_messages": 1}).Endpoints
	tests := map[string]struct {
		config map[string]json.RawMessage
		want   experiment.Effective
	}{
		"each message is flushed before all acknowledge": {
			want: experiment.Effective{ProducerAck: "all", Durability: "fsync_before_ack", Replicas: 1, MinInSync: 1, WaitedFor: new(1), Zones: 1},
		},
		"the leader alone flushes too": {
			config: map[string]json.RawMessage{"acks": []byte(`"leader"`)},
			want:   experiment.Effective{ProducerAck: "leader", Durability: "fsync_before_ack", Replicas: 1, MinInSync: 1, WaitedFor: new(1), Zones: 1},
		},
		"without acknowledgement nothing is promised": {
			config: map[string]json.RawMessage{"acks": []byte(`"none"`)},
			want:   experiment.Effective{ProducerAck: "none", Durability: "memory", Replicas: 1, MinInSync: 0, WaitedFor: new(0), Zones: 1},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			d := open(t, endpoints, tt.config)
			got, err := d.Prepare(t.Context(), experiment.Topology{Partitions: 4, Replicas: 1}, 1<<30)
			if err != nil {
				t.Fatalf("Prepare() = %v, want no error", err)
			}
			if diff := cmp.Diff(tt.want, got, cmpopts.IgnoreFields(experiment.Effective{}, "Details", "Raise", "Clients", "Incidents")); diff != "" {
				t.Errorf("Prepare() (-want +got):\n%s", diff)
			}
			features := map[string]string{}
			for name, level := range got.Details {
				if strings.HasPrefix(name, "feature.") {
					features[name] = level
				}
			}
			if diff := cmp.Diff(formatted, features); diff != "" {
				t.Errorf("feature levels of the broker (-formatted +got):\n%s", diff)
			}
			for name, want := range map[string]string{"flush.messages": "1", "retention.bytes": "268435456", "segment.bytes": "1073741824"} {
				if got.Details[name] != want {
					t.Errorf("Details[%s] = %q, want %s", name, got.Details[name], want)
				}
			}
			sendSome(t, d, 300)
		})
	}
}

func TestSegmentsAreSmallOnlyForALoadThatOutgrowsItsRetention(t *testing.T) {
	load := func(rate float64) experiment.Workload {
		return experiment.Workload{
			Load: experiment.Load{Rate: rate}, Message: experiment.Message{Size: experiment.Size{Min: 1000, Max: 1000}},
			Stages: experiment.Stages{Measure: experiment.Duration(100 * time.Second)}, Retention: 1 << 30,
		}
	}
	tests := map[string]struct {
		rate    float64 // messages of 1 kB for 100 s
		details map[string]string
		nature  string
		fsync   *experiment.Fsync
	}{
		"it does not": {10_000, map[string]string{
			"retention.bytes": "268435456", "segment.bytes": "1073741824",
			"log.retention.check.interval.ms": "300000", "log.segment.delete.delay.ms": "60000",
		}, "", &experiment.Fsync{AfterBytes: 1 << 30}},
		"it does": {
			11_000, map[string]string{
				"retention.bytes": "268435456", "segment.bytes": "67108864",
				"log.retention.check.interval.ms": "5000", "log.segment.delete.delay.ms": "1000",
			},
			"Kafka did not run by its own settings: the load writes more than the retention holds, so DEC set segment.bytes to 64MiB " +
				"and let the brokers look for what to delete every 5000 ms (Kafka's own: 1GiB, 300000 ms).",
			&experiment.Fsync{AfterBytes: 64 << 20},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := load(tt.rate)
			endpoints := run(t, map[string]any{"topology": map[string]any{"outgrows": w.Outgrows()}}).Endpoints
			got, err := openWith(t, endpoints, technology.Settings{Workload: w}).Prepare(t.Context(), experiment.Topology{Partitions: 4, Replicas: 1}, w.Retention)
			if err != nil {
				t.Fatalf("Prepare() = %v, want no error", err)
			}
			for name, want := range tt.details {
				if got.Details[name] != want {
					t.Errorf("Details[%s] = %q, want %s", name, got.Details[name], want)
				}
			}
			if got.Nature != tt.nature {
				t.Errorf("Nature = %q, want %q", got.Nature, tt.nature)
			}
			if diff := cmp.Diff(tt.fsync, got.Fsync); diff != "" {
				t.Errorf("Fsync (-want +got):\n%s", diff)
			}
		})
	}
}

// run starts brokers that are soon ready: compiled once and with a small heap.
func run(t *testing.T, options map[string]any, changes ...func(string, *technologytest.Service)) *technologytest.Cluster {
	t.Helper()
	small := map[string]any{"heap": "256m"}
	maps.Copy(small, options)
	return technologytest.StartCluster(t, "kafka", "kraft", small, func(name string, s *technologytest.Service) {
		s.Files["jvm.options"] += "-XX:TieredStopAtLevel=1\n"
		for _, change := range changes {
			change(name, s)
		}
	})
}

// open opens a driver whose destination is the test's own.
func open(t *testing.T, endpoints json.RawMessage, config map[string]json.RawMessage) technology.Driver {
	t.Helper()
	return openWith(t, endpoints, technology.Settings{ClientConfig: config})
}

// openWith is open with more settings.
func openWith(t *testing.T, endpoints json.RawMessage, s technology.Settings) technology.Driver {
	t.Helper()
	if s.Destination == "" {
		s.Destination = strings.Map(slug, t.Name())
	}
	if s.Workload.Topology.Partitions == 0 {
		s.Workload.Topology.Partitions = 4
	}
	d, err := kafka.Technology.Open(t.Context(), endpoints, s)
	if err != nil {
		t.Fatalf("Open() = %v, want no error", err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func slug(r rune) rune {
	if r == '/' || r == '_' {
		return '-'
	}
	return r
}

// sendSome wants n messages acknowledged.
func sendSome(t *testing.T, d technology.Driver, n int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	acked := make(chan error, n)
	p, err := d.Producer(ctx, 0, func(_ uint64, err error) { acked <- err })
	if err != nil {
		t.Fatalf("Producer(0) = %v, want no error", err)
	}
	defer p.Close()
	for i := range n {
		if err := p.Send(ctx, uint64(i), technology.Message{Payload: []byte("x"), Partition: technology.AnyPartition}); err != nil {
			t.Fatalf("Send() = %v, want no error", err)
		}
	}
	if err := p.Flush(ctx); err != nil {
		t.Fatalf("Flush() = %v, want no error", err)
	}
	for range n {
		if err := <-acked; err != nil {
			t.Errorf("acked(%v), want no error", err)
		}
	}
}
