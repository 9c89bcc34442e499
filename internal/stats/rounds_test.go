//go:build !race

package stats_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"dec.local/dec/internal/stats"
)

// TestRoundsThatDiffer draws runs in rounds, as an experiment makes them: what all runs
// of a round have in common, such as its seed and the state of the machine, is an
// effect of so many standard deviations of a run. It makes verdicts rarer, never wrong:
// alike variants are told apart in at most 5 % of the draws, whatever the rounds do and
// with ties, and what the rounds cost is told by how often a real difference is found.
func TestRoundsThatDiffer(t *testing.T) {
	const draws, runs, deviation, difference = 20_000, 5, 0.05, 0.12
	// How often a difference of 12 % is found: measured, and stated in ARCHITECTURE.md.
	found := map[float64]float64{0: 0.79, 1: 0.49, 3: 0.05}
	for effect, want := range found {
		for name, coarse := range map[string]float64{"values that all differ": 0, "ties": 0.05} {
			t.Run(fmt.Sprintf("rounds of %g run-SD, %s", effect, name), func(t *testing.T) {
				random := rand.New(rand.NewPCG(7, uint64(10*effect)))
				claims, hits := 0, 0
				for range draws {
					a, b, c := make([]float64, runs), make([]float64, runs), make([]float64, runs)
					for i := range runs {
						round := effect * deviation * random.NormFloat64()
						draw := func(shift float64) float64 {
							x := round + deviation*random.NormFloat64() + shift
							if coarse > 0 {
								x = coarse * math.Round(x/coarse)
							}
							return math.Exp(x)
						}
						a[i], b[i], c[i] = draw(0), draw(0), draw(math.Log1p(difference))
					}
					if pairOf(a, b).Verdict == stats.Different {
						claims++
					}
					if pairOf(a, c).Verdict == stats.Different {
						hits++
					}
				}
				if share := float64(claims) / draws; share > stats.Alpha {
					t.Errorf("alike variants were told apart in %.2f %% of the draws, want at most 5 %%", 100*share)
				}
				if share := float64(hits) / draws; coarse == 0 && math.Abs(share-want) > 0.02 {
					t.Errorf("a difference of 12 %% was found in %.3f of the draws, want about %.2f", share, want)
				}
			})
		}
	}
}
