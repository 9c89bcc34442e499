package measure_test

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"dec.local/dec/internal/measure"
)

func histogramOf(values ...int64) *measure.Histogram {
	h := measure.NewHistogram()
	for _, v := range values {
		h.Record(v)
	}
	return h
}

func encode(tb testing.TB, h *measure.Histogram) string {
	tb.Helper()
	s, err := h.Encode()
	if err != nil {
		tb.Fatalf("Encode() = %v, want no error", err)
	}
	return s
}

// near reports whether got is a recorded value up to three digits, rounded up.
func near(got, want int64) bool { return got >= want && float64(got-want) <= float64(want)/1024 }

func TestQuantileIsTheNearestRank(t *testing.T) {
	// 0.9999 · 655,360 = 655,294.464: the rank is 655,295. One that is rounded
	// instead misses the step and is off by a factor of 1,800.
	const n, step = 655_360, 655_295
	h := measure.NewHistogram()
	for rank := range n {
		if rank+1 < step {
			h.Record(int64(time.Second))
		} else {
			h.Record(int64(time.Hour) / 2)
		}
	}
	if got, ok := h.Quantile(0.9999); !ok || !near(got, int64(time.Hour)/2) {
		t.Errorf("Quantile(0.9999) = %s, %t, want 30m", time.Duration(got), ok)
	}
	if got, ok := h.Quantile(0.99989); !ok || !near(got, int64(time.Second)) {
		t.Errorf("Quantile(0.99989) = %s, %t, want 1s", time.Duration(got), ok)
	}
}

func TestQuantileAgreesWithASortedSlice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Int64Range(0, int64(time.Hour)), 1, 400).Draw(t, "values")
		perMille := rapid.IntRange(1, 1000).Draw(t, "per mille")
		h := histogramOf(values...)
		slices.Sort(values)
		n := len(values)
		rank := (perMille*n + 999) / 1000 // ceil, in whole numbers
		got, ok := h.Quantile(float64(perMille) / 1000)
		if supported := n-rank >= 10; ok != supported {
			t.Fatalf("Quantile(%d ‰ of %d) is supported: %t, want %t", perMille, n, ok, supported)
		}
		if ok && !near(got, values[rank-1]) {
			t.Fatalf("Quantile(%d ‰ of %d) = %d, want %d", perMille, n, got, values[rank-1])
		}
	})
}

