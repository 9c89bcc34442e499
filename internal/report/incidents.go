package report

import (
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
)

// figures are what every variant is shown with. What clients met is among them
// only when some variant's clients did.
func (r *Report) figures() []figure {
	all := append([]figure(nil), figures...)
	for _, i := range experiment.Incidents() {
		if !r.met(i) {
			continue
		}
		all = append(all, figure{
			name:   i.Title(),
			value:  func(m measure.Result) (float64, bool) { return float64(m.Incidents[i]), true },
			format: func(x float64) string { return Count(int64(x)) },
			total:  true,
		})
	}
	return all
}

// met reports whether the clients of any run that counts met an incident.
func (r *Report) met(i experiment.Incident) bool {
	for _, v := range r.variants {
		if v.total(i) > 0 {
			return true
		}
	}
	return false
}

// total is how often a variant's clients met an incident in the runs that count.
func (v variant) total(i experiment.Incident) int64 {
	var n int64
	for _, run := range v.counted() {
		n += run.result.Incidents[i]
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
