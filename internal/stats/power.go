package stats

import (
	"math"

	"dec.local/dec/internal/experiment"
)

const (
	power    = 0.8   // the share of comparisons in which a difference is to be found
	manyRuns = 100   // of each variant; more are not counted
	tooSmall = 0.001 // a difference that nobody asks for
)

// Needed returns how many runs of each of two variants it takes to show a difference,
// given as a share, in four of five comparisons with the level 1 − alpha, when the
// logarithms of the runs' values have that standard deviation. It is the formula for
// two normal samples (Lehmann, Elements of Large-Sample Theory, 3.3) divided by the
// efficiency 3/π of Mann–Whitney's test, so it is a guide and no promise.
func Needed(deviation, difference, alpha float64, variants int) int {
	z := normal(1-alpha/2) + normal(power)
	n := 2 * math.Pow(z*deviation/math.Log1p(difference), 2) * math.Pi / 3
	return max(experiment.Decisive(variants), int(math.Ceil(min(n, manyRuns+1))))
}

// Detectable returns the smallest difference, as a share, that so many runs of each of
// two variants show in four of five comparisons with the level 1 − alpha: the inverse of
// [Needed].
func Detectable(deviation float64, runs int, alpha float64) float64 {
	z := normal(1-alpha/2) + normal(power)
	return math.Expm1(z * deviation * math.Sqrt(2*math.Pi/3/float64(runs)))
}

// normal is the quantile of the normal distribution.
func normal(p float64) float64 { return math.Sqrt2 * math.Erfinv(2*p-1) }

// plan notes how many runs would have decided a pair that was left open: to show the
// difference that matters, or if none was stated one as large as was seen.
func (p *Pair) plan(samples []Sample, matters float64) {
	if p.Verdict != CantTell || p.Reason != "" {
		return
	}
	difference := matters
	if difference == 0 {
		difference = max(*p.Ratio, 1 / *p.Ratio) - 1
	}
	if difference < tooSmall {
		return
	}
	var pair []Sample
	for _, s := range samples {
		if s.Label == p.A || s.Label == p.B {
			pair = append(pair, s)
		}
	}
	n := Needed(Deviation(pair...), difference, 1-p.Nominal, len(samples))
	if n > max(p.NA, p.NB) {
		p.RunsNeeded, p.Difference = n, difference
	}
}

// Deviation returns the standard deviation of the logarithms of the values within
// samples, pooled over them; 0 if no sample has two values.
func Deviation(samples ...Sample) float64 {
	squares, freedom := 0.0, 0
	for _, s := range samples {
		mean := 0.0
		for _, x := range s.Values {
			mean += math.Log(x) / float64(len(s.Values))
		}
		for _, x := range s.Values {
			squares += math.Pow(math.Log(x)-mean, 2)
		}
		freedom += max(0, len(s.Values)-1)
	}
	if freedom == 0 {
		return 0
	}
	return math.Sqrt(squares / float64(freedom))
}
