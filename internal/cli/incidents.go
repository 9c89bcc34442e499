package cli

import (
	"strings"

	"dec.local/dec/internal/report"
)

// incidentWords are those of each technology.Incident, before its number.
var incidentWords = []struct{ name, words string }{
	{"throttled_writes", "throttled writes"},
	{"throttled_reads", "throttled reads"},
	{"retried_sends", "sent again"},
	{"reconnects", "reconnected"},
}

// incidentText is what clients met, as the end of a line; "" if nothing.
func incidentText(incidents map[string]int64) string {
	var text strings.Builder
	for _, i := range incidentWords {
		if n := incidents[i.name]; n > 0 {
			text.WriteString(", " + i.words + " " + report.Count(n))
		}
	}
	return text.String()
}
