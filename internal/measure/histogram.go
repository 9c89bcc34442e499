package measure

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

const (
	// maxLatency is the largest duration that a histogram resolves.
	maxLatency = int64(time.Hour)
	// digits is the number of significant decimal digits kept: a value is off
	// by at most one part in 2048.
	digits = 3
	// support is the number of samples that must lie beyond a quantile.
	support = 10
)

// Histogram counts durations in nanoseconds, from 1 µs (and below: the unit is
// 1 ns, so that three digits hold at 1 µs too) to one hour. No sample is
// dropped or clamped silently: zero is a value of its own, and values that the
// scale can't hold, negative ones and those above one hour, are counted apart,
// take part in the ranks and survive encoding and merging.
//
// A Histogram takes about 280 KB. It is not safe for use by several goroutines.
type Histogram struct {
	hdr      *hdrhistogram.Histogram
	negative int64
	lowest   int64 // the most negative value, 0 if none
	overflow int64
}

// NewHistogram returns an empty histogram.
func NewHistogram() *Histogram {
	return &Histogram{hdr: hdrhistogram.New(1, maxLatency, digits)}
}

// Record counts one duration in nanoseconds.
func (h *Histogram) Record(ns int64) { h.RecordMany(ns, 1) }

// RecordMany counts one duration n times.
func (h *Histogram) RecordMany(ns, n int64) {
	switch {
	case n <= 0:
	case ns > maxLatency || ns >= 0 && h.hdr.RecordValues(ns, n) != nil:
		h.overflow += n
	case ns < 0:
		h.negative += n
		h.lowest = min(h.lowest, ns)
	}
}

// Count is the number of samples, those counted apart included.
func (h *Histogram) Count() int64 { return h.hdr.TotalCount() + h.negative + h.overflow }

// Merge adds the samples of another histogram. The result is exactly what one
// histogram would hold that had recorded both.
func (h *Histogram) Merge(from *Histogram) {
	h.overflow += from.overflow + h.hdr.Merge(from.hdr) // same geometry: nothing is dropped below 2^63 samples
	h.negative += from.negative
	h.lowest = min(h.lowest, from.lowest)
}

// Reset forgets all samples.
func (h *Histogram) Reset() {
	if h.Count() == 0 {
		return
	}
	h.hdr.Reset()
	h.negative, h.lowest, h.overflow = 0, 0, 0
}

// Quantile returns the value at nearest rank ceil(q·n) among all n samples, for
// q in (0, 1]. It is false when fewer than 10 samples lie beyond that rank, or
// when the rank falls among the values above one hour, whose size is unknown.
// Ranks among the negative values give their lowest.
func (h *Histogram) Quantile(q float64) (ns int64, ok bool) {
	n := h.Count()
	rank := nearestRank(q, n)
	if n-rank < support {
		return 0, false
	}
	return h.atRank(rank)
}

// nearestRank is ceil(q·n), at least 1. A product that is a whole number up to
// the rounding of q as a binary fraction counts as whole: 0.999·10,000 is 9,990
// and not 9,991.
func nearestRank(q float64, n int64) int64 {
	product := q * float64(n)
	if whole := math.Round(product); math.Abs(product-whole) <= whole*1e-15 {
		product = whole
	}
	return min(max(1, int64(math.Ceil(product))), n)
}

// atRank returns the value of a rank from 1 to Count.
func (h *Histogram) atRank(rank int64) (ns int64, ok bool) {
	if rank <= h.negative {
		return h.lowest, true
	}
	rank -= h.negative
	n := h.hdr.TotalCount()
	if rank > n {
		return 0, false
	}
	// The library rounds p·n/100 to the nearest rank, which is our rank for any
	// p within half a sample of it; its own quantiles are up to a rank low.
	p := (float64(rank) - 0.25) * 100 / float64(n)
	return min(h.hdr.ValueAtPercentilesSlice([]float64{p})[0], maxLatency), true
}

// lowestValue is the smallest value; 0 for an empty histogram.
func (h *Histogram) lowestValue() int64 {
	switch {
	case h.negative > 0:
		return h.lowest
	case h.hdr.TotalCount() == 0 || h.zeros() > 0:
		return 0
	}
	return min(h.hdr.Min(), maxLatency)
}

