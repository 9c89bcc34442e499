package report

import (
	"math"
	"slices"

	"dec.local/dec/internal/comparison"
	"dec.local/dec/internal/measure"
	"dec.local/dec/internal/stats"
)

// perNine is how many quantiles are drawn per nine: 0 to 0.9, 0.9 to 0.99, ….
const perNine = 40

// nines are the labelled quantiles of the axis, which is 1/(1−q) on a log scale.
var nines = []struct {
	q     float64
	label string
}{{0, "min"}, {0.5, "p50"}, {0.9, "p90"}, {0.99, "p99"}, {0.999, "p99.9"}, {0.9999, "p99.99"}, {0.99999, "p99.999"}}

// beyond is the axis value of a quantile.
func beyond(q float64) float64 { return 1 / (1 - q) }

// curve is a distribution at the shared quantiles; shorter where they lack
// samples beyond them.
type curve struct {
	run    *comparison.Run
	values []float64 // ns
}

// sharedQuantiles are the quantiles at which every curve is drawn.
func sharedQuantiles() []float64 {
	last := nines[len(nines)-1].q
	n := int(math.Round(perNine * math.Log10(beyond(last))))
	qs := make([]float64, n+1)
	for i := range qs {
		qs[i] = 1 - math.Pow(10, -float64(i)/perNine)
	}
	return qs
}

// curveOf reads a distribution at the shared quantiles, as far as they are known
// exactly.
func curveOf(o *measure.Observation) []float64 {
	var values []float64
	for _, q := range sharedQuantiles() {
		known := o.Quantile(q)
		if !known.Exact {
			break
		}
		values = append(values, math.Max(float64(*known.NS), 1e3)) // a log axis has no zero: 1 µs is the floor
	}
	return values
}

// curves are the distributions of a variant's counted runs, as far as they can be
// drawn.
func (v variant) curves(d measure.Distribution) []curve {
	var all []curve
	for _, r := range v.Counted() {
		if values := v.traces.runs[r.ID].curves[d]; len(values) > 1 {
			all = append(all, curve{r, values})
		}
	}
	return all
}

// medianCurve is the median over the runs at each quantile that all of them
// support. That is what the statistics compare; percentiles are not averaged.
func medianCurve(curves []curve) []float64 {
	if len(curves) == 0 {
		return nil
	}
	length := len(curves[0].values)
	for _, c := range curves {
		length = min(length, len(c.values))
	}
	medians := make([]float64, length)
	for i := range medians {
		var at []float64
		for _, c := range curves {
			at = append(at, c.values[i])
		}
		slices.Sort(at)
		medians[i] = stats.Median(at)
	}
	return medians
}

// percentileChart draws latency by percentile: a thin line per run and a bold
// one per variant. It is nil when there is nothing to draw.
func percentileChart(variants []variant, d measure.Distribution, title string) *chart {
	qs := sharedQuantiles()
	all := make([][]curve, len(variants))
	longest, low, high := 0, math.Inf(1), 0.0
	for i, v := range variants {
		all[i] = v.curves(d)
		for _, c := range all[i] {
			longest = max(longest, len(c.values))
			low, high = min(low, c.values[0]), max(high, c.values[len(c.values)-1])
		}
	}
	if longest == 0 {
		return nil
	}
	low, high = padded(low, high, true)
	c := &chart{ID: "percentiles-" + string(d), Title: title,
		Width: 960, Height: 400, Left: 78, Right: 960 - gutter(110, 300, names(variants)...), Top: 14, Bottom: 350,
		XLabel: "percentile; each nine has the same width", YLabel: "latency, log scale"}
	x := scale{low: 1, high: beyond(qs[longest-1]), from: c.Left, to: c.Right, log: true}
	y := scale{low: low, high: high, from: c.Bottom, to: c.Top, log: true}
	for _, nine := range nines {
		if beyond(nine.q) <= x.high*1.001 {
			c.X = append(c.X, tick{x.at(beyond(nine.q)), nine.label})
		}
	}
	c.Y = y.ticks(7, compactTick)
	c.addCurves(variants, all, func(i int, ns float64) (float64, float64) { return x.at(beyond(qs[i])), y.at(ns) })
	c.Desc = "Latency from the intended send time by percentile. Thin lines are runs, bold lines the median of a variant's runs " +
		"at each percentile. The table of figures has the same numbers."
	return c
}

// addCurves draws the runs first, so that no median is covered.
func (c *chart) addCurves(variants []variant, all [][]curve, place func(i int, ns float64) (x, y float64)) {
	draw := func(values []float64) string {
		var p path
		for i, ns := range values {
			p.point(place(i, ns))
		}
		return p.text.String()
	}
	for i, v := range variants {
		for _, curve := range all[i] {
			c.Lines = append(c.Lines, line{Path: draw(curve.values), Slot: v.slot, Class: "run", Title: curve.run.Name()})
		}
	}
	var ends []label
	for i, v := range variants {
		medians := medianCurve(all[i])
		if len(medians) == 0 {
			continue
		}
		c.Lines = append(c.Lines, line{Path: draw(medians), Slot: v.slot, Class: "median", Title: v.Name() + ", median of its runs"})
		_, y := place(len(medians)-1, medians[len(medians)-1])
		ends = append(ends, label{X: c.Right + 8, Y: y + 4, Text: v.shortened(fitting(c.Width - c.Right)), Anchor: "start", Class: "end"})
	}
	separate(ends, 15)
	c.Labels = append(c.Labels, ends...)
}
