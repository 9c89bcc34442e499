package main

import (
	"time"

	"dec.local/dec/bench/peers/outputs"
)

// The systems under test.
const (
	kafkaSystem = "kafka"
	natsSystem  = "nats"
)

// load is one row of the matrix.
type load struct {
	name   string
	size   int // payload bytes
	rate   int // messages per second; 0 is flat out
	offer  int // messages per second that an open loop offers where it is to be flat out: above what any tool carries
	rounds int
	omb    bool
}

var loads = []load{
	{name: "1KiB-1000", size: 1 << 10, rate: 1_000, rounds: 5, omb: true},
	{name: "1KiB-10000", size: 1 << 10, rate: 10_000, rounds: 5, omb: true},
	{name: "1KiB-flat", size: 1 << 10, offer: 500_000, rounds: 5, omb: true},
	{name: "100B-flat", size: 100, offer: 1_500_000, rounds: 3},
	{name: "10KiB-flat", size: 10 << 10, offer: 80_000, rounds: 3},
}

// offered is the rate that an open loop is given.
func (l load) offered() int { return max(l.rate, l.offer) }

// memory is the resident memory of processes, in bytes.
type memory struct {
	Peak  float64 `json:"peak"`
	Load  float64 `json:"load"`  // peak until the measured part ended
	Early float64 `json:"early"` // when the measured part began
	Late  float64 `json:"late"`  // when it ended
}

func (m memory) plus(o memory) memory {
	return memory{Peak: m.Peak + o.Peak, Load: m.Load + o.Load, Early: m.Early + o.Early, Late: m.Late + o.Late}
}

// reported is one distribution that a tool tells about itself.
type reported struct {
	What      string            `json:"what"` // such as publish
	Quantiles outputs.Quantiles `json:"quantiles_ms"`
	AtLeast   map[string]bool   `json:"at_least,omitempty"` // quantiles that are told as a lower bound
}

// outcome is what one tool showed in one cell.
type outcome struct {
	Tool       string          `json:"tool"`
	Sent       float64         `json:"sent_per_s"`
	Received   float64         `json:"received_per_s"`
	PerMillion float64         `json:"cpu_s_per_million"` // of the producing and the consuming side together
	Memory     memory          `json:"memory"`            // of all processes together
	Reported   []reported      `json:"reported,omitempty"`
	Invalid    []string        `json:"invalid,omitempty"` // why a run of DEC does not count as valid
	Notes      []string        `json:"notes,omitempty"`
	GaveUp     string          `json:"gave_up,omitempty"`      // what the tool said when it failed in a stall
	Held       []time.Duration `json:"held_ns,omitempty"`      // for how long the proxy held chunks: the median, and 99 % of them at most
	CaughtUp   time.Duration   `json:"caught_up_ns,omitempty"` // from the end of a stall until all that was due had passed the proxy
	Measured   time.Duration   `json:"measured_ns"`            // what the quantiles are of
	Took       time.Duration   `json:"took_ns"`                // the whole cell
}

// sides makes the common figures of a producing and a consuming process, from how
// many messages each handled in the window. Each side's cost is per message of its
// own, so that one that lags is not cheap.
func (o *outcome) sides(w window, producer, consumer *process, sent, received float64) {
	producing, m1 := producer.usage(w)
	consuming, m2 := consumer.usage(w)
	o.Memory = m1.plus(m2)
	o.Measured = w.until.Sub(w.from)
	o.Sent, o.Received = sent/w.seconds(), received/w.seconds()
	o.PerMillion = perMillion(producing, sent) + perMillion(consuming, received)
}

func perMillion(seconds, messages float64) float64 {
	if messages <= 0 {
		return 0
	}
	return seconds / messages * 1e6
}
