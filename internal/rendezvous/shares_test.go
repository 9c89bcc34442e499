package rendezvous_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
	"dec.local/dec/internal/rendezvous"
)

func TestSharesOfTheLeastWorkload(t *testing.T) {
	want := map[string]rendezvous.Share{
		"producer-0": {Role: measure.RoleProducer, Leader: true, Producers: []int{0}},
		"consumer-0": {Role: measure.RoleConsumer, Consumers: []rendezvous.ConsumerShare{{Group: "group-0"}}},
	}
	if diff := cmp.Diff(want, rendezvous.Shares(experiment.Workload{})); diff != "" {
		t.Errorf("Shares() (-want +got):\n%s", diff)
	}
}

func TestSharesDivideEverythingOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.IntRange(1, 12)
		top := experiment.Topology{
			Producers: number.Draw(t, "producers"), ProducerNodes: number.Draw(t, "producer nodes"),
			ConsumerGroups: number.Draw(t, "groups"), ConsumersPerGroup: number.Draw(t, "consumers"), ConsumerNodes: number.Draw(t, "consumer nodes"),
		}
		var producers []int
		consumers := make(map[rendezvous.ConsumerShare]int)
		leaders := 0
		for id, s := range rendezvous.Shares(experiment.Workload{Topology: top}) {
			if len(s.Producers)+len(s.Consumers) == 0 {
				t.Errorf("%s has nothing to do", id)
			}
			if s.Leader {
				leaders++
			}
			producers = append(producers, s.Producers...)
			for _, c := range s.Consumers {
				consumers[c]++
			}
		}
		slices.Sort(producers)
		for i, p := range producers {
			if p != i {
				t.Fatalf("producers %v, want each once", producers)
			}
		}
		if len(producers) != top.Producers || len(consumers) != top.ConsumerGroups*top.ConsumersPerGroup || leaders != 1 {
			t.Errorf("%d producers, %d consumers, %d leaders in %+v", len(producers), len(consumers), leaders, top)
		}
		for c, n := range consumers {
			if n != 1 {
				t.Errorf("consumer %+v is there %d times", c, n)
			}
		}
	})
}
