package certify

import (
	"slices"
	"strings"
	"testing"
	"time"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
)

// told is what agents say of values, each wrong by off.
func told(values []int64, off time.Duration) measure.Latency {
	h := measure.NewHistogram()
	for _, ns := range values {
		h.Record(ns + int64(off))
	}
	return h.Summary()
}

// constant is a sample of n equal values.
func constant(n int, d time.Duration) sample {
	values := slices.Repeat([]int64{int64(d)}, n)
	return sample{values: values, bounds: values}
}

// TestJudgeFindsWhatIsOutOfBounds judges runs of which the agents tell the truth but for
// one thing.
func TestJudgeFindsWhatIsOutOfBounds(t *testing.T) {
	flat := constant(20_000, time.Millisecond)
	precise := trial{name: "flat", precise: true, workload: load(slowRate, 0, time.Second, 0)}
	fast := precise
	fast.workload = load(fastRate, 0, time.Second, 0)
	theory := func(float64) time.Duration { return time.Millisecond }
	right := measure.Result{Validity: experiment.Validity{OK: true}, E2E: told(flat.values, 0), Publish: told(flat.values, 0)}
	with := func(change func(*measure.Result)) measure.Result {
		r := right
		change(&r)
		return r
	}
	late := func(off time.Duration) measure.Result {
		return with(func(r *measure.Result) { r.E2E = told(flat.values, off) })
	}
	open := sample{values: flat.values[:10_000], bounds: slices.Concat(flat.values[:10_000], slices.Repeat([]int64{int64(time.Second)}, 10_000))}
	tests := map[string]struct {
		trial trial
		told  measure.Result
		is    truth
		want  []string // kinds of misses
	}{
		"nothing is wrong":                         {precise, right, truth{publish: flat, e2e: flat}, nil},
		"the p50 is 45 µs too high":                {precise, late(45 * time.Microsecond), truth{publish: flat, e2e: flat}, nil},
		"the p50 is 60 µs too high at 1,000/s":     {precise, late(60 * time.Microsecond), truth{publish: flat, e2e: flat}, []string{"error of p50"}},
		"the p50 is 60 µs too low at 1,000/s":      {precise, late(-60 * time.Microsecond), truth{publish: flat, e2e: flat}, []string{"error of p50"}},
		"the p50 is 60 µs too high at 20,000/s":    {fast, late(60 * time.Microsecond), truth{publish: flat, e2e: flat}, nil},
		"the p50 is 110 µs too high at 20,000/s":   {fast, late(110 * time.Microsecond), truth{publish: flat, e2e: flat}, []string{"error of p50"}},
		"both are 400 µs too high":                 {fast, late(400 * time.Microsecond), truth{publish: flat, e2e: flat}, []string{"error of p50", "error of p99"}},
		"400 µs do not matter beside others":       {trial{workload: precise.workload}, late(400 * time.Microsecond), truth{publish: flat, e2e: flat}, nil},
		"a stall is 4 % off the record and theory": {trial{theory: theory, workload: precise.workload}, late(40 * time.Microsecond), truth{publish: flat, e2e: flat}, []string{"stalls"}},
		"a stall is 2 % off":                       {trial{theory: theory, workload: precise.workload}, late(20 * time.Microsecond), truth{publish: flat, e2e: flat}, nil},
		"a loss was not found": {
			precise, right, truth{publish: flat, e2e: flat, counts: measure.Counts{Lost: 1}}, []string{"accounts"},
		},
		"a duplicate was invented": {
			precise, with(func(r *measure.Result) { r.Counts.Duplicates = 1 }), truth{publish: flat, e2e: flat}, []string{"accounts"},
		},
		"a bound is told as exact": {trial{workload: precise.workload}, right, truth{publish: flat, e2e: open}, []string{"exactness"}},
		"what was awaited is told as if it had come": {
			trial{workload: precise.workload}, with(func(r *measure.Result) { r.E2E = told(open.bounds, 0) }), truth{publish: flat, e2e: open}, []string{"exactness"},
		},
		"the run would not have counted": {
			precise, with(func(r *measure.Result) { r.Validity = experiment.Validity{Reasons: []string{"late"}} }), truth{publish: flat, e2e: flat}, []string{"validity"},
		},
		"a clock that is ahead is seen": {
			trial{workload: precise.workload, ahead: 10 * time.Millisecond}, late(10 * time.Millisecond), truth{publish: flat, e2e: flat}, nil,
		},
		"a clock that is ahead is not seen": {
			trial{workload: precise.workload, ahead: 10 * time.Millisecond}, right, truth{publish: flat, e2e: flat}, []string{"clocks"},
		},
		"a clock that is behind is seen": {
			trial{workload: precise.workload, ahead: -10 * time.Millisecond},
			with(func(r *measure.Result) {
				r.E2E, r.Validity = told(flat.values, -10*time.Millisecond), experiment.Validity{Reasons: []string{"The clocks disagree"}}
			}), truth{publish: flat, e2e: flat}, nil,
		},
		"a clock that is behind is not seen": {
			trial{workload: precise.workload, ahead: -10 * time.Millisecond}, right, truth{publish: flat, e2e: flat}, []string{"clocks"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			o := judge(tt.trial, tt.told, tt.is)
			var kinds []string
			for _, m := range o.Misses {
				if !slices.Contains(kinds, m.Kind) {
					kinds = append(kinds, m.Kind)
				}
			}
			if !slices.Equal(kinds, tt.want) {
				t.Errorf("judge() misses %+v, want of the kinds %q", o.Misses, tt.want)
			}
		})
	}
}

