package report

import (
	"strconv"
	"strings"
	"time"

	"dec.local/dec/internal/comparison"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/format"
)

// valueText is a figure's value and its range, "" for sums and where all runs
// look alike.
func valueText(u experiment.Unit, v comparison.FigureValue) (value, span string) {
	value = boundText(u, v.Value, v.ValueAtLeast)
	if v.Low == nil && v.LowAtLeast == nil {
		return value, ""
	}
	if low, high := boundText(u, v.Low, v.LowAtLeast), boundText(u, v.High, v.HighAtLeast); low != high {
		span = format.Span(low, high)
	}
	return value, span
}

// boundText is a number, or what it is at least.
func boundText(u experiment.Unit, exact, atLeast *float64) string {
	switch {
	case exact != nil:
		return format.Value(u, *exact)
	case atLeast != nil:
		return format.AtLeast(format.Value(u, *atLeast))
	}
	return format.Missing
}

// length formats how long something took: "1m 12s", "0.8 s".
func length(d time.Duration) string {
	if d < 10*time.Second {
		return strconv.FormatFloat(d.Seconds(), 'f', 1, 64) + " s"
	}
	d = d.Round(time.Second)
	if d < time.Minute {
		return strconv.Itoa(int(d.Seconds())) + " s"
	}
	if d < time.Hour {
		return strconv.Itoa(int(d.Minutes())) + " min " + strconv.Itoa(int(d.Seconds())%60) + " s"
	}
	return strconv.Itoa(int(d.Hours())) + " h " + strconv.Itoa(int(d.Minutes())%60) + " min"
}

// stamp formats a moment, or "–".
func stamp(t time.Time) string {
	if t.IsZero() {
		return format.Missing
	}
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}

// clock formats the time of day, or "–".
func clock(t time.Time) string {
	if t.IsZero() {
		return format.Missing
	}
	return t.UTC().Format("15:04:05")
}

// tight keeps numbers and their units on one line of a page.
func tight(sentence string) string {
	return strings.NewReplacer(" % CI ", "\u00a0%\u00a0CI\u00a0", " %", "\u00a0%").Replace(sentence)
}

// oneLine makes stored text safe for a terminal: control characters, which
// could move the cursor, become spaces.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return ' '
		}
		return r
	}, text)
}
