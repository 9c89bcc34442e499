package experiment

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Guarantee names a promise that stacks give to a different degree.
type Guarantee string

// The guarantees, by their fields in [Effective].
const (
	ProducerAck Guarantee = "producer_ack" // who has a message when it is acknowledged
	Durability  Guarantee = "durability"   // where a message is when it is acknowledged
	Replicas    Guarantee = "replicas"     // copies of a message
	MinInSync   Guarantee = "min_in_sync"  // copies without which it is not acknowledged
	WaitedFor   Guarantee = "waited_for"   // copies that exist when it is acknowledged, while all are in sync
	Zones       Guarantee = "zones"        // places that fail independently and hold the copies
)

// Guarantees returns all guarantees in the order of tables.
func Guarantees() []Guarantee {
	return []Guarantee{ProducerAck, Durability, Replicas, MinInSync, WaitedFor, Zones}
}

// Title returns the words for g as the name of a row: "Copies of a message".
func (g Guarantee) Title() string {
	switch g {
	case ProducerAck:
		return "Acknowledged by"
	case Durability:
		return "Durability at acknowledgement"
	case Replicas:
		return "Copies of a message"
	case MinInSync:
		return "Copies required for acknowledgement"
	case WaitedFor:
		return "Copies waited for when all are in sync"
	case Zones:
		return "Failure domains"
	}
	return string(g)
}

// Scale returns the values of g from the weakest to the strongest; nil for a
// number, of which more is stronger.
func (g Guarantee) Scale() []string {
	switch g {
	case ProducerAck:
		return []string{"none", "leader", "all"}
	case Durability:
		return []string{"memory", "page_cache", "fsync_before_ack"}
	}
	return nil
}

// Rank is the place of a value on the scale of g; false for one that the scale
// does not know.
func (g Guarantee) Rank(value string) (int, bool) {
	scale := g.Scale()
	if scale == nil {
		n, err := strconv.Atoi(value)
		return n, err == nil
	}
	i := slices.Index(scale, value)
	return i, i >= 0
}

// Effective is the guarantees in force, read back from the broker.
type Effective struct {
	ProducerAck string `json:"producer_ack"` // on the scale of [ProducerAck]
	Durability  string `json:"durability"`   // on the scale of [Durability]
	Replicas    int    `json:"replicas"`
	MinInSync   int    `json:"min_in_sync"`          // copies that must exist before an acknowledgement
	WaitedFor   *int   `json:"waited_for,omitempty"` // copies that do exist before it while all are in sync; nil if not told
	Zones       int    `json:"zones"`                // as far as the broker tells; at least 1, 0 in results of versions that did not read it
	// Clients are the settings of the clients that are in force; absent in results of
	// versions that did not tell them.
	Clients  map[ClientSetting]string `json:"clients,omitempty"`
	Details  map[string]string        `json:"details"`            // the technology's own settings that give these, and its version
	Raise    map[string]string        `json:"raise,omitempty"`    // how to get more of a guarantee, by its name; {want} is what is wanted
	Emulator string                   `json:"emulator,omitempty"` // program that stood for the technology, with its version
	// Incidents are those that the clients can tell; the others are not known.
	Incidents []Incident `json:"incidents,omitempty"`
	// Nature is a sentence on what a reader must know beside the guarantees: what the
	// technology is by nature, or that brokers were not run by their own settings.
	Nature string `json:"nature,omitempty"`
	Fsync  *Fsync `json:"fsync,omitempty"` // nil where it is not known when brokers call it
}

// Fsync is what lets brokers write messages from the page cache to disk, by their
// settings; what the operating system does by itself is not part of it.
type Fsync struct {
	AfterNS    int64 `json:"after_ns,omitempty"`    // of the destination's life, at the earliest; 0 is never by time
	AfterBytes Bytes `json:"after_bytes,omitempty"` // of one partition, at the earliest; 0 is never by size
}

// Value returns the degree to which g is in force; "" if that is not known.
func (e Effective) Value(g Guarantee) string {
	switch g {
	case ProducerAck:
		return e.ProducerAck
	case Durability:
		return e.Durability
	case Replicas:
		return strconv.Itoa(e.Replicas)
	case MinInSync:
		return strconv.Itoa(e.MinInSync)
	case WaitedFor:
		if e.WaitedFor != nil {
			return strconv.Itoa(*e.WaitedFor)
		}
	case Zones:
		return strconv.Itoa(max(1, e.Zones))
	}
	return ""
}

// Shortfall compares the guarantees in force with the least that r requires, and
// says what is missing; "" when nothing is.
func (r Require) Shortfall(have Effective) string {
	var missing []string
	for _, required := range []struct {
		Guarantee
		least string // "" is not required
	}{{ProducerAck, r.ProducerAck}, {Durability, r.Durability}} {
		want, _ := required.Rank(required.least)
		if got, _ := required.Rank(have.Value(required.Guarantee)); required.least != "" && got < want {
			missing = append(missing, fmt.Sprintf("%s %q is required, but the stack provides %q",
				required.Guarantee, required.least, have.Value(required.Guarantee)))
		}
	}
	if have.Replicas < r.Replicas {
		missing = append(missing, fmt.Sprintf("%d replicas are required, but the stack provides %d", r.Replicas, have.Replicas))
	}
	return strings.Join(missing, "; ")
}