// TestLineSaysWhatWasFound wants the figures of the worst trial of each rate, and one miss
// for all of a kind.
func TestLineSaysWhatWasFound(t *testing.T) {
	figure := func(quantile string, is, off time.Duration) Figure {
		return Figure{Quantile: quantile, True: new(int64(is)), Reported: new(int64(is + off))}
	}
	precise := func(rate float64, p50, p99 time.Duration) Outcome {
		return Outcome{Name: "flat", Rate: rate, Precise: true, E2E: []Figure{figure("p50", time.Millisecond, p50), figure("p99", time.Millisecond, p99)}}
	}
	stall := Outcome{Name: "stall of 3 s", Rate: slowRate, E2E: []Figure{figure("p99", 2700*time.Millisecond, time.Millisecond)}}
	stall.E2E[0].Expected = new(int64(2700 * time.Millisecond))
	wrong := precise(slowRate, -30*time.Microsecond, 200*time.Microsecond)
	for i, off := range []time.Duration{90 * time.Microsecond, 70 * time.Microsecond} {
		wrong.miss("error of p50", float64(off), "the error of the p50 is %s", off)
		if i == 0 {
			wrong.miss("accounts", 1, "lost: the broker had 2, the agents told 1")
		}
	}
	line, misses := conclude([]Outcome{
		precise(slowRate, 20*time.Microsecond, 100*time.Microsecond), wrong, precise(fastRate, 60*time.Microsecond, 250*time.Microsecond), stall,
		{Findings: []Finding{{"lost", 37, 36}, {"duplicates", 5, 5}, {"refused", 2, 2}}},
	})
	const want = "p50 error ±30.0 µs, p99 ±200 µs at 1,000/s; p50 error ±60.0 µs, p99 ±250 µs at 20,000/s; " +
		"stall of 3 s seen as p99 = 2.70 s, expected 2.70 s; 36 of 37 losses, 5 of 5 duplicates found"
	if line != want {
		t.Errorf("line = %q, want %q", line, want)
	}
	if len(misses) != 2 || !strings.Contains(misses[0], "90µs") || !strings.Contains(misses[1], "lost") {
		t.Errorf("misses = %q, want the worst of each kind", misses)
	}
}
