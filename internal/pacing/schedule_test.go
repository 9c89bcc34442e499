package pacing_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/pacing"
)

// constant is a workload of one rate.
func constant(rate float64, warmup, measure time.Duration) experiment.Workload {
	return experiment.Workload{
		Load:   experiment.Load{Rate: rate},
		Stages: experiment.Stages{Warmup: experiment.Duration(warmup), Measure: experiment.Duration(measure)},
		Seed:   42,
	}
}

// scheduled is a workload of several segments, measured to their end.
func scheduled(warmup time.Duration, segments ...experiment.Segment) experiment.Workload {
	w := constant(0, warmup, 0)
	w.Load.Schedule = segments
	for _, s := range segments {
		w.Stages.Measure += s.For
	}
	return w
}

func hold(rate float64, length time.Duration) experiment.Segment {
	return experiment.Segment{For: experiment.Duration(length), Rate: &rate}
}

func ramp(to float64, length time.Duration) experiment.Segment {
	return experiment.Segment{For: experiment.Duration(length), RampTo: &to}
}

func mustNew(tb testing.TB, w experiment.Workload, producer int) *pacing.Schedule {
	tb.Helper()
	s, err := pacing.New(w, producer)
	if err != nil {
		tb.Fatalf("New(%+v, %d) = %v, want a schedule", w, producer, err)
	}
	return s
}

func all(s *pacing.Schedule) (offsets []time.Duration) {
	for {
		at, ok := s.Next()
		if !ok {
			return offsets
		}
		offsets = append(offsets, at)
	}
}

