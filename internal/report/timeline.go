package report

import (
	"fmt"
	"math"
	"slices"

	"dec.local/dec/internal/comparison"
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

// limitSeries are drawn for variants that held something back because of a limit.
var limitSeries = func() (all []series) {
	for _, i := range experiment.Incidents() {
		if i.Limited() {
			all = append(all, series{
				id: string(i), title: i.Title() + " per second", format: compactCount,
				value: func(s measure.Second) (float64, bool) { return float64(s.Incidents[i]), true },
			})
		}
	}
	return all
}()

// waitSeries is a quantile of the wait for room in max_in_flight.
func waitSeries(quantile string) series {
	return series{
		id: "wait", title: "Back-pressure wait, " + quantile + " of each second", format: compactWait,
		value: func(s measure.Second) (float64, bool) {
			if q := s.Latencies[measure.Backpressure].Quantile(quantile); q.Exact {
				return float64(*q.NS), true
			}
			return 0, false
		},
	}
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
	limited := slices.DeleteFunc(d.variants(), func(v variant) bool { return !v.Limited() })
	var all []series
	for _, s := range limitSeries {
		if d.Set.Occurred(experiment.Incident(s.id)) {
			all = append(all, s)
		}
	}
	if d.Traces.wait != "" {
		all = append(all, waitSeries(d.Traces.wait))
	}
	return timeCharts(limited, all)
}

// traced are the variant's runs of which there is something to draw.
func (v variant) traced() []*comparison.Run {
	return slices.DeleteFunc(slices.Clone(v.Runs), func(r *comparison.Run) bool { _, ok := v.traces.runs[r.ID]; return !ok })
}

// timeScales finds the range of seconds and values over all runs.
func timeScales(variants []variant, s series) (x, y scale, ok bool) {
	x = scale{low: math.Inf(1), high: math.Inf(-1), from: 56, to: 470}
	y = scale{low: math.Inf(1), high: math.Inf(-1), from: 150, to: 12, log: s.log}
	for _, v := range variants {
		for _, run := range v.traced() {
			t := v.traces.runs[run.ID]
			x.low, x.high = min(x.low, float64(t.first)), max(x.high, float64(t.end))
			for _, dot := range t.dots[s.id] {
				y.low, y.high = min(y.low, dot.value), max(y.high, dot.value)
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
		XLabel: "seconds since the start of the measure stage",
		Desc:   "One line per run; warm-up and drain are shaded. A gap is a second without a value."}
	c.X = x.ticks(7, format.Short)
	c.Y = y.ticks(5, s.format)
	if x.low < 0 {
		c.Bands = append(c.Bands, band{X: x.from, Width: x.at(0) - x.from, Label: "warm-up"})
	}
	drain := math.Inf(-1)
	for _, run := range v.traced() {
		class := "run"
		if !run.Counts() {
			class = "run excluded"
		}
		t := v.traces.runs[run.ID]
		c.Lines = append(c.Lines, line{Slot: v.slot, Class: class, Title: run.Name(), Path: timePath(t.dots[s.id], x, y)})
		if t.drain != nil {
			drain = max(drain, float64(*t.drain))
		}
	}
	if !math.IsInf(drain, 0) && drain < x.high {
		c.Bands = append(c.Bands, band{X: x.at(drain), Width: x.to - x.at(drain)})
		c.Labels = append(c.Labels, label{X: c.Right - 3, Y: c.Top + 11, Text: "drain", Anchor: "end", Class: "band-label"})
	}
	return c
}

// timePath draws the seconds of a run; missing ones are gaps, never zero.
func timePath(dots []dot, x, y scale) string {
	var p path
	last := math.MinInt
	for _, dot := range dots {
		if dot.second != last+1 {
			p.gap()
		}
		last = dot.second
		p.point(x.at(float64(dot.second)+0.5), y.at(dot.value))
	}
	return p.text.String()
}
