package comparison_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dec.local/dec/internal/comparison"
	"dec.local/dec/internal/comparison/comparisontest"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
)

// fairnessOf compares kafka and nats whose brokers reported these guarantees.
func fairnessOf(t *testing.T, kafka, nats string) comparison.Fairness {
	t.Helper()
	p := comparisontest.Plan(t)
	var all []experiment.Run
	for n, variant := range experiment.Order(p) {
		result := comparisontest.Shape{Median: time.Millisecond, Spread: 0.4, Samples: 2000, Rate: 2000}.Result(t, uint64(300+n), "")
		result.Guarantees = json.RawMessage(map[string]string{"kafka": kafka, "nats": nats}[variant])
		all = append(all, comparisontest.Finished(t, n, variant, result))
	}
	return comparisontest.Compare(t, comparisontest.Set(t, experiment.Experiment{ID: "e1", Plan: p}, all)).Fairness
}

func TestWhatWouldMakeGuaranteesEqual(t *testing.T) {
	const base = `"producer_ack":"all","durability":"page_cache","replicas":1,"min_in_sync":1,"zones":1`
	const raise = `,"raise":{"replicas":"brokers: {want} and workload.topology.replicas: {want}","producer_ack":"client_config acks: {want}","durability":"flush_messages: 1"}`
	tests := map[string]struct {
		kafka, nats string
		want        []string
	}{
		"alike": {`{` + base + `}`, `{` + base + raise + `}`, []string{}},
		"the lower one can be raised": {
			`{` + base + raise + `}`, `{"producer_ack":"all","durability":"page_cache","replicas":3,"min_in_sync":1,"zones":1}`,
			[]string{"copies of a message: kafka 1, nats 3. To make them equal: kafka with brokers: 3 and workload.topology.replicas: 3."},
		},
		"the lower one has no way": {
			`{"producer_ack":"all","durability":"page_cache","replicas":3,"min_in_sync":1,"zones":1}`, `{` + base + `}`,
			[]string{"copies of a message: kafka 3, nats 1. No stronger setting exists for nats."},
		},
		"words are ordered, too": {
			`{"producer_ack":"leader","durability":"page_cache","replicas":1,"min_in_sync":1,"zones":1` + raise + `}`,
			`{"producer_ack":"all","durability":"fsync_before_ack","replicas":1,"min_in_sync":1,"zones":1}`,
			[]string{
				"acknowledged by: kafka leader, nats all. To make them equal: kafka with client_config acks: all.",
				"durability at acknowledgement: kafka page cache, nats fsync before ack. To make them equal: kafka with flush_messages: 1.",
			},
		},
		"a value that the scale does not know": {
			`{"producer_ack":"quorum","durability":"page_cache","replicas":1,"min_in_sync":1,"zones":1` + raise + `}`, `{` + base + raise + `}`,
			[]string{"acknowledged by: kafka quorum, nats all."},
		},
		"places that fail independently": {
			`{"producer_ack":"all","durability":"page_cache","replicas":1,"min_in_sync":1,"zones":3}`, `{` + base + `}`,
			[]string{"failure domains: kafka 3, nats 1. No stronger setting exists for nats."},
		},
		"copies waited for though not required": {
			`{"producer_ack":"all","durability":"page_cache","replicas":3,"min_in_sync":2,"waited_for":3,"zones":1}`,
			`{"producer_ack":"all","durability":"page_cache","replicas":3,"min_in_sync":2,"waited_for":2,"zones":1,"raise":{"waited_for":"replicas: 5"}}`,
			[]string{"copies waited for when all are in sync: kafka 3, nats 2. To make them equal: nats with replicas: 5."},
		},
		"copies waited for of which one result does not tell": {
			`{` + base + `,"waited_for":1}`, `{` + base + `}`, []string{},
		},
		"clients that wait for batches": {
			`{` + base + `,"clients":{"batch_max_delay":"5ms","batch_max_bytes":"128KiB","compression":"none"}}`,
			`{` + base + `,"clients":{"batch_max_delay":"0s","batch_max_bytes":"1 message","compression":"none"}}`,
			[]string{"batching delay of producers: kafka 5ms, nats 0s. To make them equal: kafka with workload.client.batch_max_delay: 0s."},
		},
		"clients that do what they do by nature": {
			`{` + base + `,"clients":{"batch_max_delay":"0s","batch_max_bytes":"128KiB","prefetch":"50MiB per fetch"}}`,
			`{` + base + `,"clients":{"batch_max_delay":"0s","batch_max_bytes":"1 message","prefetch":"5000 messages"}}`,
			[]string{},
		},
		"consumers that acknowledge in different ways": {
			`{` + base + `,"clients":{"consumer_ack":"position every 5s"}}`, `{` + base + `,"clients":{"consumer_ack":"each message"}}`,
			[]string{"acknowledgement by consumers: kafka position every 5s, nats each message. To make them equal: " +
				"kafka with workload.client.consumer_ack: none; nats with workload.client.consumer_ack: none."},
		},
		"clients of which one is from before their settings were told": {
			`{` + base + `}`, `{` + base + `,"clients":{"batch_max_delay":"0s"}}`, []string{},
		},
		"encryption that no plan makes equal": {
			`{` + base + `,"clients":{"encryption":"TLS"}}`, `{` + base + `,"clients":{"encryption":"none"}}`,
			[]string{"encryption of connections: kafka TLS, nats none."},
		},
		"a result from before places were read": {
			`{"producer_ack":"all","durability":"page_cache","replicas":1,"min_in_sync":1}`, `{` + base + `}`, []string{},
		},
		"a result from before it was known how to raise": {
			`{"producer_ack":"all","durability":"page_cache","replicas":1,"min_in_sync":1}`, `{"producer_ack":"all","durability":"page_cache","replicas":2,"min_in_sync":1,"zones":1}`,
			[]string{"copies of a message: kafka 1, nats 2."},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := fairnessOf(t, tt.kafka, tt.nats)
			if diff := cmp.Diff(tt.want, f.Differences); diff != "" {
				t.Errorf("differences (-want +got):\n%s", diff)
			}
			if len(f.Unequal) != len(tt.want) || !f.Known {
				t.Errorf("%d inequalities, known %v, want %d", len(f.Unequal), f.Known, len(tt.want))
			}
		})
	}
}

