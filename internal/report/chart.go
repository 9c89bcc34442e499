package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"
)

// slots is the number of colours; further variants share the last, neutral one.
const slots = 8

// chart is a drawing of which the template makes an SVG element. Positions are
// in user units of the drawing.
type chart struct {
	ID, Title, Desc string
	Width, Height   float64
	Left, Right     float64 // edges of the plot
	Top, Bottom     float64
	X, Y            []tick
	XLabel, YLabel  string
	Bands           []band
	Lines           []line
	Marks           []mark
	Labels          []label
}

// PlotWidth and PlotHeight are the size of the frame.
func (c chart) PlotWidth() float64  { return c.Right - c.Left }
func (c chart) PlotHeight() float64 { return c.Bottom - c.Top }

// band shades part of the plot.
type band struct {
	X, Width float64
	Label    string
}

// line is a curve of a variant, or of a run of it.
type line struct {
	Path  string
	Slot  int    // 0 is a neutral line
	Class string // "run", "median", "interval" or "rule"
	Title string
}

// mark is a symbol at a place.
type mark struct {
	Path  string
	Slot  int
	Class string // "counted", "excluded"
	Title string
}

// label is text in the plot.
type label struct {
	X, Y   float64
	Text   string
	Anchor string // "start", "middle", "end"
	Class  string
}

// symbol draws the marker of a slot around a place.
func symbol(slot int, x, y, r float64) string {
	polygon := func(corners int, start, inner float64) string {
		var p path
		for i := range corners {
			radius := r
			if inner > 0 && i%2 == 1 {
				radius = r * inner
			}
			angle := start + 2*math.Pi*float64(i)/float64(corners)
			p.point(x+radius*math.Cos(angle), y+radius*math.Sin(angle))
		}
		return p.text.String() + "Z"
	}
	up := -math.Pi / 2
	switch slot {
	case 2:
		return polygon(4, math.Pi/4, 0) // square
	case 3:
		return polygon(3, up, 0) // triangle
	case 4:
		return polygon(4, up, 0) // diamond
	case 5:
		return polygon(10, up, 0.45) // star
	case 6:
		return polygon(8, 0, 0.4) // cross of four points
	case 7:
		return polygon(5, up, 0) // pentagon
	}
	radius, diameter := round(r), round(2*r)
	return fmt.Sprintf("M%s %sa%s %s 0 1 0 %s 0a%s %s 0 1 0 -%s 0Z", round(x-r), round(y), radius, radius, diameter, radius, radius, diameter)
}

// cross draws the symbol of a run that does not count.
func cross(x, y, r float64) string {
	return fmt.Sprintf("M%s %sL%s %sM%s %sL%s %s", round(x-r), round(y-r), round(x+r), round(y+r), round(x-r), round(y+r), round(x+r), round(y-r))
}

// separate moves labels apart that would cover each other, downwards from the
// top, by at least gap.
func separate(labels []label, gap float64) {
	order := make([]*label, len(labels))
	for i := range labels {
		order[i] = &labels[i]
	}
	slices.SortStableFunc(order, func(a, b *label) int { return cmp.Compare(a.Y, b.Y) })
	for i := 1; i < len(order); i++ {
		order[i].Y = max(order[i].Y, order[i-1].Y+gap)
	}
}

// letter is about how wide a letter of a label is.
const letter = 7.3

// gutter is the room that labels need beside a plot, between two bounds.
func gutter(least, most float64, texts ...string) float64 {
	for _, text := range texts {
		least = max(least, letter*float64(utf8.RuneCountInString(text))+18)
	}
	return min(least, most)
}

// fitting is how many letters there is room for in a gutter.
func fitting(gutter float64) int { return int((gutter-18)/letter + 1e-6) } // what gutter made room for fits

// emulator is the mark of what was measured on one.
const emulator = "emulator"

// shortened is the name of a variant, cut where it would leave its room. That it
// is an emulator stays.
func (v variant) shortened(limit int) string {
	if utf8.RuneCountInString(v.Name()) <= limit {
		return v.Name()
	}
	kept := "…"
	if v.Program() != "" {
		kept += "(" + emulator + ")"
	}
	label := []rune(v.Label)
	return strings.TrimRight(string(label[:max(1, limit-utf8.RuneCountInString(kept))]), "-") + kept
}
