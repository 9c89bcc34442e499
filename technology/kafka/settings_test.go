package kafka_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/technology"
	"dec.local/dec/technology/kafka"
)

func TestCheckConfig(t *testing.T) {
	tests := map[string]struct {
		config   string
		workload experiment.Workload
		want     string // "" for no error
	}{
		"every setting at once": {config: `{"acks": "all", "idempotence": true, "linger_ms": 0, "batch_max_bytes": 1024, "compression": "zstd",
			"delivery_timeout_ms": 1000, "fetch_min_bytes": 1, "fetch_max_wait_ms": 1, "fetch_max_bytes": 1024, "fetch_max_partition_bytes": 1024, "commit_interval_ms": 0}`},
		"leader without idempotence asked for": {config: `{"acks": "leader"}`},
		"idempotence needs all": {config: `{"acks": "leader", "idempotence": true}`,
			want: "client_config.idempotence: requires acks: all: set that, or remove idempotence"},
		"fewer acks than required": {config: `{"acks": "leader"}`, workload: experiment.Workload{Require: experiment.Require{ProducerAck: "all"}},
			want: "client_config.acks: is leader, but the workload requires at least all: set acks: all, or lower workload.require.producer_ack"},
		"more acks than required": {config: `{"acks": "all"}`, workload: experiment.Workload{Require: experiment.Require{ProducerAck: "leader"}}},
		"no acks but a safe disk": {config: `{"acks": "none"}`, workload: experiment.Workload{Require: experiment.Require{Durability: "page_cache"}},
			want: "client_config.acks: is none, which guarantees no durability, but the workload requires page_cache: set acks: all"},
		"a message larger than a batch": {config: `{"batch_max_bytes": 4096}`, workload: experiment.Workload{Message: experiment.Message{Size: experiment.Size{Min: 100, Max: 4000}}},
			want: "client_config.batch_max_bytes: is 4096, but a batch must hold the workload's largest message: use at least 4256"},
		"what all clients do alike": {config: `{}`, workload: common(`{"batch_max_delay": "0s", "batch_max_bytes": "64KiB", "compression": "lz4"}`)},
		"a delay that is given twice": {config: `{"linger_ms": 5}`, workload: common(`{"batch_max_delay": "0s"}`),
			want: "client_config.linger_ms: is given twice, here and as workload.client.batch_max_delay: remove one of them"},
		"a delay between two steps": {config: `{}`, workload: common(`{"batch_max_delay": "1500us"}`),
			want: "workload.client.batch_max_delay is 1.5ms, but linger_ms counts in steps of 1ms: round it"},
		"a common size that is too small for a message": {config: `{}`, workload: func() experiment.Workload {
			w := common(`{"batch_max_bytes": "4096B"}`)
			w.Message.Size = experiment.Size{Min: 100, Max: 4000}
			return w
		}(), want: "client_config.batch_max_bytes: is 4096, but a batch must hold the workload's largest message: use at least 4256"},
		"consumers that acknowledge nothing": {config: `{}`, workload: common(`{"consumer_ack": "none"}`)},
		"consumers that acknowledge each message": {config: `{}`, workload: common(`{"consumer_ack": "each"}`),
			want: "consumers of Kafka cannot acknowledge in this way, so workload.client.consumer_ack must be none or periodic, not each"},
		"a way to acknowledge that is given twice": {config: `{"commit_interval_ms": 5000}`, workload: common(`{"consumer_ack": "none"}`),
			want: "client_config.commit_interval_ms: is given twice, here and as workload.client.consumer_ack: remove one of them"},
		"an unknown codec": {config: `{"compression": "brotli"}`,
			want: `client_config.compression: must be one of none, gzip, snappy, lz4, zstd, not "brotli"`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var config map[string]json.RawMessage
			if err := json.Unmarshal([]byte(tt.config), &config); err != nil {
				t.Fatal(err)
			}
			got := ""
			if err := kafka.Technology.CheckConfig(config, tt.workload); err != nil {
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

func TestOpenRefusesWrongEndpoints(t *testing.T) {
	for _, endpoints := range []string{`{}`, `{"bootstrap": []}`, `[1]`} {
		if _, err := kafka.Technology.Open(t.Context(), json.RawMessage(endpoints), technology.Settings{}); err == nil {
			t.Errorf("Open(%s) = nil, want an error", endpoints)
		}
	}
}

func TestOpenWaitsForEveryBroker(t *testing.T) {
	one := fake(t, kfake.NumBrokers(1))
	two := json.RawMessage(strings.Replace(string(one), "[", `["127.0.0.1:1",`, 1))
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	_, err := kafka.Technology.Open(ctx, two, technology.Settings{Destination: "topic"})
	if err == nil || !strings.Contains(err.Error(), "1 of 2 brokers have joined") {
		t.Errorf("Open() with one broker of two = %v, want it to say how many have joined", err)
	}
}

func TestPrepareSaysHowManyBrokersThereAre(t *testing.T) {
	d := open(t, fake(t, kfake.NumBrokers(1)), nil)
	_, err := d.Prepare(t.Context(), experiment.Topology{Partitions: 1, Replicas: 3}, 0)
	if err == nil || !strings.Contains(err.Error(), "workload.topology.replicas is 3, but the cluster has 1 brokers") {
		t.Errorf("Prepare() of 3 replicas on one broker = %v, want it to say so", err)
	}
}

func TestOtherAcknowledgementsAreTold(t *testing.T) {
	endpoints := fake(t, kfake.NumBrokers(1))
	for _, acks := range []string{"leader", "none"} {
		t.Run(acks, func(t *testing.T) {
			config, err := json.Marshal(acks)
			if err != nil {
				t.Fatal(err)
			}
			d := open(t, endpoints, map[string]json.RawMessage{"acks": config, "compression": []byte(`"lz4"`)})
			effective, err := d.Prepare(t.Context(), experiment.Topology{Partitions: 4, Replicas: 1}, 0)
			if err != nil || effective.ProducerAck != acks || effective.Details["compression"] != "lz4" {
				t.Errorf("Prepare() = %+v, %v, want producer_ack %s and compression lz4", effective, err, acks)
			}
			sendSome(t, d, 100)
		})
	}
}
