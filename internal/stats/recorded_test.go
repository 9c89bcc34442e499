//go:build !race

package stats_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/stats"
)

// TestRecordedRunsOfOneStackAreAlike splits 40 recorded runs of one stack 10,000 times at
// random into two samples: whatever a machine does to runs, two samples of the same ones
// must be told apart in at most 5 % of the splits, of which the share that 10,000 show may
// be 0.7 % more. testdata/recorded.json says how the runs were made.
func TestRecordedRunsOfOneStackAreAlike(t *testing.T) {
	const splits, most = 10_000, 0.057
	data, err := os.ReadFile("testdata/recorded.json")
	if err != nil {
		t.Fatal(err)
	}
	var recorded struct {
		Metrics map[experiment.Metric][]float64 `json:"metrics"`
	}
	if err := json.Unmarshal(data, &recorded); err != nil {
		t.Fatal(err)
	}
	for _, metric := range slices.Sorted(maps.Keys(recorded.Metrics)) {
		for _, size := range []int{5, 8} {
			t.Run(fmt.Sprintf("%s, %d against %d runs", metric, size, size), func(t *testing.T) {
				values := slices.Clone(recorded.Metrics[metric])
				if len(values) != 40 {
					t.Fatalf("%d runs are recorded, want 40", len(values))
				}
				random, claims := rand.New(rand.NewPCG(11, uint64(size))), 0
				for range splits {
					random.Shuffle(len(values), func(i, j int) { values[i], values[j] = values[j], values[i] })
					if pairOf(values[:size], values[size:2*size]).Verdict == stats.Different {
						claims++
					}
				}
				if share := float64(claims) / splits; share > most {
					t.Errorf("%.2f %% of the splits have a verdict, want at most %.1f %%", 100*share, 100*most)
				}
			})
		}
	}
}