func TestNextFollowsTheFormula(t *testing.T) {
	const s, ms = time.Second, time.Millisecond
	cut := scheduled(0, hold(1, s), ramp(3, 2*s))
	cut.Stages.Measure = experiment.Duration(2 * s)
	longer := scheduled(0, hold(1, s), ramp(3, 2*s))
	longer.Stages.Measure += experiment.Duration(500 * time.Millisecond)
	tests := map[string]struct {
		w    experiment.Workload
		want []time.Duration
	}{
		"a ramp that the measure stage cuts keeps its slope": {cut, []time.Duration{0, s, s + 732_050_808}},
		"a schedule that is too short ends at its last rate": {longer, []time.Duration{
			0, s, s + 732_050_808, s + 1_236_067_977, s + 1_645_751_311, 3 * s, 3*s + 333_333_333,
		}},
		"spacing is 1/rate":                        {constant(4, 0, s), []time.Duration{0, 250 * ms, 500 * ms, 750 * ms}},
		"the warm-up runs at the first rate":       {scheduled(s, hold(2, s), hold(1, s)), []time.Duration{0, 500 * ms, s, 1500 * ms, 2 * s}},
		"a decimal rate is the decimal":            {constant(0.1, 10*s, 20*s), []time.Duration{0, 10 * s, 20 * s}},
		"a stage may begin between two messages":   {constant(2, 750*ms, 500*ms), []time.Duration{0, 500 * ms, s}},
		"a ramp from zero follows the square root": {scheduled(0, hold(0, s), ramp(2, s)), []time.Duration{s}},
		"a ramp inverts its integral":              {scheduled(0, hold(1, s), ramp(3, 2*s)), []time.Duration{0, s, s + 732_050_808, s + 1_236_067_977, s + 1_645_751_311}},
		"a falling ramp inverts its integral":      {scheduled(0, hold(3, 0), ramp(1, 2*s)), []time.Duration{0, 354_248_689, 763_932_023, 1_267_949_192}},
		"nothing is sent at rate zero":             {scheduled(0, hold(1, 2*s), hold(0, 5*s), hold(1, 2*s)), []time.Duration{0, s, 7 * s, 8 * s}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, all(mustNew(t, tt.w, 0))); diff != "" {
				t.Errorf("Next() gives (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAnUnevenRateDoesNotDrift(t *testing.T) {
	const n = 3_000_000
	w := constant(3, 0, (n/3+1)*time.Second)
	s := mustNew(t, w, 0)
	var last time.Duration
	for i := range n + 1 {
		at, ok := s.Next()
		if want := time.Duration((int64(i)*2e9 + 3) / 6); !ok || at != want { // nearest nanosecond to i/3 s
			t.Fatalf("message %d is due at %d, %t, want %d", i, at, ok, want)
		}
		last = at
	}
	if want := 1_000_000 * time.Second; last != want {
		t.Errorf("message %d is due at %s, want %s", n, last, want)
	}
}

func TestNewRefuses(t *testing.T) {
	tests := map[string]struct {
		w        experiment.Workload
		producer int
	}{
		"a producer that is not there":    {constant(1, 0, time.Second), 1},
		"a negative producer":             {constant(1, 0, time.Second), -1},
		"a ramp without a rate before it": {scheduled(0, ramp(3, time.Second)), 0},
		"a negative rate":                 {constant(-1, 0, time.Second), 0},
		"an infinite rate":                {constant(math.Inf(1), 0, time.Second), 0},
		"a rate that is not a number":     {scheduled(0, hold(1, time.Second), ramp(math.NaN(), time.Second)), 0},
		"a negative rate in the schedule": {scheduled(0, hold(1, time.Second), hold(-1, time.Second)), 0},
		"a ramp that ends below zero":     {scheduled(0, hold(1, time.Second), ramp(-1, time.Second)), 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := pacing.New(tt.w, tt.producer); err == nil {
				t.Errorf("New(%+v, %d) = nil, want an error", tt.w, tt.producer)
			}
		})
	}
}

// drawWorkload draws a schedule of up to some thousand messages and the
// integral of its rate up to a point in time.
func drawWorkload(t *rapid.T) (w experiment.Workload, integral func(time.Duration) float64) {
	length := func(name string) time.Duration {
		return time.Duration(rapid.Int64Range(1, 3e9).Draw(t, name))
	}
	rate := func(name string) float64 { return float64(rapid.IntRange(0, 40_000).Draw(t, name)) / 100 }
	first := rate("first rate")
	segments := []experiment.Segment{hold(first, length("first length"))}
	type piece struct {
		for_     time.Duration
		from, to float64
	}
	w = scheduled(length("warm-up"), segments...)
	pieces := []piece{{time.Duration(w.Stages.Warmup), first, first}, {time.Duration(segments[0].For), first, first}}
	now := first
	for range rapid.IntRange(0, 4).Draw(t, "segments") {
		to, l := rate("rate"), length("length")
		if rapid.Bool().Draw(t, "ramp") {
			segments, pieces = append(segments, ramp(to, l)), append(pieces, piece{l, now, to})
		} else {
			segments, pieces = append(segments, hold(to, l)), append(pieces, piece{l, to, to})
		}
		now = to
	}
	w = scheduled(time.Duration(w.Stages.Warmup), segments...)
	w.Seed = rapid.Int64().Draw(t, "seed")
	w.Topology.Producers = rapid.IntRange(1, 7).Draw(t, "producers")
	return w, func(until time.Duration) (n float64) {
		for _, p := range pieces {
			l := min(p.for_, max(0, until))
			at := p.from + (p.to-p.from)*float64(l)/float64(p.for_)
			n += (p.from + at) / 2 * l.Seconds()
			until -= l
		}
		return n
	}
}

func TestSharesTogetherAreTheLoad(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, integral := drawWorkload(t)
		alone := w
		alone.Topology.Producers = 1
		whole, err := pacing.New(alone, 0)
		if err != nil {
			t.Fatal(err)
		}
		total := all(whole)
		if !slices.IsSorted(total) {
			t.Fatalf("the offsets of %+v do not ascend", w)
		}
		n := w.Topology.Producers
		for k := range n {
			share, err := pacing.New(w, k)
			if err != nil {
				t.Fatal(err)
			}
			var want []time.Duration
			for i := k; i < len(total); i += n {
				want = append(want, total[i])
			}
			if got := all(share); !slices.Equal(got, want) {
				t.Fatalf("producer %d of %d has %v, want %v", k, n, got, want)
			}
		}
		end := whole.End()
		until := time.Duration(rapid.Int64Range(0, int64(end)).Draw(t, "until"))
		if got, want := float64(whole.Count(0, until)), integral(until); math.Abs(got-want) > 1 {
			t.Fatalf("Count(0, %s) = %v, want %v ± 1", until, got, want)
		}
	})
}

