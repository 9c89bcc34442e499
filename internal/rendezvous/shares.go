package rendezvous

import (
	"fmt"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
)

// Shares divides a workload over its agents: producer i goes to agent
// "producer-<i mod producer_nodes>", and each group's consumers are spread over
// "consumer-0", "consumer-1" and so on. An agent that would have nothing to do
// is left out. Agent "producer-0" is the leader, which prepares the destination.
func Shares(w experiment.Workload) map[string]Share {
	t := w.Topology
	shares := make(map[string]Share)
	for i := range max(t.Producers, 1) {
		id := fmt.Sprintf("producer-%d", i%max(t.ProducerNodes, 1))
		share := shares[id]
		share.Role, share.Leader = measure.RoleProducer, id == "producer-0"
		share.Producers = append(share.Producers, i)
		shares[id] = share
	}
	k := 0
	for g := range max(t.ConsumerGroups, 1) {
		for i := range max(t.ConsumersPerGroup, 1) {
			id := fmt.Sprintf("consumer-%d", k%max(t.ConsumerNodes, 1))
			share := shares[id]
			share.Role = measure.RoleConsumer
			share.Consumers = append(share.Consumers, ConsumerShare{Group: fmt.Sprintf("group-%d", g), Index: i})
			shares[id] = share
			k++
		}
	}
	return shares
}
