package experiment

import "strings"

// Incident is an event that a client recovers from by itself. Incidents are
// counted per second.
type Incident string

// The incidents.
const (
	ThrottledWrites Incident = "throttled_writes" // messages that the broker refused for now, because a limit was reached; each refusal counts
	ThrottledReads  Incident = "throttled_reads"  // reads refused in the same way
	RetriedSends    Incident = "retried_sends"    // messages sent again, for whatever reason
	Reconnects      Incident = "reconnects"       // connections or subscriptions made anew
)

// Incidents returns all incidents in the order of tables.
func Incidents() []Incident {
	return []Incident{ThrottledWrites, ThrottledReads, RetriedSends, Reconnects}
}

// Short returns the words for i before its number in a line: "throttled writes".
func (i Incident) Short() string { return strings.ReplaceAll(string(i), "_", " ") }

// Title returns the words for i as the name of a row: "Retried sends".
func (i Incident) Title() string {
	switch i {
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
