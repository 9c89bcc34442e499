package stats

import (
	"math"
	"slices"

	moremath "github.com/aclements/go-moremath/stats"
)

// shift holds the differences of logarithms of every value of one sample to
// every value of another. Estimate, interval and test are all functions of it.
type shift struct {
	differences []float64 // ascending
	null        moremath.UDist
}

// newShift needs positive values.
func newShift(a, b []float64) shift {
	s := shift{
		differences: make([]float64, 0, len(a)*len(b)),
		null:        moremath.UDist{N1: len(a), N2: len(b)},
	}
	for _, x := range a {
		for _, y := range b {
			s.differences = append(s.differences, math.Log(x)-math.Log(y))
		}
	}
	slices.Sort(s.differences)
	return s
}

// ratio is the Hodges–Lehmann estimate: the median of all differences.
func (s shift) ratio() float64 { return math.Exp(Median(s.differences)) }

// p is the exact two-sided probability of a shift at least as clear as this one
// between samples of one population. A difference of zero counts for whichever
// side makes the shift less clear.
func (s shift) p() float64 {
	notAbove, notBelow := 0, 0
	for _, d := range s.differences {
		if d <= 0 {
			notAbove++
		}
		if d >= 0 {
			notBelow++
		}
	}
	return tails(s.null, min(notAbove, notBelow))
}

// tails is the probability that U is at most u, or as far out on the other side.
func tails(null moremath.UDist, u int) float64 { return min(1, 2*null.CDF(float64(u))) }

// interval returns the shortest exact interval of the ratio with at least the
// level 1 − alpha, and the level that it reaches. It is not ok when so few
// values give none.
//
// It runs from the k-th smallest to the k-th largest difference (Hollander, Wolfe
// and Chicken, Nonparametric Statistical Methods, 3rd edition, 4.3).
func (s shift) interval(alpha float64) (low, high, level float64, ok bool) {
	k := rank(s.null, alpha)
	if k == 0 {
		return 0, 0, 0, false
	}
	n := len(s.differences)
	return math.Exp(s.differences[k-1]), math.Exp(s.differences[n-k]), 1 - tails(s.null, k-1), true
}

// rank is the largest k with 2·P(U ≤ k−1) ≤ alpha, 0 if there is none.
func rank(null moremath.UDist, alpha float64) (k int) {
	for step := 1 << 16; step > 0; step /= 2 {
		if k+step <= null.N1*null.N2/2 && tails(null, k+step-1) <= alpha {
			k += step
		}
	}
	return k
}

// Median returns that of ascending values, of which there is at least one.
func Median(sorted []float64) float64 {
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// holm returns for each probability its corrected value, and the divisor of
// Alpha that its test had: the number of pairs that were not rejected before it.
// Equal probabilities share the strictest divisor of theirs, and those after the
// first that was not rejected share its divisor, so that each pair's interval at
// Alpha/divisor excludes 1 exactly when Holm's procedure rejects the pair.
func holm(p []float64) (corrected, divisors []float64) {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		switch {
		case p[i] < p[j]:
			return -1
		case p[i] > p[j]:
			return 1
		}
		return 0
	})
	corrected, divisors = make([]float64, len(p)), make([]float64, len(p))
	divisor, largest, stopped := 0.0, 0.0, false
	for rank, i := range order {
		if tied := rank > 0 && p[i] == p[order[rank-1]]; !tied && !stopped {
			divisor = float64(len(p) - rank)
		}
		largest = max(largest, min(1, p[i]*float64(len(p)-rank)))
		corrected[i], divisors[i] = largest, divisor
		stopped = stopped || p[i] > Alpha/divisor
	}
	return corrected, divisors
}
