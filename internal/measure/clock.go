package measure

import "math"

// clockBound bounds the error of a latency between a producer and a consumer: the sum of
// their clocks' bounds, and of what the clocks were set by since each agent read its own.
// On one machine, and so on one clock, it is only by how much that differs. It is nil
// where a bound is not known.
func clockBound(agents []AgentFacts) *int64 {
	bound := int64(0)
	for _, p := range agents {
		for _, c := range agents {
			if p.Role != RoleProducer || c.Role != RoleConsumer {
				continue
			}
			if p.MachineID != "" && p.MachineID == c.MachineID {
				bound = max(bound, magnitude(p.ClockStepNS-c.ClockStepNS))
				continue
			}
			if p.ClockBound == nil || c.ClockBound == nil {
				return nil
			}
			bound = max(bound, *p.ClockBound+*c.ClockBound+magnitude(p.ClockStepNS)+magnitude(c.ClockStepNS))
		}
	}
	return &bound
}

// limitDigits leaves of all end-to-end latencies what the clocks can tell.
func (r *Result) limitDigits() {
	r.E2E, r.E2ESvc = r.E2E.within(r.ClockBound), r.E2ESvc.within(r.ClockBound)
	for name, g := range r.Groups {
		g.E2E, g.E2ESvc = g.E2E.within(r.ClockBound), g.E2ESvc.within(r.ClockBound)
		r.Groups[name] = g
	}
	if h, ok := r.Course.Halves[E2ELatency]; ok {
		r.Course.Halves[E2ELatency] = Halves{h.First.within(r.ClockBound), h.Second.within(r.ClockBound)}
	}
}

func magnitude(ns int64) int64 { return max(ns, -ns) }

// within returns the latency as far as clocks with this bound can tell it: what is below
// the bound is not known, and the rest has no digits below it. A bound that is nil leaves
// it as it is: nobody knows which digits are true, which the result says.
func (l Latency) within(bound *int64) Latency {
	if bound == nil || *bound == 0 {
		return l
	}
	step := int64(math.Pow10(int(math.Log10(float64(*bound)))))
	round := func(ns *int64) *int64 {
		if ns == nil || magnitude(*ns) < *bound {
			return nil
		}
		return new((*ns + step/2) / step * step)
	}
	for _, quantile := range quantiles {
		exact, atLeast := quantile.exact(&l), quantile.atLeast(&l)
		*exact, *atLeast = round(*exact), round(*atLeast)
	}
	l.MaxNS, l.MaxAtLeastNS = round(l.MaxNS), round(l.MaxAtLeastNS)
	l.MeanNS, l.MeanAtLeastNS = roundMean(l.MeanNS, *bound, step), roundMean(l.MeanAtLeastNS, *bound, step)
	return l
}

func roundMean(ns *float64, bound, step int64) *float64 {
	if ns == nil || *ns < float64(bound) {
		return nil
	}
	return new(math.Round(*ns/float64(step)) * float64(step))
}
