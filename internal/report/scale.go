package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"dec.local/dec/internal/format"
)

// scale maps values to positions in a drawing.
type scale struct {
	low, high float64 // values
	from, to  float64 // positions
	log       bool
}

// at returns the position of a value.
func (s scale) at(value float64) float64 {
	low, high := s.low, s.high
	if s.log {
		low, high, value = math.Log(low), math.Log(high), math.Log(value)
	}
	if high == low {
		return (s.from + s.to) / 2
	}
	return s.from + (value-low)/(high-low)*(s.to-s.from)
}

// tick is a labelled position on an axis.
type tick struct {
	At    float64
	Label string
}

// ticks labels round values of the scale, about that many.
func (s scale) ticks(count int, format func(float64) string) []tick {
	var values []float64
	if s.log && s.high/s.low > 5 {
		values = decades(s.low, s.high, count)
	} else {
		values = steps(s.low, s.high, count)
	}
	ticks := make([]tick, len(values))
	for i, value := range values {
		ticks[i] = tick{s.at(value), format(value)}
	}
	return ticks
}

// decades returns the powers of ten within a range, with their double and
// fivefold while these are not too many.
func decades(low, high float64, count int) []float64 {
	for _, multiples := range [][]float64{{1, 2, 5}, {1, 3}, {1}} {
		var values []float64
		for e := math.Floor(math.Log10(low)); e <= math.Ceil(math.Log10(high)); e++ {
			for _, m := range multiples {
				if value := m * math.Pow(10, e); value >= low*(1-1e-9) && value <= high*(1+1e-9) {
					values = append(values, value)
				}
			}
		}
		if len(values) <= count || len(multiples) == 1 {
			return values
		}
	}
	return nil
}

// steps returns multiples of a round step within a range.
func steps(low, high float64, count int) []float64 {
	if high <= low {
		return []float64{low}
	}
	step := math.Pow(10, math.Floor(math.Log10((high-low)/float64(count))))
	for _, m := range []float64{1, 2, 5, 10} {
		if (high-low)/(step*m) <= float64(count) {
			step *= m
			break
		}
	}
	var values []float64
	for value := math.Ceil(low/step-1e-9) * step; value <= high+step*1e-9; value += step {
		values = append(values, value)
	}
	return values
}

// padded widens a range so that nothing touches the frame.
func padded(low, high float64, log bool) (from, to float64) {
	if log {
		factor := math.Pow(high/low, 0.06)
		factor = math.Max(factor, 1.03)
		return low / factor, high * factor
	}
	margin := math.Max((high-low)*0.06, math.Abs(high)*0.02)
	return low - margin, high + margin
}

// round returns the number in drawings: a tenth of a pixel is enough.
func round(x float64) string {
	return strings.TrimSuffix(strconv.FormatFloat(x, 'f', 1, 64), ".0")
}

// path draws a line through points and breaks it at gaps.
type path struct {
	text strings.Builder
	down bool
}

func (p *path) point(x, y float64) {
	command := "L"
	if !p.down {
		command = "M"
	}
	p.down = true
	fmt.Fprintf(&p.text, "%s%s %s", command, round(x), round(y))
}

// gap lifts the pen.
func (p *path) gap() { p.down = false }

// compactTick shortens the unit of axis labels: "1 ms" instead of "1.00 ms".
func compactTick(ns float64) string {
	value, unit, _ := strings.Cut(format.Nanoseconds(ns), " ")
	return format.TrimZeros(value) + " " + unit
}

// compactWait labels an axis of waits, which begins at 0.
func compactWait(ns float64) string {
	if ns == 0 {
		return "0"
	}
	return compactTick(ns)
}

// compactCount labels an axis of rates or counts: "20k".
func compactCount(n float64) string {
	for _, unit := range []struct {
		name string
		size float64
	}{{"M", 1e6}, {"k", 1e3}} {
		if math.Abs(n) >= unit.size {
			return format.Short(n/unit.size) + unit.name
		}
	}
	return format.Short(n)
}
