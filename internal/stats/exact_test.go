package stats_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	moremath "github.com/aclements/go-moremath/stats"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/perf/benchmath"
	"pgregory.net/rapid"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/stats"
)

// closeTo compares numbers that took different roads.
var closeTo = cmpopts.EquateApprox(1e-9, 1e-12)

// compare answers a finished question over the end-to-end p99.
func compare(samples ...stats.Sample) stats.Comparison {
	runs := 0
	for _, s := range samples {
		runs += max(len(s.Values), 10)
	}
	return stats.Compare(stats.Question{Metric: "e2e_p99", Ended: runs, Planned: runs}, samples)
}

func pairOf(a, b []float64) stats.Pair {
	return compare(stats.Sample{Label: "a", Values: a}, stats.Sample{Label: "b", Values: b}).Pairs[0]
}

// values draws positive values, with ties if they are coarse.
func values(t *rapid.T, name string, sizes [2]int, coarse bool) []float64 {
	element := rapid.Custom(func(t *rapid.T) float64 { return math.Exp(rapid.Float64Range(-3, 3).Draw(t, "log")) })
	if coarse {
		element = rapid.Custom(func(t *rapid.T) float64 { return float64(rapid.IntRange(1, 6).Draw(t, "value")) })
	}
	return rapid.SliceOfN(element, sizes[0], sizes[1]).Draw(t, name)
}

// enumerate returns the null distribution of U by all ways to choose the ranks
// of the first sample: how many of them have U at most u.
func enumerate(m, n int) (atMost []int, total int) {
	counts := make([]int, m*n+1)
	var choose func(next, left, u int)
	choose = func(next, left, u int) {
		if left == 0 {
			counts[u]++
			total++
			return
		}
		for rank := next; rank <= m+n-left; rank++ {
			choose(rank+1, left-1, u+rank-(m-left)) // values of the other sample below it
		}
	}
	choose(0, m, 0)
	sum := 0
	for _, c := range counts {
		sum += c
		atMost = append(atMost, sum)
	}
	return atMost, total
}

func TestPAndIntervalAgreeWithEnumeration(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		coarse := rapid.Bool().Draw(t, "coarse")
		a, b := values(t, "a", [2]int{1, 6}, coarse), values(t, "b", [2]int{1, 6}, coarse)
		atMost, total := enumerate(len(a), len(b))
		tails := func(u int) float64 { return min(1, 2*float64(atMost[u])/float64(total)) }

		// Ties count for the side that makes the difference less clear.
		below, above := 0, 0
		for _, x := range a {
			for _, y := range b {
				if x >= y {
					above++
				}
				if x <= y {
					below++
				}
			}
		}
		got := pairOf(a, b)
		if want := tails(min(below, above)); !cmp.Equal(want, got.P, closeTo) {
			t.Fatalf("P = %v, want %v by enumeration", got.P, want)
		}

		// The interval holds every shift that the test at 5 % does not reject.
		k := 0
		for k+1 <= len(a)*len(b)/2 && tails(k) <= stats.Alpha {
			k++
		}
		if k == 0 {
			if got.Low != nil || got.Level != 0 {
				t.Fatalf("interval of %d against %d = %v to %v, want none", len(a), len(b), got.Low, got.High)
			}
			return
		}
		var ratios []float64
		for _, x := range a {
			for _, y := range b {
				ratios = append(ratios, x/y)
			}
		}
		slices.Sort(ratios)
		want := []float64{ratios[k-1], ratios[len(ratios)-k], 1 - tails(k-1)}
		if diff := cmp.Diff(want, []float64{*got.Low, *got.High, got.Level}, closeTo); diff != "" {
			t.Fatalf("low, high and level (-want +got):\n%s", diff)
		}
	})
}

func TestIntervalAndTestAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		coarse := rapid.Bool().Draw(t, "coarse")
		c := compare(
			stats.Sample{Label: "a", Values: values(t, "a", [2]int{5, 9}, coarse)},
			stats.Sample{Label: "b", Values: values(t, "b", [2]int{5, 9}, coarse)},
			stats.Sample{Label: "c", Values: values(t, "c", [2]int{5, 9}, coarse)},
		)
		for _, p := range c.Pairs {
			excludes := p.Low != nil && (*p.Low > 1 || *p.High < 1)
			if rejects := p.PHolm <= stats.Alpha+1e-12; excludes != rejects {
				t.Errorf("%s and %s: the interval %v to %v excludes 1: %t, but the corrected P is %v", p.A, p.B, *p.Low, *p.High, excludes, p.PHolm)
			}
			if excludes != (p.Verdict == stats.Different) {
				t.Errorf("%s and %s: verdict %s although the interval excludes 1: %t", p.A, p.B, p.Verdict, excludes)
			}
			if p.Low != nil && p.Level < p.Nominal-1e-12 {
				t.Errorf("%s and %s: level %v is below the nominal %v", p.A, p.B, p.Level, p.Nominal)
			}
			if *p.Ratio < *p.Low-1e-12 || *p.Ratio > *p.High+1e-12 {
				t.Errorf("%s and %s: the ratio %v is outside of %v to %v", p.A, p.B, *p.Ratio, *p.Low, *p.High)
			}
		}
	})
}

func TestSwappingAndScalingChangeNothingElse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := values(t, "a", [2]int{5, 8}, false), values(t, "b", [2]int{5, 8}, false)
		got, swapped := pairOf(a, b), pairOf(b, a)
		want := []float64{1 / *got.Ratio, 1 / *got.High, 1 / *got.Low, got.P, got.Level}
		if diff := cmp.Diff(want, []float64{*swapped.Ratio, *swapped.Low, *swapped.High, swapped.P, swapped.Level}, closeTo); diff != "" {
			t.Errorf("swapped samples give (-want +got):\n%s", diff)
		}
		scaled := slices.Clone(a)
		for i := range scaled {
			scaled[i] *= 8
		}
		bigger := pairOf(scaled, b)
		want = []float64{8 * *got.Ratio, 8 * *got.Low, 8 * *got.High}
		if diff := cmp.Diff(want, []float64{*bigger.Ratio, *bigger.Low, *bigger.High}, closeTo); diff != "" {
			t.Errorf("a sample times 8 gives (-want +got):\n%s", diff)
		}
	})
}

func TestPAgreesWithOtherLibraries(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		// Without ties, which the libraries treat otherwise.
		all := rapid.SliceOfNDistinct(rapid.Float64Range(0.1, 10), 10, 24, rapid.ID).Draw(t, "all")
		a, b := all[:5], all[5:]
		got := pairOf(a, b).P
		u, err := moremath.MannWhitneyUTest(a, b, moremath.LocationDiffers)
		if err != nil {
			t.Fatal(err)
		}
		other := benchmath.AssumeNothing.Compare(
			benchmath.NewSample(slices.Clone(a), &benchmath.DefaultThresholds),
			benchmath.NewSample(slices.Clone(b), &benchmath.DefaultThresholds))
		if diff := cmp.Diff([]float64{u.P, other.P}, []float64{got, got}, closeTo); diff != "" {
			t.Errorf("P differs from go-moremath and benchmath (-theirs +ours):\n%s", diff)
		}
	})
}

func TestFiveAgainstFiveReaches968(t *testing.T) {
	p := pairOf([]float64{1, 2, 3, 4, 5}, []float64{6, 7, 8, 9, 10})
	if got := math.Round(p.Level*1000) / 1000; got != 0.968 {
		t.Errorf("Level of 5 against 5 = %v, want 0.968", got)
	}
	if want := 2.0 / 252; !cmp.Equal(want, p.P, closeTo) {
		t.Errorf("P of 5 against 5 that do not overlap = %v, want %v", p.P, want)
	}
}