func TestSummaryDropsNothing(t *testing.T) {
	const over = int64(time.Hour) + 1
	tests := map[string]struct {
		values []int64
		want   measure.Latency
	}{
		"nothing":                       {nil, measure.Latency{}},
		"three digits at a microsecond": {[]int64{1001, 1003}, measure.Latency{Count: 2, MinNS: 1001, MaxNS: new(int64(1003)), MeanNS: new(float64(1002))}},
		"zero is a value":               {[]int64{0, 0, 2}, measure.Latency{Count: 3, Zero: 2, MinNS: 0, MaxNS: new(int64(2)), MeanNS: new(float64(2.0 / 3))}},
		"negative ones are counted":     {[]int64{-5, -7, 4}, measure.Latency{Count: 3, Negative: 2, MinNS: -7, MaxNS: new(int64(4)), MeanNS: new(float64(4))}},
		"one hour still fits":           {[]int64{over - 1}, measure.Latency{Count: 1, MinNS: 3599182594048, MaxNS: new(int64(over - 1)), MeanNS: new(float64(3600256335872))}},
		"beyond one hour is counted":    {[]int64{over, 4, math.MaxInt64}, measure.Latency{Count: 3, Overflow: 2, MinNS: 4, MaxAtLeastNS: new(over - 1), MeanAtLeastNS: new((2*float64(over-1) + 4) / 3)}},
		"only negative ones":            {[]int64{-1}, measure.Latency{Count: 1, Negative: 1, MinNS: -1, MaxNS: new(int64(-1)), MeanNS: new(0.0)}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			h := histogramOf(tt.values...)
			if diff := cmp.Diff(tt.want, h.Summary()); diff != "" {
				t.Errorf("Summary() of %v differs (-want +got):\n%s", tt.values, diff)
			}
			again, err := measure.DecodeHistogram(encode(t, h))
			if err != nil {
				t.Fatalf("DecodeHistogram(Encode()) = %v, want no error", err)
			}
			if diff := cmp.Diff(tt.want, again.Summary()); diff != "" {
				t.Errorf("Summary() after encoding differs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSamplesCountedApartTakePartInTheRanks(t *testing.T) {
	h := measure.NewHistogram()
	for range 50 {
		h.Record(-3)
		h.Record(int64(2 * time.Hour))
	}
	if got, ok := h.Quantile(0.5); !ok || got != -3 {
		t.Errorf("Quantile(0.5) = %d, %t, want -3", got, ok)
	}
	if got, ok := h.Quantile(0.51); ok {
		t.Errorf("Quantile(0.51) = %d, want absent: it is above one hour", got)
	}
}

// sample draws any duration, most of them on the scale.
var sample = rapid.OneOf(rapid.Int64Range(0, int64(time.Second)), rapid.Int64Range(-10, 10), rapid.Int64())

func TestMergingPartsEqualsTheWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOf(sample).Draw(t, "values")
		whole := histogramOf(values...)
		parts := []*measure.Histogram{measure.NewHistogram(), measure.NewHistogram(), measure.NewHistogram()}
		for _, v := range values {
			parts[rapid.IntRange(0, 2).Draw(t, "part")].Record(v)
		}
		merged := measure.NewHistogram()
		for _, p := range parts {
			s, err := p.Encode()
			if err != nil {
				t.Fatal(err)
			}
			h, err := measure.DecodeHistogram(s)
			if err != nil {
				t.Fatal(err)
			}
			merged.Merge(h)
		}
		if diff := cmp.Diff(whole.Summary(), merged.Summary()); diff != "" {
			t.Fatalf("merged parts differ from the whole (-want +got):\n%s", diff)
		}
		got, _ := merged.Encode()
		if want, _ := whole.Encode(); got != want {
			t.Fatalf("merged parts encode as %s, want %s", got, want)
		}
		merged.Reset()
		if merged.Count() != 0 {
			t.Fatalf("Count() after Reset() = %d, want 0", merged.Count())
		}
	})
}

func TestDecodeHistogramRefuses(t *testing.T) {
	good := encode(t, histogramOf(1, 2, 3))
	coarse, err := hdrhistogram.New(1000, int64(time.Hour), 3).Encode(hdrhistogram.V2CompressedEncodingCookieBase)
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]string{
		"no base64":                 "§",
		"another format":            "AAAA",
		"an unknown count":          good + ";lost=3",
		"a count that is none":      good + ";overflow=x",
		"a negative count":          good + ";overflow=-1",
		"a positive negative value": good + ";negative=1,4",
		"a missing lowest value":    good + ";negative=1",
		"far too long":              strings.Repeat("A", 1<<20),
		"another scale":             string(coarse),
	}
	for name, s := range tests {
		t.Run(name, func(t *testing.T) {
			if h, err := measure.DecodeHistogram(s); err == nil {
				t.Errorf("DecodeHistogram(%.40q) = %+v, want an error", s, h.Summary())
			}
		})
	}
}

func FuzzDecodeHistogram(f *testing.F) {
	for _, h := range []*measure.Histogram{histogramOf(), histogramOf(1, 5, 1e9), histogramOf(-4, 0, math.MaxInt64)} {
		f.Add(encode(f, h))
	}
	f.Fuzz(func(t *testing.T, s string) {
		h, err := measure.DecodeHistogram(s)
		if err != nil {
			return
		}
		sum := measure.NewHistogram()
		sum.Record(7)
		sum.Merge(h)
		if l := h.Summary(); l.Max().NS != nil && l.MinNS > *l.Max().NS || l.Count < l.Zero+l.Negative+l.Overflow {
			t.Errorf("Summary() = %+v, want ordered figures", l)
		}
		again, err := measure.DecodeHistogram(encode(t, h))
		if err != nil {
			t.Fatalf("DecodeHistogram(Encode()) = %v, want no error", err)
		}
		if diff := cmp.Diff(h.Summary(), again.Summary()); diff != "" {
			t.Errorf("encoding changed it (-want +got):\n%s", diff)
		}
	})
}

func TestRecordAllocatesNothing(t *testing.T) {
	h := measure.NewHistogram()
	if got := testing.AllocsPerRun(1000, func() { h.Record(123_456); h.Record(-1); h.Record(math.MaxInt64) }); got != 0 {
		t.Errorf("Record() allocates %v times, want 0", got)
	}
}

func BenchmarkRecord(b *testing.B) {
	h := measure.NewHistogram()
	for i := int64(0); b.Loop(); i++ {
		h.Record(i & 0xfffff)
	}
}

func BenchmarkEncodeASecond(b *testing.B) {
	h := measure.NewHistogram()
	for i := range int64(20_000) {
		h.Record(300_000 + i*i%3_000_000)
	}
	for b.Loop() {
		encode(b, h)
	}
}
