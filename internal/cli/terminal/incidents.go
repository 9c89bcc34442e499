package terminal

import (
	"strings"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/format"
)

// incidentText lists the incidents of clients, as the end of a line; "" if there are none.
func incidentText(incidents map[experiment.Incident]int64) string {
	var text strings.Builder
	for _, i := range experiment.Incidents() {
		if n := incidents[i]; n > 0 {
			text.WriteString(", " + i.Short() + " " + format.Count(n))
		}
	}
	return text.String()
}
