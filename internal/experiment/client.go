package experiment

// Client holds what the clients of all technologies are asked to do alike.
// What is unset is left to the technology's own setting. A technology that cannot do as
// asked refuses the plan.
type Client struct {
	BatchMaxDelay *Duration `json:"batch_max_delay,omitempty"` // most time that a message waits for others; 0 is none
	BatchMaxBytes Bytes     `json:"batch_max_bytes,omitzero"`  // largest batch, before compression
	Compression   string    `json:"compression,omitempty"`     // one of [Compressions]
	ConsumerAck   string    `json:"consumer_ack,omitempty"`    // one of [ConsumerAcks]
}

// The ways in which consumers tell brokers what they have received.
const (
	AckNone     = "none"     // not at all
	AckPeriodic = "periodic" // every few seconds how far they are
	AckEach     = "each"     // each message
)

// ConsumerAcks are the ways that a plan may ask for.
func ConsumerAcks() []string { return []string{AckNone, AckPeriodic, AckEach} }

// Compressions are the codecs that a plan may ask for.
func Compressions() []string { return []string{"none", "gzip", "snappy", "lz4", "zstd"} }

// ClientSetting names a setting of clients that decides about latencies as much as the
// system under test does.
type ClientSetting string

// The settings of clients, by their names in [Effective].
const (
	BatchDelay  ClientSetting = "batch_max_delay"
	BatchBytes  ClientSetting = "batch_max_bytes"
	Compression ClientSetting = "compression"
	Encryption  ClientSetting = "encryption"
	ConsumerAck ClientSetting = "consumer_ack"
	Prefetch    ClientSetting = "prefetch"
	InFlight    ClientSetting = "requests_in_flight"
)

// ClientSettings returns all settings of clients in the order of tables.
func ClientSettings() []ClientSetting {
	return []ClientSetting{BatchDelay, BatchBytes, Compression, Encryption, ConsumerAck, Prefetch, InFlight}
}

// Title returns the words for s as the name of a row.
func (s ClientSetting) Title() string {
	switch s {
	case BatchDelay:
		return "Batching delay of producers"
	case BatchBytes:
		return "Largest batch of producers"
	case Compression:
		return "Compression of messages"
	case Encryption:
		return "Encryption of connections"
	case ConsumerAck:
		return "Acknowledgement by consumers"
	case Prefetch:
		return "Requested ahead by consumers"
	case InFlight:
		return "Requests in flight per producer"
	}
	return string(s)
}

// Comparable reports whether s can be the same for all technologies, so that a
// difference is one of the plan and not of their nature.
func (s ClientSetting) Comparable() bool {
	return s == BatchDelay || s == Compression || s == Encryption || s == ConsumerAck
}

// Align returns how a plan makes s the same for all variants; "" where none does.
func (s ClientSetting) Align() string {
	switch s {
	case BatchDelay:
		return "workload.client.batch_max_delay: 0s"
	case Compression:
		return "workload.client.compression: none"
	case ConsumerAck: // that is what all of them can do
		return "workload.client.consumer_ack: none"
	}
	return ""
}