func TestCountAgreesWithNext(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, _ := drawWorkload(t)
		w.Load.Arrivals = rapid.SampledFrom([]experiment.Arrivals{"", experiment.ArrivalsUniform, experiment.ArrivalsPoisson}).Draw(t, "arrivals")
		producer := rapid.IntRange(0, w.Topology.Producers-1).Draw(t, "producer")
		s, err := pacing.New(w, producer)
		if err != nil {
			t.Fatal(err)
		}
		offsets := all(s)
		if !slices.IsSorted(offsets) {
			t.Fatalf("the offsets of %+v do not ascend", w)
		}
		for range 4 {
			from := time.Duration(rapid.Int64Range(-1, int64(s.End())+1).Draw(t, "from"))
			until := time.Duration(rapid.Int64Range(-1, int64(s.End())+1).Draw(t, "until"))
			var want int64
			for _, at := range offsets {
				if from <= at && at < until {
					want++
				}
			}
			if got := s.Count(from, until); got != want {
				t.Fatalf("Count(%s, %s) = %d, want %d", from, until, got, want)
			}
		}
		from, until := s.Bounds()
		for i, at := range offsets {
			inside := uint64(i) >= from && uint64(i) < until
			if measured := at >= time.Duration(w.Stages.Warmup) && at < s.End(); measured != inside {
				t.Fatalf("message %d at %s is measured = %t, but Bounds() = %d, %d", i, at, measured, from, until)
			}
		}
		if again, err := pacing.New(w, producer); err != nil || !slices.Equal(all(again), offsets) {
			t.Fatalf("a second schedule differs from the first, or fails: %v", err)
		}
	})
}

// TestPoissonSharesAreAPoissonLoad compares the gaps of all producers together,
// measured on the clock of the rate's integral, with the unit exponential
// (Kolmogorov–Smirnov), and the shares' sizes with each other.
func TestPoissonSharesAreAPoissonLoad(t *testing.T) {
	const producers, rate = 4, 2000.0
	w := scheduled(0, hold(rate, 10*time.Second), ramp(3*rate, 10*time.Second))
	w.Load.Arrivals, w.Topology.Producers = experiment.ArrivalsPoisson, producers
	var union []time.Duration
	for k := range producers {
		share := all(mustNew(t, w, k))
		if want := 60_000.0 / producers; math.Abs(float64(len(share))-want) > 5*math.Sqrt(want) {
			t.Errorf("producer %d has %d messages, want about %v", k, len(share), want)
		}
		union = append(union, share...)
	}
	slices.Sort(union)
	position := func(at time.Duration) float64 {
		if s := at.Seconds(); s > 10 {
			return rate * (10 + (s - 10) + (s-10)*(s-10)/10)
		} else {
			return rate * s
		}
	}
	gaps := make([]float64, len(union))
	last := 0.0
	for i, at := range union {
		gaps[i], last = position(at)-last, position(at)
	}
	slices.Sort(gaps)
	n, worst := float64(len(gaps)), 0.0
	for i, g := range gaps {
		f := 1 - math.Exp(-g)
		worst = max(worst, math.Abs(f-float64(i)/n), math.Abs(float64(i+1)/n-f))
	}
	if limit := 1.95 / math.Sqrt(n); worst > limit { // 0.1 % level; the seed is fixed
		t.Errorf("gaps differ from the exponential by %v, want at most %v", worst, limit)
	}
}

func TestNextAllocatesNothing(t *testing.T) {
	for _, arrivals := range []experiment.Arrivals{experiment.ArrivalsUniform, experiment.ArrivalsPoisson} {
		w := scheduled(time.Hour, hold(1e6, time.Hour), ramp(2e6, time.Hour))
		w.Load.Arrivals = arrivals
		s := mustNew(t, w, 0)
		if got := testing.AllocsPerRun(1000, func() { s.Next() }); got != 0 {
			t.Errorf("Next() with %s arrivals allocates %v times, want 0", arrivals, got)
		}
	}
}

func BenchmarkNext(b *testing.B) {
	for _, arrivals := range []experiment.Arrivals{experiment.ArrivalsUniform, experiment.ArrivalsPoisson} {
		b.Run(string(arrivals), func(b *testing.B) {
			w := constant(1e6, time.Hour, 100*time.Hour)
			w.Load.Arrivals = arrivals
			s := mustNew(b, w, 0)
			for b.Loop() {
				s.Next()
			}
		})
	}
}
