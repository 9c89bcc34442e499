package experiment

// Workload is the technology-neutral load offered to the system under test
// during one run. The zero value is not usable: package planspec decodes one.
type Workload struct {
	Require   Require  `json:"require"`
	Topology  Topology `json:"topology"`
	Load      Load     `json:"load"`
	Message   Message  `json:"message"`
	Client    Client   `json:"client,omitzero"` // what clients do alike; unset, each technology's own settings
	Stages    Stages   `json:"stages"`
	Retention Bytes    `json:"retention_bytes,omitzero"` // the broker may drop older messages past this size; 2GiB if unset
	Seed      int64    `json:"seed"`                     // every random stream derives from it; 42 if unset
}

// MostBytes is what the producers send at most in the whole load, in payload.
func (w Workload) MostBytes() Bytes {
	seconds := (w.Stages.Warmup.Std() + w.Stages.Measure.Std()).Seconds()
	return Bytes(w.Load.HighestRate() * seconds * float64(w.Message.Size.Max))
}

// HighestRate is the highest number of messages a second that is offered.
func (l Load) HighestRate() float64 {
	rate := l.Rate
	for _, segment := range l.Schedule {
		for _, r := range []*float64{segment.Rate, segment.RampTo} {
			if r != nil {
				rate = max(rate, *r)
			}
		}
	}
	return rate
}

// Outgrows reports whether the load writes more than the retention holds, so that the
// brokers must delete while it lasts.
func (w Workload) Outgrows() bool { return w.Retention > 0 && w.MostBytes() > w.Retention }

// Require holds the guarantees that a variant must give at least. Unset means
// none; what the brokers really give is read back and shown.
type Require struct {
	ProducerAck string `json:"producer_ack,omitempty"` // on the scale of [ProducerAck]
	Durability  string `json:"durability,omitempty"`   // on the scale of [Durability]
	Replicas    int    `json:"replicas,omitempty"`     // copies of each message
}

// Topology says how the destination is partitioned and who uses it.
type Topology struct {
	Partitions        int `json:"partitions,omitzero"`          // 1 if unset
	Replicas          int `json:"replicas,omitzero"`            // 1 if unset
	Producers         int `json:"producers,omitzero"`           // 1 if unset
	ConsumerGroups    int `json:"consumer_groups,omitzero"`     // each receives every message; 1 if unset
	ConsumersPerGroup int `json:"consumers_per_group,omitzero"` // 1 if unset
	ProducerNodes     int `json:"producer_nodes,omitzero"`      // agents that share the producers; 1 if unset
	ConsumerNodes     int `json:"consumer_nodes,omitzero"`      // agents that share the consumers; 1 if unset
}

// Load is the offered load over all producers. Exactly one of Rate and Schedule
// is given.
type Load struct {
	Rate     float64   `json:"rate,omitempty"`     // messages per second
	Schedule []Segment `json:"schedule,omitempty"` // starts with the measure stage; the warm-up runs at its first rate
	Arrivals Arrivals  `json:"arrivals,omitzero"`  // [ArrivalsUniform] if unset
	// MaxInFlight is the most unacknowledged messages of a producer; when full the
	// send waits, and the wait counts as latency; 10000 if unset.
	MaxInFlight int `json:"max_in_flight,omitzero"`
}

// Segment is a piece of a schedule: constant at Rate, or a linear ramp from the
// rate before it to RampTo. Exactly one of the two is given.
type Segment struct {
	For    Duration `json:"for"`
	Rate   *float64 `json:"rate,omitempty"`    // messages per second
	RampTo *float64 `json:"ramp_to,omitempty"` // messages per second
}

// Arrivals is the spacing of intended send times.
type Arrivals string

// The spacings of intended send times.
const (
	ArrivalsUniform Arrivals = "uniform" // evenly spaced at the scheduled rate
	ArrivalsPoisson Arrivals = "poisson" // independent arrivals with the scheduled rate as their intensity
)

// Message describes what is sent.
type Message struct {
	Size Size `json:"size,omitzero"` // payload; 1KiB if unset
	Key  Key  `json:"key,omitzero"`  // none if unset
}

// Size is a payload size: fixed ("1KiB") or uniform over [Min, Max]
// ({uniform: [100, 4000]}). Min == Max means fixed.
type Size struct {
	Min Bytes
	Max Bytes
}

// Key says how messages are keyed: "none", "round_robin" or
// {uniform: {cardinality: N}}.
type Key struct {
	Kind        KeyKind
	Cardinality int // of KeyUniform; of KeyRoundRobin the number of partitions
}

// KeyKind is a way to choose keys.
type KeyKind string

// The ways to choose keys.
const (
	KeyNone       KeyKind = "none"        // no key; the driver's client spreads the messages
	KeyRoundRobin KeyKind = "round_robin" // no key; message n of producer p goes to partition (p + n) mod partitions
	KeyUniform    KeyKind = "uniform"     // keys drawn evenly from a set
)

// Stages are the parts of the load phase.
type Stages struct {
	Warmup  Duration `json:"warmup"`           // sent but not measured; 20s if unset
	Measure Duration `json:"measure,omitzero"` // what the results describe; required, or the length of the schedule
	Drain   Duration `json:"drain,omitzero"`   // at most this long for what is under way to arrive; 30s if unset
}
