package comparison_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dec.local/dec/internal/comparison"
	"dec.local/dec/internal/comparison/comparisontest"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
)

func TestLimitsAreSaid(t *testing.T) {
	const emulator = "kinesis (emulator) ran on kinesalite 3.3.3, which stands in for Amazon Kinesis: the results do not show how fast the technology itself is."
	const lagging = " Its latencies grow with the length of the run: they show how far it fell behind, not how fast it responds."
	tests := map[string]struct {
		change func(n int, variant string, r *measure.Merged)
		want   []string
	}{
		"writes refused by a variant that falls behind": {
			nil,
			[]string{"kinesis (emulator) refused writes because a limit was reached: 16,340 refusals in the measure stage of a typical run (median 565 per second, maximum 610); " +
				"it accepted 1,000 of the 1,500 messages offered per second, and the wait for room in max_in_flight grew from 280 ms to 7.84 s (p99)." + lagging},
		},
		"the run in the middle is told": {
			func(n int, variant string, r *measure.Merged) {
				if variant == "kinesis" { // the runs 1, 3, 4, 6 and 8
					r.Incidents = map[experiment.Incident]int64{"throttled_writes": int64(100 * n)}
				}
			},
			[]string{"kinesis (emulator) refused writes because a limit was reached: 400 refusals in the measure stage of a typical run (median 565 per second, maximum 610); " +
				"it accepted 1,000 of the 1,500 messages offered per second, and the wait for room in max_in_flight grew from 280 ms to 7.84 s (p99)." + lagging},
		},
		"writes refused, sent again, and all taken": {
			func(_ int, variant string, r *measure.Merged) {
				if variant == "kafka" {
					return
				}
				r.Counts.Unsent = 0
				for i := range r.Timeline {
					r.Timeline[i].Counts.Acked, r.Timeline[i].InFlight = r.Timeline[i].Counts.Offered, 40
					delete(r.Timeline[i].Latencies, measure.Backpressure)
				}
			},
			[]string{"kinesis (emulator) refused writes because a limit was reached: 16,340 refusals in the measure stage of a typical run (median 565 per second, maximum 610); " +
				"refused messages were sent again, and it kept up with the 1,500 messages offered per second."},
		},
		"reads refused in some of the runs": {
			func(n int, variant string, r *measure.Merged) {
				if variant == "kafka" {
					return
				}
				r.Incidents, r.Counts.Unsent = nil, 0
				for i := range r.Timeline {
					r.Timeline[i].Incidents = nil
					if n < 5 {
						r.Timeline[i].Incidents, r.Timeline[i].Backlog = map[experiment.Incident]int64{"throttled_reads": 2}, int64(100*r.Timeline[i].Second)
						r.Incidents = map[experiment.Incident]int64{"throttled_reads": 58}
					}
				}
			},
			[]string{"Reads from kinesis (emulator) were refused because a limit was reached: 58 refusals in the measure stage of a typical run among the 3 of 5 affected " +
				"(median 2 per second, maximum 2); the number of messages waiting to be read grew from 1,100 to 3,800."},
		},
		"nothing refused, but less taken than offered": {
			func(_ int, variant string, r *measure.Merged) {
				r.Incidents = nil
				for i := range r.Timeline {
					r.Timeline[i].Incidents = nil
					delete(r.Timeline[i].Latencies, measure.Backpressure)
				}
			},
			[]string{"kinesis (emulator) did not keep up with the load: 7,500 of 45,000 messages in the measure stage of a typical run were never sent; " +
				"it accepted 1,000 of the 1,500 messages offered per second, and the number of messages in flight in its clients grew from 1,020 to 1,560." + lagging},
		},
		"a few messages that found no room": {
			func(_ int, variant string, r *measure.Merged) {
				r.Incidents, r.Counts.Unsent = nil, 0
				if variant == "kafka" {
					r.Counts.Unsent = 3
				}
			},
			[]string{"kafka did not accept the full load: 3 of 45,000 messages in the measure stage of a typical run were never sent, because there was no room in max_in_flight."},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			found := comparisontest.Compare(t, comparisontest.Limited(t, tt.change))
			if found.Caveats[0] != emulator {
				t.Errorf("first caveat = %q, want that of the emulator", found.Caveats[0])
			}
			until := slices.IndexFunc(found.Caveats, func(c string) bool { return strings.HasPrefix(c, "The guarantees differ.") })
			if diff := cmp.Diff(tt.want, found.Caveats[1:until]); diff != "" {
				t.Errorf("sentences on limits (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRunsThatDoNotCountReachNoLimit(t *testing.T) {
	found := comparisontest.Compare(t, comparisontest.Limited(t, func(_ int, variant string, r *measure.Merged) {
		if variant != "kafka" {
			r.Validity = experiment.Validity{Reasons: []string{"the load generator was the limit"}}
		}
	}))
	if text := strings.Join(found.Caveats, "\n"); strings.Contains(text, "because a limit was reached") {
		t.Errorf("limits of runs that do not count are told:\n%s", text)
	}
	if slices.ContainsFunc(found.Figures, func(f comparison.Figure) bool { return f.Name == string(experiment.ThrottledWrites) }) {
		t.Errorf("throttles of runs that do not count are a figure: %+v", found.Figures)
	}
}