// mean counts what is above one hour as one hour. Negative values take no part.
func (h *Histogram) mean() float64 {
	n := h.hdr.TotalCount()
	if n+h.overflow == 0 {
		return 0
	}
	return (h.hdr.Mean()*float64(n) + float64(h.overflow)*float64(maxLatency)) / float64(n+h.overflow)
}

// zeros counts the samples of exactly 0 ns.
func (h *Histogram) zeros() int64 {
	n := h.hdr.TotalCount()
	if n == 0 || h.hdr.Min() > 0 && h.hdr.ValueAtPercentilesSlice([]float64{0})[0] > 0 {
		return 0
	}
	// The first bucket holds 0 alone; find its size by its last rank.
	low, high := int64(0), n
	for low < high {
		mid := low + (high-low+1)/2
		p := (float64(mid) - 0.25) * 100 / float64(n)
		if h.hdr.ValueAtPercentilesSlice([]float64{p})[0] == 0 {
			low = mid
		} else {
			high = mid - 1
		}
	}
	return low
}

// Encode returns the histogram in HdrHistogram's compressed V2 encoding, in
// base64. Samples counted apart have no place there: if there are any, they
// follow as ";negative=<count>,<lowest>" and ";overflow=<count>".
func (h *Histogram) Encode() (string, error) {
	data, err := h.hdr.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
	if err != nil {
		return "", fmt.Errorf("encode histogram: %w", err)
	}
	s := string(data)
	if h.negative > 0 {
		s += fmt.Sprintf(";negative=%d,%d", h.negative, h.lowest)
	}
	if h.overflow > 0 {
		s += fmt.Sprintf(";overflow=%d", h.overflow)
	}
	return s, nil
}

// DecodeHistogram reads what [Histogram.Encode] wrote. The empty string is an
// empty histogram. A histogram of another scale is refused, because merging it
// would not be exact.
func DecodeHistogram(s string) (*Histogram, error) {
	h := NewHistogram()
	if s == "" {
		return h, nil
	}
	data, rest, _ := strings.Cut(s, ";")
	// Only this scale may be decoded: others could ask for much memory.
	if len(data) > maxEncoded {
		return nil, fmt.Errorf("decode histogram: %d characters; at most %d are possible", len(data), maxEncoded)
	}
	decoded, err := hdrhistogram.Decode([]byte(data))
	if err != nil {
		return nil, fmt.Errorf("decode histogram: %w", err)
	}
	if decoded.LowestTrackableValue() != 1 || decoded.HighestTrackableValue() != maxLatency || decoded.SignificantFigures() != digits {
		return nil, fmt.Errorf("decode histogram: scale %d to %d with %d digits, want 1 to %d with %d",
			decoded.LowestTrackableValue(), decoded.HighestTrackableValue(), decoded.SignificantFigures(), maxLatency, digits)
	}
	h.hdr = decoded
	for rest != "" {
		var part string
		part, rest, _ = strings.Cut(rest, ";")
		if err := h.decodeApart(part); err != nil {
			return nil, fmt.Errorf("decode histogram: %q: %w", part, err)
		}
	}
	return h, nil
}

// maxEncoded bounds an encoded histogram: 34,816 counts of at most 9 bytes,
// incompressible, in base64.
const maxEncoded = 34_816*9*4/3 + 1024

// decodeApart reads one "name=value" of samples counted apart.
func (h *Histogram) decodeApart(part string) (err error) {
	name, value, _ := strings.Cut(part, "=")
	count, lowest, _ := strings.Cut(value, ",")
	n, err := strconv.ParseInt(count, 10, 64)
	if err != nil {
		return err
	}
	if n <= 0 || n > math.MaxInt64/4 {
		return fmt.Errorf("%d is not a count", n)
	}
	switch name {
	case "negative":
		h.negative = n
		if h.lowest, err = strconv.ParseInt(lowest, 10, 64); err != nil {
			return err
		}
		if h.lowest >= 0 {
			return fmt.Errorf("%d is not negative", h.lowest)
		}
	case "overflow":
		h.overflow = n
	default:
		return fmt.Errorf("unknown count")
	}
	return nil
}
