package measure_test

import (
	"math"
	"testing"
	"time"

	"dec.local/dec/internal/measure"
)

// stalledBroker plays an open-loop load of the given rate through a broker that
// is immediate, but stands still once and then works off what has queued at the
// speed of drain, in virtual time. It returns the latencies from intended time.
func stalledBroker(at, stall, run time.Duration, rate, drain float64) *measure.Histogram {
	h := measure.NewHistogram()
	free := 0.0 // when the broker can take the next message, ns
	spacing := 0.0
	if !math.IsInf(drain, 1) {
		spacing = 1e9 / drain
	}
	for i := range int(rate * run.Seconds()) {
		intended := float64(i) * 1e9 / rate
		served := max(intended, free)
		if served >= float64(at) && served < float64(at+stall) {
			served = float64(at + stall)
		}
		free = served + spacing
		h.Record(int64(served - intended))
	}
	return h
}

func TestStallQuantileAgreesWithASimulation(t *testing.T) {
	tests := map[string]struct {
		stall, run  time.Duration
		rate, drain float64
	}{
		"3 s in 30 s at 1,000/s, released at once":    {3 * time.Second, 30 * time.Second, 1000, math.Inf(1)},
		"3 s in 30 s at 1,000/s, drained at 100,000":  {3 * time.Second, 30 * time.Second, 1000, 100_000},
		"3 s in 30 s at 20,000/s, drained at 100,000": {3 * time.Second, 30 * time.Second, 20_000, 100_000},
		"1 s in 20 s at 500/s, drained at 1,000":      {time.Second, 20 * time.Second, 500, 1000},
		"3 s in 60 s at 1,000/s, released at once":    {3 * time.Second, 60 * time.Second, 1000, math.Inf(1)},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			h := stalledBroker(tt.run/3, tt.stall, tt.run, tt.rate, tt.drain)
			for _, q := range []float64{0.5, 0.9, 0.92, 0.95, 0.96, 0.99} {
				got, ok := h.Quantile(q)
				want := measure.StallQuantile(q, tt.stall, tt.run, tt.rate, tt.drain)
				// One message of the run, and one unit of the histogram.
				tolerance := 0.001*float64(want) + 2e9/tt.rate
				if !ok || math.Abs(float64(got)-float64(want)) > tolerance {
					t.Errorf("StallQuantile(%v) = %s, the simulation has %s", q, want, time.Duration(got))
				}
			}
		})
	}
}

// TestTheNaiveFormIsLow keeps the reason why the drain stands in the formula:
// without it p95 at 20,000/s, drained at 100,000, would be 1.5 s, not 1.8 s.
func TestTheNaiveFormIsLow(t *testing.T) {
	naive := measure.StallQuantile(0.95, 3*time.Second, 30*time.Second, 20_000, math.Inf(1))
	full := measure.StallQuantile(0.95, 3*time.Second, 30*time.Second, 20_000, 100_000)
	if want := 1500 * time.Millisecond; naive.Round(time.Microsecond) != want {
		t.Errorf("StallQuantile(0.95), released at once = %s, want %s", naive, want)
	}
	if want := 1800 * time.Millisecond; full.Round(time.Microsecond) != want {
		t.Errorf("StallQuantile(0.95), drained = %s, want %s", full, want)
	}
}
