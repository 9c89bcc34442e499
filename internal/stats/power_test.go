//go:build !race

package stats_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"dec.local/dec/internal/stats"
)

// TestWhatIsPromisedIsFound draws experiments whose variants differ by what so many
// runs are said to show, and counts in how many the verdict finds it.
func TestWhatIsPromisedIsFound(t *testing.T) {
	const draws, deviation = 10_000, 0.07
	for _, runs := range []int{5, 8, 10} {
		t.Run(fmt.Sprint(runs, " runs"), func(t *testing.T) {
			random := rand.New(rand.NewPCG(3, uint64(runs)))
			difference, found := math.Log1p(stats.Detectable(deviation, runs, stats.Alpha)), 0
			for range draws {
				a, b := make([]float64, runs), make([]float64, runs)
				for i := range runs {
					a[i], b[i] = math.Exp(deviation*random.NormFloat64()), math.Exp(deviation*random.NormFloat64()+difference)
				}
				if pairOf(a, b).Verdict == stats.Different {
					found++
				}
			}
			if share := float64(found) / draws; math.Abs(share-0.8) > 0.02 {
				t.Errorf("the difference was found in %.3f of the experiments, want 0.80", share)
			}
		})
	}
}

// TestNeededIsTheInverseOfDetectable asks how many runs show what so many are said to show.
func TestNeededIsTheInverseOfDetectable(t *testing.T) {
	for runs := 5; runs <= 40; runs++ {
		difference := stats.Detectable(0.05, runs, stats.Alpha)
		// By its discrete levels the test of one run less may find as much.
		if got := stats.Needed(0.05, difference, stats.Alpha, 2); got > runs || got < runs-1 {
			t.Errorf("it takes %d runs to show what %d runs show", got, runs)
		}
	}
	if got := stats.Needed(5, 0.01, stats.Alpha, 2); got != 51 {
		t.Errorf("it takes %d runs to show 1 %% at a spread of 500 %%, want one more than 50", got)
	}
	if few, many := stats.Detectable(0.05, 50, stats.Alpha), stats.Detectable(0.05, 5000, stats.Alpha); !(many > 0 && many < few/5) {
		t.Errorf("5,000 runs show a difference of %v, want a good part less than the %v of 50", many, few)
	}
	if got := stats.Detectable(0.05, 3, stats.Alpha); !math.IsInf(got, 1) {
		t.Errorf("three runs show a difference of %v, want none", got)
	}
}
