package kinesis_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/technology"
	"dec.local/dec/technology/kinesis"
)

func TestCheckConfig(t *testing.T) {
	tests := map[string]struct {
		config   string
		workload experiment.Workload
		want     string // "" for no error
	}{
		"every setting at once": {config: `{"linger_ms": 0, "batch_max_records": 1, "batch_max_bytes": 1024, "requests_per_shard": 2, "strict_order": false, "request_timeout_ms": 100,
			"delivery_timeout_ms": 100, "retry_backoff_ms": 1, "retry_backoff_max_ms": 1, "poll_interval_ms": 1, "poll_max_records": 1}`},
		"more records than Kinesis takes at once": {config: `{"batch_max_records": 501}`,
			want: "client_config.batch_max_records: must be a whole number from 1 to 500, not 501"},
		"a message larger than a batch": {config: `{"batch_max_bytes": 4096}`, workload: experiment.Workload{Message: experiment.Message{Size: experiment.Size{Min: 100, Max: 4096}}},
			want: "client_config.batch_max_bytes: is 4096, but a request must hold the workload's largest message: use at least 4128"},
		"a message larger than a record": {config: `{}`, workload: experiment.Workload{Message: experiment.Message{Size: experiment.Size{Min: 100, Max: 1 << 20}}},
			want: "a Kinesis record has at most 1 MiB with its key, but the workload's largest message has 1MiB: lower workload.message.size to at most 1048544"},
		"a shorter longest pause than the first": {config: `{"retry_backoff_ms": 100, "retry_backoff_max_ms": 99}`,
			want: "client_config.retry_backoff_max_ms: is 99, but must be at least retry_backoff_ms, 100"},
		"consumers that acknowledge nothing": {config: `{}`, workload: experiment.Workload{Client: experiment.Client{ConsumerAck: "none"}}},
		"consumers that acknowledge": {config: `{}`, workload: experiment.Workload{Client: experiment.Client{ConsumerAck: "periodic"}},
			want: "consumers of Kinesis cannot acknowledge in this way, so workload.client.consumer_ack must be none, not periodic"},
		"a first pause above the default longest one": {config: `{"retry_backoff_ms": 2000}`},
		"more copies than Kinesis keeps": {config: `{}`, workload: experiment.Workload{Require: experiment.Require{Replicas: 4}},
			want: "Kinesis keeps 3 copies, one in each of 3 zones, but the workload asks for 4: lower workload.topology.replicas and workload.require.replicas"},
		"as many copies as Kinesis keeps": {config: `{}`, workload: experiment.Workload{Topology: experiment.Topology{Replicas: 3}, Require: experiment.Require{Replicas: 3}}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var config map[string]json.RawMessage
			if err := json.Unmarshal([]byte(tt.config), &config); err != nil {
				t.Fatal(err)
			}
			got := ""
			if err := kinesis.Technology.CheckConfig(config, tt.workload); err != nil {
				got = err.Error()
			}
			if got != tt.want {
				t.Errorf("CheckConfig(%s) = %q, want %q", tt.config, got, tt.want)
			}
		})
	}
}

func TestOpenRefuses(t *testing.T) {
	tests := map[string]struct{ endpoints, destination string }{
		"no region":                        {`{"endpoint": "http://127.0.0.1:1"}`, "orders"},
		"consumers of an unknown kind":     {`{"region": "us-east-1", "consumers": "push"}`, "orders"},
		"capacity of an unknown kind":      {`{"region": "us-east-1", "capacity": "some"}`, "orders"},
		"an emulator without its endpoint": {`{"region": "us-east-1", "emulator": "kinesalite 3.3.3"}`, "orders"},
		"something else":                   {`[1]`, "orders"},
		"a destination with a slash":       {`{"region": "us-east-1", "endpoint": "http://127.0.0.1:1", "emulator": "x"}`, "a/b"},
		"no destination":                   {`{"region": "us-east-1", "endpoint": "http://127.0.0.1:1", "emulator": "x"}`, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := kinesis.Technology.Open(t.Context(), json.RawMessage(tt.endpoints), technology.Settings{Destination: tt.destination}); err == nil {
				t.Errorf("Open(%s, %q) = nil, want an error", tt.endpoints, tt.destination)
			}
		})
	}
}

// openAWS opens a driver that takes the fake for AWS.
func openAWS(t *testing.T, f *fakeKinesis, endpoints string) technology.Driver {
	t.Helper()
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
		"HTTP_PROXY": "http://127.0.0.1:1", "HTTPS_PROXY": "http://127.0.0.1:1",
	} {
		t.Setenv(name, value)
	}
	raw := fmt.Appendf(nil, `{"region": "eu-central-1", "endpoint": %q, %s}`, f.server.URL, endpoints)
	d, err := kinesis.Technology.Open(t.Context(), raw, technology.Settings{Destination: "destination"})
	if err != nil {
		t.Fatalf("Open() = %v, want no error", err)
	}
	t.Cleanup(func() { shut(t, d) })
	return d
}

