package report

import (
	"dec.local/dec/internal/measure"
)

// incident is something that clients met and did not fail from, as
// technology.Incident names it.
type incident struct {
	name  string
	title string // of its row in tables
}

// The incidents that sentences and charts speak of.
const (
	throttledWrites = "throttled_writes"
	throttledReads  = "throttled_reads"
)

// incidents are all of them in the order of the tables.
var incidents = []incident{
	{throttledWrites, "Writes refused for now (throttled)"},
	{throttledReads, "Reads refused for now (throttled)"},
	{"retried_sends", "Sent again (retried)"},
	{"reconnects", "Connections made anew"},
}

// figures are what every variant is shown with. What clients met is among them
// only when some variant's clients did.
func (r *Report) figures() []figure {
	all := append([]figure(nil), figures...)
	for _, i := range incidents {
		if !r.met(i.name) {
			continue
		}
		all = append(all, figure{
			name:   i.title,
			value:  func(m measure.Result) (float64, bool) { return float64(m.Incidents[i.name]), true },
			format: func(x float64) string { return Count(int64(x)) },
			total:  true,
		})
	}
	return all
}

// met reports whether the clients of any run that counts met an incident.
func (r *Report) met(name string) bool {
	for _, v := range r.variants {
		if v.total(name) > 0 {
			return true
		}
	}
	return false
}

// total is how often a variant's clients met an incident in the runs that count.
func (v variant) total(name string) int64 {
	var n int64
	for _, run := range v.counted() {
		n += run.result.Incidents[name]
	}
	return n
}

// unsent is how many messages a variant never took in the runs that count.
func (v variant) unsent() int64 {
	var n int64
	for _, run := range v.counted() {
		n += run.result.Counts.Unsent
	}
	return n
}
