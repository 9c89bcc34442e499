package main

import (
	"testing"
	"time"
)

func TestATotalIsInterpolated(t *testing.T) {
	start := time.Now()
	second := func(n float64) time.Time { return start.Add(time.Duration(n * float64(time.Second))) }
	var s series
	for n, total := range []float64{10, 20, 60} {
		s.add(second(float64(n)), total)
	}
	tests := map[string]struct {
		from, until float64
		want        float64
	}{
		"between two moments":            {0.25, 1.75, 37.5},
		"at the moments themselves":      {0, 2, 50},
		"not before the first":           {-1, 1, 10},
		"not after the last":             {1, 9, 40},
		"nothing where there is no time": {1, 1, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := s.between(window{second(tt.from), second(tt.until)}); got != tt.want {
				t.Errorf("between(%v, %v) = %v, want %v", tt.from, tt.until, got, tt.want)
			}
		})
	}
}
