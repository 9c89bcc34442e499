package measure_test

import (
	"testing"

	"dec.local/dec/internal/measure"
)

// TestClocksLimitWhatIsKnown measures 7,654,321 ns end to end, as agents with different
// clocks see it.
func TestClocksLimitWhatIsKnown(t *testing.T) {
	const unknown, absent = int64(-1), int64(-1)
	one := func(producer, consumer int64) func([]measure.AgentResult) {
		return func(agents []measure.AgentResult) {
			agents[0].Facts.ClockStepNS, agents[1].Facts.ClockStepNS = producer, consumer
		}
	}
	set := func(bound, step int64) func([]measure.AgentResult) {
		return func(agents []measure.AgentResult) {
			apart(bound)(agents)
			agents[1].Facts.ClockStepNS = step
		}
	}
	tests := map[string]struct {
		change func([]measure.AgentResult)
		bound  int64
		p50    int64
	}{
		"one clock":                                   {one(0, 0), 0, 7_655_423},
		"one clock that both saw being set":           {one(3*s, 3*s), 0, 7_655_423},
		"one clock that was set between their starts": {one(-2*ms, 0), 2 * ms, 8 * ms},
		"two that agree to 200 µs":                    {apart(100 * us), 200 * us, 7_700 * us},
		"two that agree to 2 ms":                      {apart(ms), 2 * ms, 8 * ms},
		"two that agree to 8 ms":                      {apart(4 * ms), 8 * ms, absent},
		"one of two was set back":                     {set(100*us, -ms), 1200 * us, 8 * ms},
		"one of two is unknown":                       {unknownClocks, unknown, 7_655_423},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			agents := flow(func(string, uint64) int64 { return 7_654_321 }, "g", "h")
			tt.change(agents)
			r, err := measure.Merge(measure.Asked{Workload: workload(1, 2), Due: every(5 * ms)}, agents)
			if err != nil {
				t.Fatal(err)
			}
			if got := orNegative(r.ClockBound); got != tt.bound {
				t.Errorf("ClockBound = %d ns, want %d", got, tt.bound)
			}
			if got := orNegative(r.E2E.P50NS); got != tt.p50 {
				t.Errorf("p50 = %d ns, want %d", got, tt.p50)
			}
			if got := orNegative(r.Groups["h"].E2E.P50NS); got != tt.p50 {
				t.Errorf("p50 of a group = %d ns, want %d", got, tt.p50)
			}
		})
	}
}

func orNegative(ns *int64) int64 {
	if ns == nil {
		return -1
	}
	return *ns
}
