package report

import (
	"fmt"
	"math"
	"slices"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/format"
	"dec.local/dec/internal/measure"
)

// series is one value per second of a run. It is false where there is none.
type series struct {
	id     string
	title  string
	value  func(measure.Second) (float64, bool)
	format func(float64) string
	log    bool
}

// timeSeries are drawn for every variant.
var timeSeries = []series{
	{
		id: "received", title: "Messages received per second",
		value: func(s measure.Second) (float64, bool) { return float64(s.Counts.Received), true }, format: compactCount,
	},
	{
		id: "e2e", title: "End-to-end p99 of each second",
		value: func(s measure.Second) (float64, bool) {
			ns := s.Latencies[measure.E2ELatency].P99NS
			if ns == nil {
				return 0, false
			}
			return math.Max(float64(*ns), 1e3), true // a log axis has no zero
		}, format: compactTick, log: true,
	},
}

// timeCharts draws a row per variant and a column per series. All panels of a
// series share their scales, so that rows can be compared by eye.
func timeCharts(variants []variant, all []series) []*chart {
	var drawn []series
	var scales [][2]scale
	for _, s := range all {
		if x, y, ok := timeScales(variants, s); ok {
			drawn, scales = append(drawn, s), append(scales, [2]scale{x, y})
		}
	}
	var charts []*chart
	for i, v := range variants {
		for n, s := range drawn {
			charts = append(charts, v.timeChart(s, scales[n][0], scales[n][1], fmt.Sprintf("time-%s-%d", s.id, i)))
		}
	}
	return charts
}

// limitCharts draws, for the variants that did not take at once what was offered,
// what they refused and how long messages waited to be sent.
func (d *Document) limitCharts() []*chart {
	var limited []variant
	var seconds []measure.Second
	for _, v := range d.variants() {
		if !v.Limited() {
			continue
		}
		limited = append(limited, v)
		for _, run := range v.Counted() {
			seconds = append(seconds, measured(run.Result.Timeline)...)
		}
	}
	var all []series
	for _, refused := range []struct {
		experiment.Incident
		title string
	}{{experiment.ThrottledWrites, "Throttled per second"}, {experiment.ThrottledReads, "Reads throttled per second"}} {
		if d.Set.Met(refused.Incident) {
			count := func(s measure.Second) (float64, bool) { return float64(s.Incidents[refused.Incident]), true }
			all = append(all, series{id: string(refused.Incident), title: refused.title, value: count, format: compactCount})
		}
	}
	if quantile, of, ok := measure.TailOf(seconds, measure.Backpressure); ok {
		all = append(all, series{id: "wait", title: "Wait for a free slot, " + quantile + " of each second", value: of, format: compactWait})
	}
	return timeCharts(limited, all)
}

// measured are the seconds of the measure stage.
func measured(timeline []measure.Second) []measure.Second {
	return slices.DeleteFunc(slices.Clone(timeline), func(s measure.Second) bool { return s.Stage != experiment.StageMeasure })
}

// timeScales finds the range of seconds and values over all runs.
func timeScales(variants []variant, s series) (x, y scale, ok bool) {
	x = scale{low: math.Inf(1), high: math.Inf(-1), from: 56, to: 470}
	y = scale{low: math.Inf(1), high: math.Inf(-1), from: 150, to: 12, log: s.log}
	for _, v := range variants {
		for _, run := range v.Runs {
			if run.Result == nil {
				continue
			}
			start := measureStart(run.Result.Timeline)
			for _, second := range run.Result.Timeline {
				x.low, x.high = min(x.low, float64(second.Second-start)), max(x.high, float64(second.Second-start+1))
				if value, ok := s.value(second); ok {
					y.low, y.high = min(y.low, value), max(y.high, value)
				}
			}
		}
	}
	if math.IsInf(x.low, 0) || math.IsInf(y.low, 0) || x.high-x.low < 2 {
		return x, y, false
	}
	if s.log {
		y.low, y.high = padded(y.low, y.high, true)
	} else {
		y.low, y.high = 0, max(1, y.high*1.08)
	}
	return x, y, true
}

// timeChart draws one series of one variant, a line per run.
func (v variant) timeChart(s series, x, y scale, id string) *chart {
	c := &chart{ID: id, Title: s.title + ": " + v.Name(), Width: 480, Height: 190, Left: x.from, Right: x.to, Top: y.to, Bottom: y.from,
		XLabel: "seconds since the measure stage began",
		Desc:   "One line per run; shaded are warm-up and drain. A gap means that there is no value in that second."}
	c.X = x.ticks(7, func(t float64) string { return format.Short(t) })
	c.Y = y.ticks(5, s.format)
	if x.low < 0 {
		c.Bands = append(c.Bands, band{X: x.from, Width: x.at(0) - x.from, Label: "warm-up"})
	}
	end := math.Inf(-1)
	for _, run := range v.Runs {
		if run.Result == nil {
			continue
		}
		class := "run"
		if !run.Counts() {
			class = "run excluded"
		}
		start := measureStart(run.Result.Timeline)
		c.Lines = append(c.Lines, line{Slot: v.slot, Class: class, Title: run.Name(), Path: timePath(run.Result.Timeline, s, x, y, start)})
		for _, second := range run.Result.Timeline {
			if second.Stage == experiment.StageMeasure {
				end = max(end, float64(second.Second-start+1))
			}
		}
	}
	if !math.IsInf(end, 0) && end < x.high {
		c.Bands = append(c.Bands, band{X: x.at(end), Width: x.to - x.at(end)})
		c.Labels = append(c.Labels, label{X: c.Right - 3, Y: c.Top + 11, Text: "drain", Anchor: "end", Class: "band-label"})
	}
	return c
}

// timePath draws the seconds of a run; format.Missing ones are gaps, never zero.
func timePath(timeline []measure.Second, s series, x, y scale, start int) string {
	var p path
	last := math.MinInt
	for _, second := range timeline {
		value, ok := s.value(second)
		if !ok {
			p.gap()
			continue
		}
		if second.Second != last+1 {
			p.gap()
		}
		last = second.Second
		p.point(x.at(float64(second.Second-start)+0.5), y.at(value))
	}
	return p.text.String()
}

// measureStart is the second in which the measure stage begins.
func measureStart(timeline []measure.Second) int {
	for _, second := range timeline {
		if second.Stage == experiment.StageMeasure {
			return second.Second
		}
	}
	return 0
}