func TestGuaranteesOfAWS(t *testing.T) {
	f := startFake(t, 2)
	d := openAWS(t, f, `"stream": "orders", "consumers": "enhanced_fan_out"`)
	got, err := d.Prepare(t.Context(), experiment.Topology{Partitions: 2, Replicas: 1, ConsumerGroups: 20}, 1<<30)
	if err != nil {
		t.Fatalf("Prepare() = %v, want no error", err)
	}
	want := experiment.Effective{ProducerAck: "all", Durability: "page_cache", Replicas: 3, MinInSync: 3, WaitedFor: new(3), Zones: 3}
	want.Incidents = []experiment.Incident{experiment.ThrottledWrites, experiment.ThrottledReads, experiment.RetriedSends, experiment.Reconnects}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(experiment.Effective{}, "Details", "Clients")); diff != "" {
		t.Errorf("Prepare() (-want +got):\n%s", diff)
	}
	for name, want := range map[string]string{
		"shards": "2", "retention_hours": "24", "encryption": "KMS", "capacity": "provisioned", "consumers": "enhanced_fan_out", "account_shard_limit": "500", "strict_order": "true",
	} {
		if got.Details[name] != want {
			t.Errorf("Details[%s] = %q, want %s", name, got.Details[name], want)
		}
	}
	if f.called("CreateStream") != 0 {
		t.Error("Prepare() created a stream, want it to use that of the stack")
	}
}

func TestGuaranteesOfAnEmulator(t *testing.T) {
	d := connect(t, startFake(t, 0), setup{groups: 3}).driver
	got, err := d.Prepare(t.Context(), experiment.Topology{Partitions: 2, Replicas: 1}, 0)
	if err != nil {
		t.Fatalf("Prepare() = %v, want no error", err)
	}
	want := experiment.Effective{ProducerAck: "all", Durability: "memory", Replicas: 1, MinInSync: 1, WaitedFor: new(1), Zones: 1, Emulator: "fake 1.0"}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(experiment.Effective{}, "Details", "Nature", "Clients", "Incidents")); diff != "" {
		t.Errorf("Prepare() (-want +got):\n%s", diff)
	}
	if !strings.Contains(got.Nature, "three Availability Zones") {
		t.Errorf("Nature = %q, want what Kinesis itself guarantees", got.Nature)
	}
	for name, want := range map[string]string{"poll_interval_ms": "600", "limits": "none enforced", "version": "fake 1.0"} {
		if got.Details[name] != want {
			t.Errorf("Details[%s] = %q, want %s", name, got.Details[name], want)
		}
	}
}

func TestPrepareRefuses(t *testing.T) {
	tests := map[string]struct {
		endpoints string
		topology  experiment.Topology
		want      string
	}{
		"a stream with other shards":      {`"stream": "orders"`, experiment.Topology{Partitions: 3}, "it already exists with 2 partitions, not 3: use another destination"},
		"another number of on-demand":     {`"stream": "orders", "capacity": "on_demand"`, experiment.Topology{Partitions: 3}, "set workload.topology.partitions: 2"},
		"copies of an emulator":           {`"emulator": "fake 1.0"`, experiment.Topology{Partitions: 2, Replicas: 3}, "but the emulator fake 1.0 keeps one copy: set it to 1, or use AWS"},
		"more copies than there are":      {`"stream": "orders"`, experiment.Topology{Partitions: 2, Replicas: 4}, "workload.topology.replicas is 4, but Kinesis keeps 3 copies"},
		"more groups with their own pipe": {`"stream": "orders", "consumers": "enhanced_fan_out"`, experiment.Topology{Partitions: 2, ConsumerGroups: 21}, "at most 20 consumers with enhanced fan-out"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			d := openAWS(t, startFake(t, 2), tt.endpoints)
			_, err := d.Prepare(t.Context(), tt.topology, 0)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Prepare(%+v) = %v, want %q", tt.topology, err, tt.want)
			}
		})
	}
}

// TestPrepareWaitsForTheStream has a stack whose stream is still in the making,
// and a role whose rights have not reached every server.
func TestPrepareWaitsForTheStream(t *testing.T) {
	f := startFake(t, 1)
	f.refuse = func(call fakeCall) *refusal {
		switch {
		case call.Operation == "DescribeStreamSummary" && call.N == 1:
			return &refusal{http.StatusBadRequest, "AccessDeniedException"}
		case call.Operation == "DescribeStreamSummary" && call.N < 5:
			return notFound
		case call.Operation == "ListShards" && call.N == 1:
			return &refusal{http.StatusBadRequest, "LimitExceededException"}
		}
		return nil
	}
	d := openAWS(t, f, `"stream": "orders"`)
	if _, err := d.Prepare(t.Context(), experiment.Topology{Partitions: 1}, 0); err != nil {
		t.Errorf("Prepare() = %v, want no error", err)
	}
}

func TestOpenSaysWhyKinesisDoesNotAnswer(t *testing.T) {
	f := startFake(t, 1)
	f.refuse = always("DescribeStreamSummary", &refusal{http.StatusBadRequest, "UnrecognizedClientException"})
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err := kinesis.Technology.Open(ctx, f.endpoints("polling"), technology.Settings{Destination: "orders"})
	if err == nil || !strings.Contains(err.Error(), "UnrecognizedClientException") || !strings.Contains(err.Error(), f.server.URL) {
		t.Errorf("Open() = %v, want the address and the reason", err)
	}
}

// TestConsumerSaysWhyItHasNoPosition asks an emulator without enhanced fan-out
// for it.
func TestConsumerSaysWhyItHasNoPosition(t *testing.T) {
	f := startFake(t, 1)
	f.refuse = always("RegisterStreamConsumer", &refusal{http.StatusBadRequest, "UnknownOperationException"})
	b := connect(t, f, setup{consumers: "enhanced_fan_out"})
	_, err := b.driver.Consumer(t.Context(), "group", 0, func(technology.Message) {})
	if err == nil || !strings.Contains(err.Error(), "UnknownOperationException") {
		t.Errorf("Consumer() = %v, want the reason", err)
	}
}
