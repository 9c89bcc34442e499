package api_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/experiment"
)

func TestVocabulary(t *testing.T) {
	v := api.NewVocabulary()
	for _, want := range []api.Metric{
		{Name: "e2e_p999", Title: "End-to-end p99.9", Unit: "ns", Better: "lower"},
		{Name: "throughput", Title: "Throughput", Unit: "per_s", Better: "higher"},
		{Name: "cpu_per_million", Title: "Broker CPU per million messages", Unit: "s_per_million", Better: "lower"},
	} {
		if !slices.Contains(v.Metrics, want) {
			t.Errorf("the vocabulary lacks %+v", want)
		}
	}
	if got, want := len(v.Metrics), len(experiment.Metrics()); got != want {
		t.Errorf("%d metrics, want %d", got, want)
	}
	want := api.Guarantee{Name: "durability", Title: "Durability at acknowledgement", Scale: []string{"memory", "page_cache", "fsync_before_ack"}}
	if diff := cmp.Diff(want, v.Guarantees[1]); diff != "" {
		t.Errorf("a guarantee (-want +got):\n%s", diff)
	}
	for _, want := range []api.Incident{
		{Name: "delayed_writes", Title: "Writes delayed by a quota", Unit: "messages", Limited: true},
		{Name: "retried_sends", Title: "Retried sends", Unit: "messages"},
		{Name: "reconnects", Title: "Reconnects", Unit: "connections"},
	} {
		if !slices.Contains(v.Incidents, want) {
			t.Errorf("the vocabulary lacks %+v", want)
		}
	}
}
