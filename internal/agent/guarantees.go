package agent

import (
	"fmt"
	"slices"
	"strings"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/technology"
)

// The values of a guarantee, weakest first.
var (
	acks         = []string{"none", "leader", "all"}
	durabilities = []string{"memory", "page_cache", "fsync_before_ack"}
)

// shortfall compares the guarantees in force with the least that the workload
// requires, and says what is missing; "" when nothing is.
func shortfall(want experiment.Require, have technology.Effective) string {
	var missing []string
	for _, g := range []struct {
		name, want, have string
		scale            []string
	}{
		{"producer_ack", want.ProducerAck, have.ProducerAck, acks},
		{"durability", want.Durability, have.Durability, durabilities},
	} {
		if g.want != "" && slices.Index(g.scale, g.have) < slices.Index(g.scale, g.want) {
			missing = append(missing, fmt.Sprintf("%s %q is required, the stack gives %q", g.name, g.want, g.have))
		}
	}
	if have.Replicas < want.Replicas {
		missing = append(missing, fmt.Sprintf("%d replicas are required, the stack gives %d", want.Replicas, have.Replicas))
	}
	return strings.Join(missing, "; ")
}
