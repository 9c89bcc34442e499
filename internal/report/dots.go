package report

import (
	"fmt"
	"math"
	"slices"
	"unicode/utf8"

	"dec.local/dec/internal/comparison"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/format"
	"dec.local/dec/internal/stats"
)

const rowHeight = 44

// dotChart draws the primary metric of every run: a row per variant, a symbol
// per run, a bar at the median. Runs that do not count are hollow crosses.
func (d *Document) dotChart() *chart {
	metric := d.Stats.Metric
	low, high := math.Inf(1), 0.0
	variants := d.variants()
	for _, v := range variants {
		for _, run := range v.Runs {
			if value, ok := valueOf(run, metric); ok && value > 0 {
				low, high = min(low, value), max(high, value)
			}
		}
	}
	if high == 0 {
		return nil
	}
	low, high = padded(low, high, true)
	bottom := 14 + rowHeight*float64(len(variants))
	left := gutter(130, 320, names(variants)...)
	c := &chart{ID: "runs", Title: "Every run: " + metric.Title(), Width: 960, Height: bottom + 46, Left: left, Right: 730, Top: 14, Bottom: bottom,
		XLabel: metric.Title() + ", log scale",
		Desc:   "One symbol per run, with a bar at the median of the counted runs. Crosses are runs that are not counted."}
	x := scale{low: low, high: high, from: c.Left, to: c.Right, log: true}
	c.X = x.ticks(7, axisFormat(metric))
	for i, v := range variants {
		middle := c.Top + rowHeight*(float64(i)+0.5)
		c.Labels = append(c.Labels, label{X: c.Left - 10, Y: middle + 4, Text: v.shortened(fitting(left)), Anchor: "end", Class: "row"})
		c.addRow(v, metric, x, middle)
	}
	return c
}

// addRow draws the runs of one variant.
func (c *chart) addRow(v variant, metric experiment.Metric, x scale, middle float64) {
	var values []float64
	for i, run := range v.Runs {
		value, ok := valueOf(run, metric)
		if !ok || value <= 0 {
			continue
		}
		// A little up and down in the order of the runs, so that equal ones show.
		y := middle + float64(i%3-1)*6
		title := fmt.Sprintf("%s: %s", run.Name(), format.Value(metric.Unit(), value))
		m := mark{Slot: v.slot, Class: "counted", Title: title, Path: symbol(v.slot, x.at(value), y, 5)}
		if reason := run.Excluded(); reason != "" {
			m.Class, m.Path, m.Title = "excluded", cross(x.at(value), y, 4.5), m.Title+", "+reason
		} else {
			values = append(values, value)
		}
		c.Marks = append(c.Marks, m)
	}
	if len(values) == 0 {
		c.Labels = append(c.Labels, label{X: c.Right + 12, Y: middle + 4, Text: "no counted run", Anchor: "start", Class: "row"})
		return
	}
	slices.Sort(values)
	middleX := x.at(stats.Median(values))
	c.Lines = append(c.Lines, line{Slot: v.slot, Class: "interval", Title: v.Name() + ", median",
		Path: fmt.Sprintf("M%s %sL%s %s", round(middleX), round(middle-15), round(middleX), round(middle+15))})
	text := format.Value(metric.Unit(), stats.Median(values))
	if low, high := format.Value(metric.Unit(), values[0]), format.Value(metric.Unit(), values[len(values)-1]); low != high {
		text += " (" + format.Span(low, high) + ")"
	}
	c.Labels = append(c.Labels, label{X: c.Right + 12, Y: middle + 4, Text: text, Anchor: "start", Class: "value"})
}

// valueOf returns the run's value, counted or not.
func valueOf(r *comparison.Run, m experiment.Metric) (float64, bool) {
	if r.Result == nil {
		return 0, false
	}
	return comparison.Value(m, *r.Result)
}

func axisFormat(m experiment.Metric) func(float64) string {
	switch m.Unit() {
	case experiment.UnitNanoseconds:
		return compactTick
	case experiment.UnitPerSecond:
		return func(x float64) string { return compactCount(x) + "/s" }
	}
	return func(x float64) string { return format.Short(x) + " s" }
}

