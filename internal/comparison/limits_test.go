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
					r.Incidents = map[experiment.Incident]int64{"throttled_writes": int64(10_000 * n)}
				}
			},
			[]string{"kinesis (emulator) refused writes because a limit was reached: 40,000 refusals in the measure stage of a typical run (median 565 per second, maximum 610); " +
				"it accepted 1,000 of the 1,500 messages offered per second, and the wait for room in max_in_flight grew from 280 ms to 7.84 s (p99)." + lagging},
		},
		"writes refused, sent again, and all taken": {
			func(_ int, variant string, r *measure.Merged) {
				if variant == "kafka" {
					return
				}
				keepUp(r)
				for i := range r.Timeline {
					r.Timeline[i].InFlight = 40
					delete(r.Timeline[i].Latencies, measure.Backpressure)
				}
			},
			[]string{"kinesis (emulator) refused writes because a limit was reached: 16,340 refusals in the measure stage of a typical run (median 565 per second, maximum 610); " +
				"refused messages were sent again, and it kept up with the 1,500 messages offered per second."},
		},
		"reads refused in some of the runs": {
			func(n int, variant string, r *measure.Merged) {
				lateReads(n, variant, r, experiment.ThrottledReads, 1000)
			},
			[]string{"Reads from kinesis (emulator) were refused because a limit was reached: 29,000 late messages in the measure stage of a typical run " +
				"among the 3 of 5 affected (median 1,000 per second, maximum 1,000); the number of messages waiting to be read grew from 1,100 to 3,800."},
		},
		"reads delayed by a quota": {
			func(n int, variant string, r *measure.Merged) {
				lateReads(n, variant, r, experiment.DelayedReads, 1000)
			},
			[]string{"A quota delayed reads from kinesis (emulator): 29,000 late messages in the measure stage of a typical run " +
				"among the 3 of 5 affected (median 1,000 per second, maximum 1,000); the number of messages waiting to be read grew from 1,100 to 3,800."},
		},
		"reads refused too rarely to be why messages waited": {
			func(n int, variant string, r *measure.Merged) { lateReads(n, variant, r, experiment.ThrottledReads, 2) },
			[]string{"The number of messages waiting to be read from kinesis (emulator) grew from 1,100 to 3,800. " +
				"Only 58 messages came after refused reads: that does not explain it."},
		},
		"writes delayed by a quota": {
			func(n int, variant string, r *measure.Merged) {
				if variant == "kinesis" {
					rename(r, experiment.ThrottledWrites, experiment.DelayedWrites)
				}
			},
			[]string{"A quota delayed writes to kinesis (emulator): 16,340 messages in the measure stage of a typical run (median 565 per second, maximum 610); " +
				"it accepted 1,000 of the 1,500 messages offered per second, and the wait for room in max_in_flight grew from 280 ms to 7.84 s (p99)." + lagging},
		},
		"four refusals, and a backlog that has another cause": {
			func(n int, variant string, r *measure.Merged) {
				if variant == "kinesis" {
					r.Incidents, r.Counts.Unsent = map[experiment.Incident]int64{"throttled_writes": 4}, 21_593
				}
			},
			[]string{"kinesis (emulator) did not keep up with the load: 21,593 of 45,000 messages in the measure stage of a typical run were never sent; " +
				"it accepted 1,000 of the 1,500 messages offered per second, and the wait for room in max_in_flight grew from 280 ms to 7.84 s (p99)." + lagging +
				" Only 4 messages were refused because a limit was reached: that does not explain it."},
		},
		"what found no room was sent in the drain stage": {
			func(n int, variant string, r *measure.Merged) {
				r.Counts.Unsent = 0
				if variant == "kinesis" {
					r.Incidents = nil
					return
				}
				for i := range r.Timeline { // 2,400 of the last two seconds
					if s := &r.Timeline[i]; s.Second == 38 || s.Second == 39 {
						s.Counts.Sent, s.Counts.Acked = 300, 300
					} else if s.Second == 40 {
						s.Counts.Offered, s.Counts.Sent, s.Counts.Acked = 0, 2400, 2400
					}
				}
			},
			[]string{
				"kafka did not accept the full load at once: 2,400 messages were due and unsent at the end of the measure stage of a typical run, " +
					"and sent in the drain stage, because there was no room in max_in_flight or the client held up the sender.",
				"kinesis (emulator) did not keep up with the load: 7,800 messages were due and unsent at the end of the measure stage of a typical run, " +
					"and sent in the drain stage; it accepted 1,000 of the 1,500 messages offered per second, " +
					"and the wait for room in max_in_flight grew from 280 ms to 7.84 s (p99)." + lagging,
			},
		},
		"all sent, but less stored than offered": {
			func(n int, variant string, r *measure.Merged) {
				if variant == "kafka" {
					return
				}
				r.Incidents, r.Counts.Unsent = nil, 0
				for i := range r.Timeline {
					r.Timeline[i].Counts.Sent = r.Timeline[i].Counts.Offered
					delete(r.Timeline[i].Latencies, measure.Backpressure)
				}
			},
			[]string{"kinesis (emulator) did not keep up with the load: 19,500 messages had not been acknowledged at the end of the measure stage of a typical run; " +
				"it accepted 1,000 of the 1,500 messages offered per second, and the number of messages in flight in its clients grew from 1,020 to 1,560." + lagging},
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
				r.Incidents = nil
				keepUp(r)
				if variant == "kafka" {
					r.Counts.Unsent = 3
				}
			},
			[]string{"kafka did not accept the full load: 3 of 45,000 messages in the measure stage of a typical run were never sent, because there was no room in max_in_flight or the client held up the sender."},
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

// keepUp makes a result that of a system which took all that was offered.
func keepUp(r *measure.Merged) {
	r.Counts.Unsent = 0
	for i := range r.Timeline {
		c := &r.Timeline[i].Counts
		c.Sent, c.Acked = c.Offered, c.Offered
	}
}

// lateReads makes the runs 1, 3 and 4 of the stream those of consumers that got some
// messages late each second, while more and more waited.
func lateReads(n int, variant string, r *measure.Merged, i experiment.Incident, each int64) {
	if variant == "kafka" {
		return
	}
	keepUp(r)
	r.Incidents = nil
	for second := range r.Timeline {
		s := &r.Timeline[second]
		s.Incidents = nil
		if n < 5 {
			s.Incidents, s.Backlog = map[experiment.Incident]int64{i: each}, int64(100*s.Second)
			r.Incidents = map[experiment.Incident]int64{i: 29 * each}
		}
	}
}

// rename makes the incidents of a result others.
func rename(r *measure.Merged, from, to experiment.Incident) {
	r.Incidents = map[experiment.Incident]int64{to: r.Incidents[from]}
	for i := range r.Timeline {
		r.Timeline[i].Incidents = map[experiment.Incident]int64{to: r.Timeline[i].Incidents[from]}
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
