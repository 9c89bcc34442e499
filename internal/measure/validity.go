package measure

import (
	"fmt"
	"time"

	"dec.local/dec/internal/experiment"
)

// The limits beyond which a run does not describe the system under test.
const (
	latenessFloor = 5 * time.Millisecond // p99 of the pacer's lateness may always be this large
	latenessShare = 0.05                 // or this share of the end-to-end p99
	missedShare   = 0.005                // of the schedule that the pacer may miss
)

// judge reports whether the generator or the clocks were the limit. Back-pressure
// is no reason: the broker was slow, and that is the answer.
func (m *merger) judge() {
	r := &m.result
	var reasons []string
	add := func(format string, args ...any) { reasons = append(reasons, fmt.Sprintf(format, args...)) }

	late, e2e := p99(m.hist[PacerLateness]), p99(m.hist[E2ELatency])
	limit := max(latenessFloor, time.Duration(latenessShare*float64(e2e)))
	if late > limit {
		add("The load generator was late: the p99 of pacer lateness was %s; the limit is %s. Lower the rate, use more producer nodes, "+
			"or reduce other work on the machine.",
			late.Round(10*time.Microsecond), limit.Round(10*time.Microsecond))
	}
	switch {
	case r.Counts.Offered == 0:
		add("The schedule offers no message in the measure stage. Raise the rate or lengthen the stage.")
	case float64(m.missed) > missedShare*float64(r.Counts.Offered):
		add("The load generator did not send %d of %d messages although the client could have accepted them; the limit is %g %%. "+
			"Lower the rate or use more producer nodes.",
			m.missed, r.Counts.Offered, missedShare*100)
	}
	for _, d := range []struct {
		name Distribution
		text string
	}{{E2ELatency, "end-to-end"}, {PublishLatency, "publish"}, {PacerLateness, "pacer lateness"}} {
		if l := m.summary(d.name); l.Negative > 0 && -l.MinNS > r.ClockBound {
			add("The clocks disagree: %d %s times are negative, as low as %s, which exceeds the clocks' error bound of %s. "+
				"Synchronise the clocks of the agents' hosts.",
				l.Negative, d.text, time.Duration(l.MinNS), time.Duration(r.ClockBound))
		}
	}
	if m.twice > 0 {
		add("The client acknowledged %d messages more than once, so its publish latencies are not reliable.", m.twice)
	}
	r.Validity = experiment.Validity{OK: len(reasons) == 0, Reasons: reasons}
}

// p99 is the 99th percentile by nearest rank, whether supported or not: a short
// run is judged, too.
func p99(h *Histogram) time.Duration {
	if h == nil || h.Count() == 0 {
		return 0
	}
	ns, ok := h.atRank(nearestRank(0.99, h.Count()))
	if !ok {
		ns = maxLatency
	}
	return time.Duration(ns)
}
