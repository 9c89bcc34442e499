package local_test

import (
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"dec.local/dec/internal/supervise"
	"dec.local/dec/target"
	"dec.local/dec/target/local"
)

// sampled makes a process that used 0.5 CPU for 2 s, 1 CPU for 2 s, and
// nothing for 6 s, as its samples tell.
func sampled(t *testing.T, l *local.Ledger, name string) time.Time {
	t.Helper()
	folder := l.Folder(name)
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	spec := filepath.Join(folder, "spec.json")
	var samples []byte
	for _, s := range []struct {
		at  int
		cpu float64
		rss int64
	}{{2, 1, 100}, {3, 2, 300}, {4, 3, 200}, {10, 3, 50}} {
		line, err := json.Marshal(supervise.Usage{At: start.Add(time.Duration(s.at) * time.Second), CPUSeconds: s.cpu, RSSBytes: s.rss})
		if err != nil {
			t.Fatal(err)
		}
		samples = append(append(samples, line...), '\n')
	}
	samples = append(samples, `{"at":"2026-01-02T03:0`...) // the writer is at work
	if err := errors.Join(
		os.Mkdir(folder, 0o700),
		os.WriteFile(spec, []byte(`{"name":"x","command":["x"]}`), 0o600),
		os.Chtimes(spec, start, start),
		os.WriteFile(filepath.Join(folder, "samples.jsonl"), samples, 0o600),
	); err != nil {
		t.Fatal(err)
	}
	return start
}

func TestUsage(t *testing.T) {
	l := mustOpen(t)
	start := sampled(t, l, run+"-broker-0")
	sampled(t, l, otherRun+"-broker-0")
	tests := map[string]struct {
		from, until float64 // seconds from the start
		want        target.Usage
	}{
		"all of it":                   {0, 10, target.Usage{CPUSeconds: 3, MaxRSSBytes: 300}},
		"from before until after":     {-5, 60, target.Usage{CPUSeconds: 3, MaxRSSBytes: 300}},
		"at samples":                  {2, 4, target.Usage{CPUSeconds: 2, MaxRSSBytes: 300}},
		"between samples":             {1, 2.5, target.Usage{CPUSeconds: 1, MaxRSSBytes: 100}},
		"within one pair of samples":  {3.25, 3.75, target.Usage{CPUSeconds: 0.5}},
		"while it rests":              {4, 10, target.Usage{MaxRSSBytes: 200}},
		"before it started":           {-9, -3, target.Usage{}},
		"after the last sample of it": {20, 30, target.Usage{}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := l.Usage(t.Context(), run, after(start, tt.from), after(start, tt.until))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(map[string]target.Usage{"broker-0": tt.want}, got); diff != "" {
				t.Errorf("Usage(%v, %v) (-want +got):\n%s", tt.from, tt.until, diff)
			}
		})
	}
}

func TestUsageOfPartsAddsUp(t *testing.T) {
	l := mustOpen(t)
	start := sampled(t, l, run+"-broker-0")
	cpu := func(t *rapid.T, from, until float64) float64 {
		usage, err := l.Usage(t.Context(), run, after(start, from), after(start, until))
		if err != nil {
			t.Fatal(err)
		}
		return usage["broker-0"].CPUSeconds
	}
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.Float64Range(-5, 15).Draw(t, "a")
		b := rapid.Float64Range(a, 15).Draw(t, "b")
		c := rapid.Float64Range(b, 15).Draw(t, "c")
		if got, want := cpu(t, a, b)+cpu(t, b, c), cpu(t, a, c); math.Abs(got-want) > 1e-6 || got < 0 {
			t.Errorf("Usage(%v, %v) + Usage(%v, %v) = %v, want %v", a, b, b, c, got, want)
		}
	})
}

func after(start time.Time, seconds float64) time.Time {
	return start.Add(time.Duration(seconds * float64(time.Second)))
}
