package experiment

import "strings"

// Incident is an event that a client recovers from by itself. Incidents are
// counted per second, in messages unless it says otherwise. No client can tell all of
// them: those that it can are in [Effective], and the others are not known.
type Incident string

// The incidents.
const (
	DelayedWrites   Incident = "delayed_writes"   // messages under way while a quota held their client back
	DelayedReads    Incident = "delayed_reads"    // messages that came only after a quota had held their client back
	ThrottledWrites Incident = "throttled_writes" // messages refused for now, because a limit was reached; each refusal counts
	ThrottledReads  Incident = "throttled_reads"  // messages that came only after a read was refused in the same way
	RetriedSends    Incident = "retried_sends"    // messages sent again, for whatever reason
	Reconnects      Incident = "reconnects"       // connections or subscriptions lost, and made anew; no messages
)

// Incidents returns all incidents in the order of tables.
func Incidents() []Incident {
	return []Incident{DelayedWrites, DelayedReads, ThrottledWrites, ThrottledReads, RetriedSends, Reconnects}
}

// Limited reports whether i is that the system under test let something wait because of
// a limit of its own.
func (i Incident) Limited() bool {
	switch i {
	case DelayedWrites, DelayedReads, ThrottledWrites, ThrottledReads:
		return true
	}
	return false
}

// Messages reports whether i counts messages.
func (i Incident) Messages() bool { return i != Reconnects }

// Short returns the words for i before its number in a line: "throttled writes".
func (i Incident) Short() string { return strings.ReplaceAll(string(i), "_", " ") }

// Title returns the words for i as the name of a row: "Retried sends".
func (i Incident) Title() string {
	switch i {
	case DelayedWrites:
		return "Writes delayed by a quota"
	case DelayedReads:
		return "Reads delayed by a quota"
	case ThrottledWrites:
		return "Throttled writes"
	case ThrottledReads:
		return "Throttled reads"
	case RetriedSends:
		return "Retried sends"
	case Reconnects:
		return "Reconnects"
	}
	return string(i)
}
