package comparison_test

import (
	"slices"
	"strings"
	"testing"

	"dec.local/dec/internal/comparison"
	"dec.local/dec/internal/comparison/comparisontest"
	"dec.local/dec/internal/measure"
)

// TestTheInstrumentIsTold changes the certificates of the runs of kafka, of which five
// count, as of nats.
func TestTheInstrumentIsTold(t *testing.T) {
	const line = "p50 error ±30.0 µs, p99 ±200 µs at 1,000/s; stall of 3 s seen as p99 = 2.70 s, expected 2.70 s; 37 of 37 losses found"
	none := func(r *measure.Result) { r.Certificate = nil }
	missed := func(r *measure.Result) {
		r.Certificate = &measure.Certificate{Line: "p50 error ±90.0 µs", Misses: []string{"the error of the p50 is +90.0 µs; the limit is ±50.0 µs"}}
	}
	tests := map[string]struct {
		kafka, nats func(*measure.Result)
		want        string
		caveat      string // part of one; none on certificates if empty
	}{
		"all are certified":     {want: "Instrument: " + line + "."},
		"those of one variant":  {kafka: none, want: "Instrument: " + line + "; or not certified in 5 of 10 runs."},
		"none is certified":     {kafka: none, nats: none, want: "Instrument: not certified: 'dec certify' tells the instrument's own error for the next 24 hours."},
		"one is out of bounds":  {kafka: missed, want: "Instrument: p50 error ±90.0 µs (out of bounds); or " + line + ".", caveat: "by its certificate: the error of the p50 is +90.0 µs; the limit is ±50.0 µs."},
		"all are out of bounds": {kafka: missed, nats: missed, want: "Instrument: p50 error ±90.0 µs (out of bounds).", caveat: "the limit is ±50.0 µs."},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := comparisontest.Synthetic(t)
			for label, change := range map[string]func(*measure.Result){"kafka": tt.kafka, "nats": tt.nats} {
				if change != nil {
					each(s, label, 5, change)
				}
			}
			c := comparisontest.Compare(t, s)
			if c.Instrument != tt.want {
				t.Errorf("Instrument = %q, want %q", c.Instrument, tt.want)
			}
			told := slices.DeleteFunc(slices.Clone(c.Caveats), func(caveat string) bool { return !strings.Contains(caveat, "certificate") })
			if want := tt.caveat != ""; (len(told) == 1) != want || want && !strings.Contains(told[0], tt.caveat) {
				t.Errorf("caveats on certificates = %q, want one with %q", told, tt.caveat)
			}
		})
	}
}

func TestTheInstrumentIsNotToldBeforeThereIsAResult(t *testing.T) {
	s := comparisontest.Synthetic(t)
	for _, run := range s.Runs {
		run.Result = nil
	}
	c, err := comparison.New(s, comparison.Options{})
	if err != nil || c.Instrument != "" {
		t.Errorf("Instrument = %q, %v, want none", c.Instrument, err)
	}
}
