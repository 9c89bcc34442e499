package measure

import (
	"fmt"
	"time"

	"dec.local/dec/internal/experiment"
)

// The limits beyond which a run does not describe the system under test. None depends
// on how fast that system was: otherwise fast runs would be left out.
const (
	latenessShared = 5 * time.Millisecond // of the pacer, where agents share their CPUs
	latenessAlone  = time.Millisecond     // and where they have CPUs of their own
	missedShare    = 0.005                // of the schedule that the pacer may miss
	busyShare      = 0.9                  // of an agent's CPUs
	takenShare     = 0.02                 // of an agent's CPU time that hypervisor or quota may take
)

// judge reports whether the generator or the clocks were the limit. Back-pressure
// is no reason: the broker was slow, and that is the answer.
func (m *merger) judge() {
	r := &m.result
	var reasons []string
	add := func(format string, args ...any) { reasons = append(reasons, fmt.Sprintf(format, args...)) }

	limit := latenessShared
	if m.asked.OwnCPUs {
		limit = latenessAlone
	}
	q, name := m.asked.quantile()
	if late := m.hist[PacerLateness].nearest(q); late > limit {
		add("The load generator was late: the %s of pacer lateness was %s; the limit is %s. Lower the rate, use more producer nodes, "+
			"or reduce other work on the machine.",
			name, late.Round(10*time.Microsecond), limit)
	}
	switch {
	case r.Counts.Offered == 0:
		add("The schedule offers no message in the measure stage. Raise the rate or lengthen the stage.")
	case float64(m.missed) > missedShare*float64(r.Counts.Offered):
		add("The load generator did not send %d of %d messages although the client could have accepted them; the limit is %g %%. "+
			"Lower the rate or use more producer nodes.",
			m.missed, r.Counts.Offered, missedShare*100)
	}
	reasons = append(reasons, starved(r.Agents)...)
	reasons = append(reasons, waited(r.Agents, name, limit)...)
	for _, d := range []struct {
		name Distribution
		text string
	}{{E2ELatency, "end-to-end"}, {PublishLatency, "publish"}, {PacerLateness, "pacer lateness"}} {
		bound, text := int64(0), "an unknown time"
		if r.ClockBound != nil {
			bound, text = *r.ClockBound, time.Duration(*r.ClockBound).String()
		}
		if l := m.summary(d.name); l.Negative > 0 && -l.MinNS > bound {
			add("The clocks disagree: %d %s times are negative, as low as %s, which exceeds the clocks' error bound of %s. "+
				"Synchronise the clocks of the agents' hosts.",
				l.Negative, d.text, time.Duration(l.MinNS), text)
		}
	}
	if m.twice > 0 {
		add("The client acknowledged %d messages more than once, so its publish latencies are not reliable.", m.twice)
	}
	r.Validity = experiment.Validity{OK: len(reasons) == 0, Reasons: reasons}
}

// starved tells of the agents that had too little processor time, the worst of each
// kind. Producers and consumers are judged alike: a consumer that waits for a CPU
// makes messages look slow.
func starved(agents []AgentFacts) (reasons []string) {
	for _, kind := range []struct {
		share func(AgentFacts) *float64
		limit float64
		text  string
	}{
		{func(a AgentFacts) *float64 { return a.CPUShare }, busyShare,
			"%s used %s of the CPU time that it may use; the limit is %s. Use more agents, lower the rate, or give them more CPUs."},
		{func(a AgentFacts) *float64 { return a.Stolen }, takenShare,
			"The hypervisor took %[2]s of the CPU time of the machine of %[1]s; the limit is %[3]s. Use a machine that is not overbooked."},
		{func(a AgentFacts) *float64 { return a.Throttled }, takenShare,
			"%s was stopped by its CPU quota for %s of the time; the limit is %s. Raise the quota, or lower the rate."},
	} {
		var worst AgentFacts
		for _, a := range agents {
			if share := kind.share(a); share != nil && (kind.share(worst) == nil || *share > *kind.share(worst)) {
				worst = a
			}
		}
		if share := kind.share(worst); share != nil && *share >= kind.limit {
			reasons = append(reasons, fmt.Sprintf(kind.text, worst.ID, percent(*share), percent(kind.limit)))
		}
	}
	return reasons
}

// waited tells of the agent whose goroutines waited longest for a thread: what an agent
// handles late looks like a slow system, at producers and at consumers.
func waited(agents []AgentFacts, quantile string, limit time.Duration) []string {
	var worst time.Duration
	id := ""
	for _, a := range agents {
		if a.SchedLatency == nil {
			continue
		}
		if ns := a.SchedLatency.Quantile(quantile).NS; ns != nil && time.Duration(*ns) > worst {
			worst, id = time.Duration(*ns), a.ID
		}
	}
	if worst <= limit {
		return nil
	}
	return []string{fmt.Sprintf("%s handled messages late: the %s of its scheduler latency was %s; the limit is %s. "+
		"Use more agents, lower the rate, or give them more CPUs.", id, quantile, worst.Round(10*time.Microsecond), limit)}
}

func percent(share float64) string { return fmt.Sprintf("%.3g %%", 100*share) }

// nearest is a quantile by nearest rank, whether supported or not: a short run is
// judged, too.
func (h *Histogram) nearest(q float64) time.Duration {
	if h == nil || h.Count() == 0 {
		return 0
	}
	ns, ok := h.atRank(nearestRank(q, h.Count()))
	if !ok {
		ns = maxLatency
	}
	return time.Duration(ns)
}
