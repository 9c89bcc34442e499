package agent

import (
	"math"
	"runtime/metrics"
	"time"

	"dec.local/dec/internal/measure"
)

// waits are how long goroutines that were ready waited for a thread to run on: counts of
// the buckets that Go's runtime has, with their upper bounds in seconds.
type waits struct {
	counts []uint64
	bounds []float64
}

// readRuntime reads the counters of Go's runtime.
func readRuntime() (waits, float64) {
	samples := []metrics.Sample{{Name: "/sched/latencies:seconds"}, {Name: "/cpu/classes/gc/mark/assist:cpu-seconds"}}
	metrics.Read(samples)
	h := samples[0].Value.Float64Histogram()
	return waits{append([]uint64(nil), h.Counts...), h.Buckets[1:]}, samples[1].Value.Float64()
}

// since returns the waits after an earlier reading.
func (w waits) since(before waits) waits {
	since := waits{make([]uint64, len(w.counts)), w.bounds}
	for i, n := range w.counts {
		since.counts[i] = n - before.counts[i]
	}
	return since
}

// latency summarises the waits, each as its bucket's upper bound.
func (w waits) latency() *measure.Latency {
	h := measure.NewHistogram()
	for i, n := range w.counts {
		ns := int64(math.MaxInt64)
		if bound := w.bounds[i] * float64(time.Second); bound < math.MaxInt64 {
			ns = int64(bound)
		}
		h.RecordMany(ns, int64(n))
	}
	return new(h.Summary())
}