func TestTheLabelTellsWhatDiffers(t *testing.T) {
	const clients = `{"producer_ack":"all","durability":"page_cache","replicas":%s,"min_in_sync":1,"zones":1,"clients":{"batch_max_delay":%q}}`
	for want, of := range map[string][4]string{
		"same guarantees":                         {"1", "0s", "1", "0s"},
		"same guarantees, client settings differ": {"1", "5ms", "1", "0s"},
		"guarantees differ":                       {"3", "0s", "1", "0s"},
		"guarantees and client settings differ":   {"3", "5ms", "1", "0s"},
	} {
		f := fairnessOf(t, fmt.Sprintf(clients, of[0], of[1]), fmt.Sprintf(clients, of[2], of[3]))
		if f.Label != want {
			t.Errorf("label of %q = %q, want %q", of, f.Label, want)
		}
	}
}

func TestInequalityCanBeLaidOut(t *testing.T) {
	f := fairnessOf(t,
		`{"producer_ack":"all","durability":"page_cache","replicas":1,"min_in_sync":1,"zones":1,"raise":{"replicas":"brokers: {want}"}}`,
		`{"producer_ack":"all","durability":"page_cache","replicas":3,"min_in_sync":1,"zones":1}`)
	want := []comparison.Inequality{{
		Guarantee: "Copies of a message",
		Values:    []comparison.VariantValue{{Variant: "kafka", Value: "1"}, {Variant: "nats", Value: "3"}},
		Raise:     []comparison.VariantValue{{Variant: "kafka", Value: "brokers: 3"}},
	}}
	if diff := cmp.Diff(want, f.Unequal); diff != "" {
		t.Errorf("unequal (-want +got):\n%s", diff)
	}
}

func TestTheDurabilityLineTellsThatNoFsyncFellIntoTheStage(t *testing.T) {
	const clause = "; no fsync of messages fell into the measure stage"
	tests := map[string]struct {
		none func(n int) bool // no fsync in run n
		want string
	}{
		"in no run":           {func(int) bool { return true }, "page cache" + clause},
		"in one run, perhaps": {func(n int) bool { return n != 0 }, "page cache"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := comparisontest.Compare(t, comparisontest.Limited(t, func(n int, variant string, r *measure.Merged) {
				r.NoFsync = variant == "kafka" && tt.none(n)
			}))
			found := c.Fairness.Rows[slices.IndexFunc(c.Fairness.Rows, func(r comparison.FairnessRow) bool { return r.Name == experiment.Durability.Title() })]
			want := []comparison.VariantValue{{Variant: "kafka", Value: tt.want}, {Variant: "kinesis", Value: "memory"}}
			if diff := cmp.Diff(want, found.Values); diff != "" {
				t.Errorf("values of the row (-want +got):\n%s", diff)
			}
			if text := strings.Join(c.Fairness.Differences, "\n"); !strings.Contains(text, "kafka "+tt.want+", kinesis (emulator) memory") {
				t.Errorf("differences = %s, want %q", text, tt.want)
			}
		})
	}
}

func TestNatureIsToldOncePerTechnology(t *testing.T) {
	const effective = `{"producer_ack":"all","durability":"memory","replicas":1,"min_in_sync":1,"zones":1,"emulator":"x 1","nature":"Amazon Kinesis keeps three copies."}`
	f := fairnessOf(t, effective, effective)
	if diff := cmp.Diff([]string{"Amazon Kinesis keeps three copies."}, f.Nature); diff != "" {
		t.Errorf("nature (-want +got):\n%s", diff)
	}
}
