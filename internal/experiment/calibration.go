package experiment

import "slices"

// The words by which a calibration is told from the plan that it belongs to.
const (
	calibrationLabel = "-again"
	calibrationName  = " (calibration)"
)

// Calibration returns the plan that finds out how much the first variant of p differs
// from itself: both are that variant. The same plan always has the same calibration, by
// whose digest its experiments are found.
func (p Plan) Calibration() Plan {
	p.Name += calibrationName
	p.Variants = slices.Repeat(p.Variants[:1], 2)
	p.Variants[1].Label += calibrationLabel
	return p
}