// ratioTicks are the labelled ratios of the chart of differences.
var ratioTicks = []float64{0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 0.7, 0.8, 0.9, 0.95, 1, 1.05, 1.1, 1.25, 1.5, 2, 5, 10, 20, 50, 100}

// differenceChart draws the interval of each pair's ratio, with 1 in the middle.
func (d *Document) differenceChart() *chart {
	reach, rows, left := 1.05, 0, 200.0
	for _, p := range d.Stats.Pairs {
		if p.Low != nil {
			rows++
			left = gutter(left, 400, d.pairName(p, math.MaxInt))
			reach = max(reach, *p.High, 1 / *p.Low)
		}
	}
	if rows == 0 {
		return nil
	}
	reach = math.Pow(reach, 1.08)
	metric := d.Stats.Metric
	bottom := 14 + rowHeight*float64(rows)
	c := &chart{ID: "difference", Title: "Difference in " + metric.Title(),
		Width: 960, Height: bottom + 46, Left: left, Right: 730, Top: 14, Bottom: bottom,
		XLabel: "ratio of the first to the second, log scale; × 1 is no difference",
		Desc: "The estimated ratio of each pair of variants and its confidence interval. " +
			"An interval that contains 1 does not decide which one is better."}
	x := scale{low: 1 / reach, high: reach, from: c.Left, to: c.Right, log: true}
	for _, ratio := range spreadTicks(x) {
		c.X = append(c.X, tick{x.at(ratio), "× " + format.Short(ratio)})
	}
	c.Lines = append(c.Lines, line{Class: "rule", Title: "no difference",
		Path: fmt.Sprintf("M%s %sL%s %s", round(x.at(1)), round(c.Top), round(x.at(1)), round(c.Bottom))})
	row := 0
	for _, p := range d.Stats.Pairs {
		if p.Low == nil {
			continue
		}
		middle := c.Top + rowHeight*(float64(row)+0.5)
		row++
		ratio, interval := format.Significant(*p.Ratio), format.Significant(*p.Low)+"–"+format.Significant(*p.High)
		title := fmt.Sprintf("%s: ratio %s, %.3g %% interval %s", d.pairName(p, math.MaxInt), ratio, 100*p.Level, interval)
		low, high, end := round(x.at(*p.Low)), round(x.at(*p.High)), round(middle-6)
		c.Lines = append(c.Lines, line{Class: "interval", Title: title,
			Path: fmt.Sprintf("M%s %sL%s %sM%s %sl0 12M%s %sl0 12", low, round(middle), high, round(middle), low, end, high, end)})
		c.Marks = append(c.Marks, mark{Class: "counted", Title: title, Path: symbol(1, x.at(*p.Ratio), middle, 5.5)})
		c.Labels = append(c.Labels,
			label{X: c.Left - 10, Y: middle + 4, Text: d.pairName(p, fitting(left)), Anchor: "end", Class: "row"},
			label{X: c.Right + 12, Y: middle + 4, Text: fmt.Sprintf("× %s (%s)", ratio, interval), Anchor: "start", Class: "value"})
	}
	return c
}

// pairName names a pair in at most that many letters.
func (d *Document) pairName(p stats.Pair, limit int) string {
	const between = " to "
	all := d.variants()
	a := all[slices.IndexFunc(all, func(v variant) bool { return v.Label == p.A })]
	b := all[slices.IndexFunc(all, func(v variant) bool { return v.Label == p.B })]
	if whole := a.Name() + between + b.Name(); utf8.RuneCountInString(whole) <= limit {
		return whole
	}
	each := (limit - len(between)) / 2
	return a.shortened(each) + between + b.shortened(each)
}

// spreadTicks returns the round ratios within the scale that keep a distance
// from each other and from 1, which is always there.
func spreadTicks(x scale) []float64 {
	const room = 56
	kept := []float64{1}
	for _, ratio := range ratioTicks {
		if ratio < x.low || ratio > x.high {
			continue
		}
		clear := true
		for _, other := range kept {
			clear = clear && math.Abs(x.at(ratio)-x.at(other)) >= room
		}
		if clear {
			kept = append(kept, ratio)
		}
	}
	slices.Sort(kept)
	return kept
}
