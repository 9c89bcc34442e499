package experiment

import (
	"slices"
	"strings"
)

// The words by which a calibration is told from the plan that it belongs to.
const (
	calibrationLabel = "-again"
	calibrationName  = " (calibration)"
)

// Calibration returns the plan that finds out how much the first variant of p differs
// from itself: both are that variant. The same plan always has the same calibration, by
// whose digest its experiments are found.
func (p Plan) Calibration() Plan {
	p.Name = cut(p.Name, MaxName-len(calibrationName)) + calibrationName
	p.Variants = slices.Repeat(p.Variants[:1], 2)
	p.Variants[1].Label = cut(p.Variants[1].Label, MaxLabel-len(calibrationLabel)) + calibrationLabel
	return p
}

// cut returns at most so many characters of a text, the first ones.
func cut(text string, most int) string {
	characters := []rune(text)
	return strings.TrimRight(string(characters[:min(len(characters), most)]), "- ")
}
