package measure

import (
	"math"
	"time"
)

// StallQuantile returns the quantile q that latencies from the intended time
// have when a system that is otherwise immediate stands still for the given
// stall, once in a run, under an even load. Rate is the offered load and drain
// the speed at which the system works off what has queued, in messages per
// second; drain is +Inf where everything is released at once, and must exceed
// rate.
//
// A message due x seconds into a stall of S is the rate·x-th of the queue. It
// leaves at S + rate·x/drain, so its latency is S − x·(drain−rate)/drain: a
// straight line down to zero at x = S·drain/(drain−rate). Latencies are
// therefore uniform on (0, S) for the share s = S·drain/((drain−rate)·T) of a
// run of T, and zero for the others; the quantile is S·(1 − (1−q)/s) for
// q > 1−s. A stall that is not worked off when the run ends, or is longer than
// it, is out of scope.
func StallQuantile(q float64, stall, run time.Duration, rate, drain float64) time.Duration {
	share := float64(stall) / float64(run)
	if !math.IsInf(drain, 1) {
		share *= drain / (drain - rate)
	}
	if q <= 1-share {
		return 0
	}
	return time.Duration(float64(stall) * (1 - (1-q)/share))
}
