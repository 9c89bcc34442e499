package experiment_test

import (
	"encoding/json"
	"testing"

	"dec.local/dec/internal/experiment"
)

// effective gives the most of every guarantee.
var effective = experiment.Effective{ProducerAck: "all", Durability: "fsync_before_ack", Replicas: 3, MinInSync: 2, WaitedFor: new(3), Zones: 3}

func TestEveryGuaranteeIsAFieldWithAPlaceOnItsScale(t *testing.T) {
	data, err := json.Marshal(effective)
	if err != nil {
		t.Fatal(err)
	}
	var fields map[experiment.Guarantee]any
	if err := json.Unmarshal(data, &fields); err != nil {
		t.Fatal(err)
	}
	for _, g := range experiment.Guarantees() {
		if _, ok := fields[g]; !ok {
			t.Errorf("%s is no field of the guarantees in force", g)
		}
		if rank, ok := g.Rank(effective.Value(g)); !ok || rank < 2 {
			t.Errorf("%s.Rank(%q) = %d, %t, want a place of at least 2", g, effective.Value(g), rank, ok)
		}
		if g.Title() == string(g) {
			t.Errorf("%s has no words", g)
		}
	}
	if rank, ok := experiment.ProducerAck.Rank("quorum"); ok {
		t.Errorf("ProducerAck.Rank(quorum) = %d, which is on no scale", rank)
	}
}

func TestShortfall(t *testing.T) {
	weak := experiment.Effective{ProducerAck: "leader", Durability: "page_cache", Replicas: 1}
	tests := map[string]struct {
		require experiment.Require
		have    experiment.Effective
		want    string
	}{
		"nothing is required":      {experiment.Require{}, experiment.Effective{}, ""},
		"as much as is required":   {experiment.Require{ProducerAck: "leader", Durability: "page_cache", Replicas: 1}, weak, ""},
		"more than is required":    {experiment.Require{ProducerAck: "none", Durability: "memory", Replicas: 1}, effective, ""},
		"a weaker acknowledgement": {experiment.Require{ProducerAck: "all"}, weak, `producer_ack "all" is required, but the stack provides "leader"`},
		"a value off the scale":    {experiment.Require{ProducerAck: "none"}, experiment.Effective{}, `producer_ack "none" is required, but the stack provides ""`},
		"several things are missing": {
			experiment.Require{Durability: "fsync_before_ack", Replicas: 3}, weak,
			`durability "fsync_before_ack" is required, but the stack provides "page_cache"; 3 replicas are required, but the stack provides 1`,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := tt.require.Shortfall(tt.have); got != tt.want {
				t.Errorf("Shortfall() = %q, want %q", got, tt.want)
			}
		})
	}
}
