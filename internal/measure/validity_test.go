package measure_test

import (
	"slices"
	"strings"
	"testing"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
)

func TestValidity(t *testing.T) {
	steady := func(string, uint64) int64 { return 2 * ms }
	tests := map[string]struct {
		latency func(string, uint64) int64
		metric  experiment.Metric
		own     bool // CPUs
		change  func([]measure.AgentResult)
		reason  string // "" for valid
	}{
		"all is well":           {latency: steady},
		"lateness at the limit": {latency: steady, change: lateness(5*ms - 10*us)},
		"lateness above 5 ms":   {latency: steady, change: lateness(6 * ms), reason: "p99 of pacer lateness was 6ms"},
		"a slow system is no excuse": {
			latency: func(string, uint64) int64 { return 2000 * ms }, change: lateness(6 * ms), reason: "the limit is 5ms",
		},
		"CPUs of the agents' own":    {latency: steady, own: true, change: lateness(ms - 10*us)},
		"lateness on them":           {latency: steady, own: true, change: lateness(2 * ms), reason: "the limit is 1ms"},
		"lateness beyond the metric": {latency: steady, metric: "publish_p50", change: lateAbove(0.4, 6*ms)},
		"lateness at the metric":     {latency: steady, metric: "publish_p50", change: lateAbove(0.6, 6*ms), reason: "the p50 of pacer lateness was 6ms"},
		"busy agents":                {latency: steady, change: facts(func(a *measure.AgentFacts) { a.CPUShare = new(0.899) })},
		"agents that are too busy": {
			latency: steady, change: facts(func(a *measure.AgentFacts) { a.CPUShare = new(0.9) }), reason: "used 90 % of the CPU time",
		},
		"a hypervisor": {
			latency: steady, change: facts(func(a *measure.AgentFacts) { a.Stolen = new(0.031) }), reason: "The hypervisor took 3.1 % of the CPU time",
		},
		"a quota": {
			latency: steady, change: facts(func(a *measure.AgentFacts) { a.Throttled = new(0.02) }), reason: "was stopped by its CPU quota for 2 %",
		},
		"a consumer that waits for its turn": {
			latency: steady, change: facts(func(a *measure.AgentFacts) {
				a.SchedLatency = new(histogramOf(slices.Repeat([]int64{6 * ms}, 1000)...).Summary())
			}),
			reason: "consumer-0 handled messages late: the p99 of its scheduler latency was 6ms",
		},
		"one that waits a little": {
			latency: steady, change: facts(func(a *measure.AgentFacts) {
				a.SchedLatency = new(histogramOf(slices.Repeat([]int64{4 * ms}, 1000)...).Summary())
			}),
		},
		"half a percent missed":                {latency: steady, change: func(a []measure.AgentResult) { a[0].Missed = 10 }},
		"more than that missed":                {latency: steady, change: func(a []measure.AgentResult) { a[0].Missed = 11 }, reason: "did not send 11 of 2000"},
		"unsent is no reason":                  {latency: steady, change: func(a []measure.AgentResult) { a[0].Counts.Unsent = 1900 }},
		"nothing was offered":                  {latency: steady, change: func(a []measure.AgentResult) { a[0].Counts.Offered = 0 }, reason: "offers no message"},
		"two acknowledgements":                 {latency: steady, change: func(a []measure.AgentResult) { a[0].Counts.Acked++ }, reason: "acknowledged 1 messages more than once"},
		"negative on one host":                 {latency: negative, reason: "1 end-to-end times are negative, as low as -2ms"},
		"negative within bounds":               {latency: negative, change: apart(ms)},
		"negative beyond them":                 {latency: negative, change: apart(ms - 1), reason: "error bound of 1.999998ms"},
		"negative, and the clocks are unknown": {latency: negative, change: unknownClocks, reason: "error bound of an unknown time"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			agents := flow(tt.latency, "g")
			if tt.change != nil {
				tt.change(agents)
			}
			r, err := measure.Merge(measure.Asked{Workload: workload(1, 1), Due: every(5 * ms), Metric: tt.metric, OwnCPUs: tt.own}, agents)
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(r.Validity.Reasons, "; "); r.Validity.OK != (tt.reason == "") || !strings.Contains(got, tt.reason) || len(r.Validity.Reasons) > 1 {
				t.Errorf("Validity = %+v, want the reason %q", r.Validity, tt.reason)
			}
			if r.Counts.Acked != 2000 {
				t.Errorf("Counts.Acked = %d, want each message once: 2000", r.Counts.Acked)
			}
		})
	}
}

// negative gives one measured message a latency of −2 ms.
func negative(_ string, seq uint64) int64 {
	if seq == 1000 {
		return -2 * ms
	}
	return 2 * ms
}

// lateness makes all of a producer's messages late by the pacer's own fault.
func lateness(ns int64) func([]measure.AgentResult) { return lateAbove(1, ns) }

// facts changes what the consumer's agent says of itself: it is judged like any other.
func facts(change func(*measure.AgentFacts)) func([]measure.AgentResult) {
	return func(agents []measure.AgentResult) { change(&agents[len(agents)-1].Facts) }
}

// lateAbove makes a share of them late.
func lateAbove(share float64, ns int64) func([]measure.AgentResult) {
	return func(agents []measure.AgentResult) {
		h := measure.NewHistogram()
		for i := range 2000 {
			if float64(i) < share*2000 {
				h.Record(ns)
			} else {
				h.Record(0)
			}
		}
		agents[0].Latencies[measure.PacerLateness], _ = h.Encode()
	}
}

// apart puts the agents on two machines with this clock bound each.
func apart(bound int64) func([]measure.AgentResult) {
	return func(agents []measure.AgentResult) {
		agents[0].Facts.MachineID, agents[0].Facts.ClockBound = "one", &bound
		agents[1].Facts.MachineID, agents[1].Facts.ClockBound = "two", &bound
	}
}

// unknownClocks puts the agents on two machines of which one has a clock that nothing
// disciplines.
func unknownClocks(agents []measure.AgentResult) {
	apart(ms)(agents)
	agents[1].Facts.ClockBound = nil
}
