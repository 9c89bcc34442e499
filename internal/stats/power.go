package stats

import (
	"math"
	"math/rand/v2"
	"slices"
	"sync"

	moremath "github.com/aclements/go-moremath/stats"

	"dec.local/dec/internal/experiment"
)

const (
	power    = 0.8   // the share of comparisons in which a difference is to be found
	manyRuns = 50    // of each variant; more are not counted
	tooSmall = 0.001 // a difference that nobody asks for
	drawn    = 4000  // simulated comparisons: the power is right to 0.6 %
)

// Needed returns how many runs of each of two variants it takes to show a difference,
// given as a share, in four of five comparisons with the level 1 − alpha, when the
// logarithms of the runs' values are normal with that standard deviation; more than 50
// are not told apart. It is a guide: rounds that differ cost more (ARCHITECTURE.md).
func Needed(deviation, difference, alpha float64, variants int) int {
	least, shift := experiment.Decisive(variants), math.Log1p(difference)
	// Fewer than the best test of two normal samples takes are never enough.
	z := normal(1-alpha/2) + normal(power)
	n := max(least, int(min(2*math.Pow(z*deviation/shift, 2), manyRuns+1)))
	for ; n <= manyRuns; n++ {
		if deviation*decisiveShift(n, alpha) <= shift*(1+1e-9) {
			break
		}
	}
	return n
}

// Detectable returns the smallest difference, as a share, that so many runs of each of
// two variants show in four of five comparisons with the level 1 − alpha: the inverse of
// [Needed]. It is +Inf when so few runs show none.
func Detectable(deviation float64, runs int, alpha float64) float64 {
	return math.Expm1(deviation * decisiveShift(runs, alpha))
}

// normal is the quantile of the normal distribution.
func normal(p float64) float64 { return math.Sqrt2 * math.Erfinv(2*p-1) }

// decisiveShift returns by how many standard deviations two normal samples of n values
// must be apart for the exact test to find it in four of five comparisons. An interval
// moves with the shift, so that of each simulated pair of equal samples tells which shift
// would have just been found. The draws are always the same, so each answer is computed
// once.
func decisiveShift(n int, alpha float64) float64 {
	if n > manyRuns { // the exact test of so many takes long to compute, and its power grows as that of any
		return decisiveShift(manyRuns, alpha) * math.Sqrt(manyRuns/float64(n))
	}
	key := design{n, alpha}
	if known, ok := decisive.Load(key); ok {
		return known.(float64)
	}
	shift := simulate(n, alpha)
	decisive.Store(key, shift)
	return shift
}

// design is how many runs of each variant are tested, and at which level.
type design struct {
	n     int
	alpha float64
}

var decisive sync.Map // float64 by design

func simulate(n int, alpha float64) float64 {
	k := rank(moremath.UDist{N1: n, N2: n}, alpha)
	if k == 0 {
		return math.Inf(1)
	}
	random := rand.New(rand.NewPCG(1, uint64(n)))
	a, b, shifts := make([]float64, n), make([]float64, n), make([]float64, drawn)
	for i := range shifts {
		for j := range n {
			a[j], b[j] = random.NormFloat64(), random.NormFloat64()
		}
		slices.Sort(a)
		slices.Sort(b)
		shifts[i] = -smallestDifference(a, b, k)
	}
	slices.Sort(shifts)
	return shifts[int(power*drawn)]
}

// smallestDifference returns the difference of a value of b to one of a, both
// ascending and within ±10, of that rank among all.
func smallestDifference(a, b []float64, rank int) float64 {
	low, high := -20.0, 20.0
	for high-low > 1e-6 {
		middle, atMost, i := (low+high)/2, 0, len(a)
		for j := len(b) - 1; j >= 0; j-- {
			for i > 0 && b[j]-a[i-1] <= middle {
				i--
			}
			atMost += len(a) - i
		}
		if atMost >= rank {
			high = middle
		} else {
			low = middle
		}
	}
	return high
}

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
