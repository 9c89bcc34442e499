//go:build !race

package measure_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"dec.local/dec/internal/measure"
)

// TestLatenessRaisedNoQuantileByMore draws latencies of which a part is lateness, in any
// dependence, and compares with what the quantiles would have been without it.
func TestLatenessRaisedNoQuantileByMore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const n = 2000
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		spikes := rapid.Float64Range(0, 0.2).Draw(t, "share of late messages")
		tail := rapid.Float64Range(0, 3).Draw(t, "tail of the latencies")
		together := rapid.Bool().Draw(t, "late are the slow ones")
		own, late := make([]int64, n), make([]int64, n)
		for i := range own {
			own[i] = ms + int64(random.ExpFloat64()*tail*float64(ms))
			if random.Float64() < spikes || together && own[i] > 4*ms {
				late[i] = int64(random.ExpFloat64() * 3 * float64(ms))
			}
		}
		c := scenario{fates: make([]fate, n), latencies: make([]int64, n), drain: time.Second}
		// A pacer that is late is so for the next one, too, until it has caught up: 5 ms are enough.
		for i := range late {
			late[i] = min(late[i], 4*ms)
			c.latencies[i] = own[i] + late[i]
		}
		c.late = func(seq uint64) int64 {
			if seq < 200 {
				return 0
			}
			return late[seq-200]
		}
		got := c.result(t)
		for name, quantile := range map[string]struct {
			q    float64
			all  measure.Bound
			rise int64
		}{
			"p50": {0.5, got.E2E.Quantile("p50"), got.Raised[measure.E2ELatency]["p50"]},
			"p95": {0.95, got.E2E.Quantile("p95"), got.Raised[measure.E2ELatency]["p95"]},
			"p99": {0.99, got.E2E.Quantile("p99"), got.Raised[measure.E2ELatency]["p99"]},
		} {
			sorted := slices.Sorted(slices.Values(own))
			without := sorted[int(quantile.q*n)-1]
			// Histograms keep three digits.
			if least := *quantile.all.NS - quantile.rise; float64(least) > float64(without)*1.003+float64(*quantile.all.NS)*0.003 {
				t.Errorf("%s = %d ns, raised by at most %d ns, but it would have been %d ns", name, *quantile.all.NS, quantile.rise, without)
			}
		}
		if spikes == 0 && !together && got.Raised[measure.E2ELatency]["p99"] > int64(100*time.Microsecond) {
			t.Errorf("nothing was late, and p99 may be raised by %d ns", got.Raised[measure.E2ELatency]["p99"])
		}
	})
}