// TestCoverage draws from two log-normal populations of a known ratio; the
// exact level of 5 against 5 is 0.968, and of 6 against 4 it is 0.962.
func TestCoverage(t *testing.T) {
	const draws, ratio = 4000, 1.3
	random := rand.New(rand.NewPCG(7, 7))
	for _, sizes := range [][2]int{{5, 5}, {6, 4}} {
		held, level := 0, 0.0
		for range draws {
			a, b := make([]float64, sizes[0]), make([]float64, sizes[1])
			for i := range a {
				a[i] = ratio * math.Exp(0.2*random.NormFloat64())
			}
			for i := range b {
				b[i] = math.Exp(0.2 * random.NormFloat64())
			}
			p := pairOf(a, b)
			level = p.Level
			if *p.Low <= ratio && ratio <= *p.High {
				held++
			}
		}
		got := float64(held) / draws
		if margin := 4 * math.Sqrt(level*(1-level)/draws); math.Abs(got-level) > margin {
			t.Errorf("intervals of %d against %d hold the true ratio in %.3f of draws, want %.3f ± %.3f", sizes[0], sizes[1], got, level, margin)
		}
	}
}

// TestFamilyWiseError draws three alike variants: at least one difference may
// be claimed in at most 5 % of comparisons.
func TestFamilyWiseError(t *testing.T) {
	const draws = 2000
	random := rand.New(rand.NewPCG(11, 3))
	claims := 0
	for range draws {
		var samples []stats.Sample
		for _, label := range []string{"a", "b", "c"} {
			s := stats.Sample{Label: label}
			for range 5 {
				s.Values = append(s.Values, math.Exp(random.NormFloat64()))
			}
			samples = append(samples, s)
		}
		for _, p := range compare(samples...).Pairs {
			if p.Verdict == stats.Different {
				claims++
				break
			}
		}
	}
	if share := float64(claims) / draws; share > stats.Alpha+3*math.Sqrt(0.05*0.95/draws) {
		t.Errorf("alike variants were called different in %.3f of comparisons, want at most %.2f", share, stats.Alpha)
	}
}

func TestDecisiveRunsCanDecide(t *testing.T) {
	for variants := 2; variants <= 16; variants++ {
		n := experiment.Decisive(variants)
		pairs := float64(variants * (variants - 1) / 2)
		smallest := func(n int) float64 { return 2 * moremath.UDist{N1: n, N2: n}.CDF(0) * pairs }
		if smallest(n) > stats.Alpha || n > 5 && smallest(n-1) <= stats.Alpha {
			t.Errorf("Decisive(%d) = %d: smallest corrected P %v, with one run less %v", variants, n, smallest(n), smallest(n-1))
		}
	}
}

func TestHolmStopsAtTheFirstPairThatIsNotRejected(t *testing.T) {
	tests := map[string]struct{ p, corrected, divisors []float64 }{
		"all are rejected in turn":       {[]float64{0.02, 0.001, 0.03}, []float64{0.04, 0.003, 0.04}, []float64{2, 3, 1}},
		"none after the first failure":   {[]float64{0.03, 0.04, 0.045}, []float64{0.09, 0.09, 0.09}, []float64{3, 3, 3}},
		"one, then a failure":            {[]float64{0.001, 0.03, 0.04}, []float64{0.003, 0.06, 0.06}, []float64{3, 2, 2}},
		"equal ones share the strictest": {[]float64{0.01, 0.01, 0.04}, []float64{0.03, 0.03, 0.04}, []float64{3, 3, 1}},
		"a corrected one is at most one": {[]float64{0.9, 0.8}, []float64{1, 1}, []float64{2, 2}},
		"no pair can be compared at all": {nil, []float64{}, []float64{}},
		"one pair needs no correction":   {[]float64{0.04}, []float64{0.04}, []float64{1}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			corrected, divisors := stats.Holm(tt.p)
			if diff := cmp.Diff([][]float64{tt.corrected, tt.divisors}, [][]float64{corrected, divisors}, closeTo); diff != "" {
				t.Errorf("holm(%v) = corrected and divisors (-want +got):\n%s", tt.p, diff)
			}
		})
	}
}
