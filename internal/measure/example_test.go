package measure_test

import (
	"fmt"
	"time"

	"dec.local/dec/internal/measure"
)

// Histograms of two agents are merged, and the percentile is taken of the whole:
// the mean of both percentiles would be a number that nobody saw.
// The last one is absent: 1,000 samples leave too few beyond it.
func ExampleHistogram_Merge() {
	quick, slow := measure.NewHistogram(), measure.NewHistogram()
	for range 900 {
		quick.Record(int64(time.Millisecond))
	}
	for range 100 {
		slow.Record(int64(50 * time.Millisecond))
	}
	quick.Merge(slow)
	for _, q := range []float64{0.5, 0.9, 0.95, 0.999} {
		ns, ok := quick.Quantile(q)
		fmt.Println(q, time.Duration(ns).Round(time.Millisecond), ok)
	}
	// Output:
	// 0.5 1ms true
	// 0.9 1ms true
	// 0.95 50ms true
	// 0.999 0s false
}
