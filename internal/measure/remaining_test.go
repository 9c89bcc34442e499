//go:build !race

package measure_test

import (
	"testing"
	"time"

	"dec.local/dec/internal/measure"
)

// TestWhatTheRetentionCannotHaveDeletedIsLost loses messages before and behind the
// oldest ones that the partitions still hold.
func TestWhatTheRetentionCannotHaveDeletedIsLost(t *testing.T) {
	const warmup = 200
	held := func(seqs ...uint64) (payloads [][]byte) {
		for _, seq := range seqs {
			payloads = append(payloads, payloadOf(measure.Header{Run: run, Key: measure.NoKey, Seq: seq}, 100))
		}
		return payloads
	}
	tests := map[string]struct {
		expired    bool
		partitions int
		held       map[int][][]byte // by partition
		aged, lost int64
	}{
		"nothing expired":                     {false, 1, map[int][][]byte{0: held(warmup + 51)}, 0, 4},
		"one partition":                       {true, 1, map[int][][]byte{0: held(warmup+51, warmup+60)}, 2, 2},
		"the later of two partitions counts":  {true, 2, map[int][][]byte{0: held(warmup + 1), 1: held(warmup + 51)}, 2, 2},
		"one of two partitions holds nothing": {true, 2, map[int][][]byte{0: held(warmup + 51)}, 4, 0},
		"nothing is held":                     {true, 1, nil, 4, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := scenario{fates: make([]fate, 100), latencies: make([]int64, 100), drain: time.Second}
			for _, n := range []int{10, 20, 70, 80} { // acknowledged, and gone
				c.fates[n] = undelivered
			}
			c.remaining.Expired = tt.expired
			for partition, payloads := range tt.held {
				for _, payload := range payloads {
					c.remaining.Hold(partition, payload, run)
				}
			}
			c.remaining.Close(tt.partitions)
			got := c.result(t).Counts
			if got.AgedOut != tt.aged || got.Lost != tt.lost || got.Undelivered != 0 {
				t.Errorf("%d aged out, %d lost, %d undelivered, want %d, %d and none", got.AgedOut, got.Lost, got.Undelivered, tt.aged, tt.lost)
			}
		})
	}
}

// TestWhatWasUnderWayAtOnceMayHaveExpired allows for another order in the partition.
func TestWhatWasUnderWayAtOnceMayHaveExpired(t *testing.T) {
	c := scenario{fates: make([]fate, 100), latencies: make([]int64, 100), drain: time.Second, inFlight: 25}
	for _, n := range []int{70, 80} {
		c.fates[n] = undelivered
	}
	c.remaining.Expired = true
	c.remaining.Hold(0, payloadOf(measure.Header{Run: run, Key: measure.NoKey, Seq: 251}, 100), run)
	c.remaining.Close(1)
	if got := c.result(t).Counts; got.AgedOut != 1 || got.Lost != 1 {
		t.Errorf("%d aged out and %d lost, want one of each: 25 may be under way at once", got.AgedOut, got.Lost)
	}
}
