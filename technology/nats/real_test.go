package nats_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/technology"
	"dec.local/dec/technology/nats"
	"dec.local/dec/technology/technologytest"
)

func TestConformanceAgainstOneServer(t *testing.T) {
	endpoints := technologytest.Start(t, "nats", "jetstream", nil)
	technologytest.Suite{Technology: nats.Technology, Endpoints: endpoints, Alone: true}.Run(t)
}

func TestConformanceAgainstThreeServers(t *testing.T) {
	endpoints := technologytest.Start(t, "nats", "jetstream", map[string]any{"servers": 3})
	technologytest.Suite{Technology: nats.Technology, Endpoints: endpoints, Replicas: 3, Alone: true}.Run(t)
}

// every is when a server calls fsync at the earliest: after half of its interval.
func every(half time.Duration) *experiment.Fsync { return &experiment.Fsync{AfterNS: int64(half)} }

func TestGuaranteesOfARealServer(t *testing.T) {
	tests := map[string]struct {
		options map[string]any
		want    experiment.Effective
		sync    string
	}{
		"the page cache acknowledges by default": {
			want: experiment.Effective{ProducerAck: "all", Durability: "page_cache", Replicas: 1, MinInSync: 1, WaitedFor: new(1), Zones: 1, Fsync: every(time.Minute)},
			sync: "2m",
		},
		"another interval is told": {
			options: map[string]any{"sync_interval": "500ms"},
			want:    experiment.Effective{ProducerAck: "all", Durability: "page_cache", Replicas: 1, MinInSync: 1, WaitedFor: new(1), Zones: 1, Fsync: every(250 * time.Millisecond)},
			sync:    "500ms",
		},
		"always is an fsync before the acknowledgement": {
			options: map[string]any{"sync_interval": "always"},
			want:    experiment.Effective{ProducerAck: "all", Durability: "fsync_before_ack", Replicas: 1, MinInSync: 1, WaitedFor: new(1), Zones: 1},
			sync:    "always",
		},
		"memory is memory whatever the interval": {
			options: map[string]any{"sync_interval": "always", "storage": "memory"},
			want:    experiment.Effective{ProducerAck: "all", Durability: "memory", Replicas: 1, MinInSync: 1, WaitedFor: new(1), Zones: 1},
			sync:    "always",
		},
		"a majority of three copies acknowledges": {
			options: map[string]any{"sync_interval": "always", "servers": 3},
			want:    experiment.Effective{ProducerAck: "all", Durability: "fsync_before_ack", Replicas: 3, MinInSync: 2, WaitedFor: new(2), Zones: 1},
			sync:    "always",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			d, err := nats.Technology.Open(t.Context(), technologytest.Start(t, "nats", "jetstream", tt.options), technology.Settings{Destination: "orders"})
			if err != nil {
				t.Fatalf("Open() = %v, want no error", err)
			}
			defer d.Close()
			got, err := d.Prepare(t.Context(), experiment.Topology{Partitions: 2, Replicas: tt.want.Replicas}, 64<<20)
			if err != nil {
				t.Fatalf("Prepare() = %v, want no error", err)
			}
			if diff := cmp.Diff(tt.want, got, cmpopts.IgnoreFields(experiment.Effective{}, "Details", "Raise", "Clients", "Incidents")); diff != "" {
				t.Errorf("Prepare() (-want +got):\n%s", diff)
			}
			if got.Details["sync_interval"] != tt.sync || got.Details["version"] != "2.15.2" {
				t.Errorf("Prepare() details = %v, want sync_interval %s of version 2.15.2", got.Details, tt.sync)
			}
		})
	}
}
