package certify

import (
	"time"

	"dec.local/dec/internal/measure"
)

// Report is a certificate with all that it rests on.
type Report struct {
	measure.Certificate
	Seconds float64   `json:"took_s"`
	Host    string    `json:"host"`
	Agent   string    `json:"agent"` // its version
	Trials  []Outcome `json:"trials"`
}

// Outcome is what one run against the reference broker told.
type Outcome struct {
	Name     string    `json:"name"`
	Rate     float64   `json:"rate_per_s"`
	Precise  bool      `json:"precise"` // it had the machine for itself: its errors are bounded
	Spins    bool      `json:"spins"`   // its pacer spun: nothing but the lateness counts
	E2E      []Figure  `json:"e2e_latency"`
	Publish  []Figure  `json:"publish_latency"`
	Findings []Finding `json:"findings"`
	Lateness Lateness  `json:"pacer_lateness"`
	AgentCPU float64   `json:"agent_cpu_s"`      // in the measure stage
	Misses   []Miss    `json:"misses,omitempty"` // bounds that it missed
}

// Miss is a bound that was missed.
type Miss struct {
	Kind  string  `json:"kind"` // misses of a kind are told together
	Text  string  `json:"text"`
	badly float64 // in comparison with others of the kind
}

// Figure is a quantile as the agents told it, and as it was.
type Figure struct {
	Quantile string `json:"quantile"`
	Reported *int64 `json:"reported_ns"` // nil where the count does not support it
	AtLeast  bool   `json:"reported_at_least,omitempty"`
	True     *int64 `json:"true_ns"` // from the moment of release that the broker recorded
	Expected *int64 `json:"closed_form_ns,omitempty"`
}

// Error is how much the agents told more than was true; false where there is nothing to
// compare.
func (f Figure) Error() (time.Duration, bool) {
	if f.Reported == nil || f.True == nil {
		return 0, false
	}
	return time.Duration(*f.Reported - *f.True), true
}

// Finding is a number of messages: what the broker did with so many, and how many of them
// the agents found.
type Finding struct {
	What  string `json:"what"`
	Done  int64  `json:"done"`
	Found int64  `json:"found"`
}

// Lateness is what waiting for the moment of sending costs. The latencies include it: the
// truth does, too.
type Lateness struct {
	Timer string `json:"timer"` // how the pacer waited, as [measure.AgentFacts.Timer]
	P50NS *int64 `json:"p50_ns"`
	P99NS *int64 `json:"p99_ns"`
}
