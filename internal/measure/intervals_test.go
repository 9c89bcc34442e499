//go:build !race

package measure_test

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"dec.local/dec/internal/measure"
)

// numbers is the plain set that an IntervalSet is compared with.
type numbers map[uint64]bool

func (n numbers) countIn(from, until uint64) (count uint64) {
	for seq := range n {
		if from <= seq && seq < until {
			count++
		}
	}
	return count
}

// sorted lists a set by its runs.
func sorted(s *measure.IntervalSet) []uint64 {
	list := []uint64{}
	for from, until := range s.Runs() {
		for seq := from; seq < until; seq++ {
			list = append(list, seq)
		}
	}
	return list
}

// drawSet draws a set and the same as plain numbers. Chunks are 16,384 wide, so
// some ranges fill one or several.
func drawSet(t *rapid.T, name string) (*measure.IntervalSet, numbers) {
	set, plain := &measure.IntervalSet{}, numbers{}
	seq := rapid.OneOf(rapid.Uint64Range(0, 300), rapid.Uint64Range(16_300, 16_500), rapid.Uint64Range(0, 70_000))
	for range rapid.IntRange(0, 8).Draw(t, name+" steps") {
		from := seq.Draw(t, name)
		if rapid.IntRange(0, 3).Draw(t, name+" kind") > 0 {
			if fresh := set.Add(from); fresh == plain[from] {
				t.Fatalf("Add(%d) = %t, want %t", from, fresh, !plain[from])
			}
			plain[from] = true
			continue
		}
		until := from + rapid.OneOf(rapid.Uint64Range(0, 200), rapid.Uint64Range(16_300, 17_000)).Draw(t, name+" length")
		set.AddRange(from, until)
		for n := from; n < until; n++ {
			plain[n] = true
		}
	}
	return set, plain
}

func TestIntervalSetAgreesWithAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, plainA := drawSet(t, "a")
		b, plainB := drawSet(t, "b")
		if diff := cmp.Diff(slices.Sorted(maps.Keys(plainA)), sorted(a)); len(plainA) > 0 && diff != "" {
			t.Fatalf("Runs() differ (-want +got):\n%s", diff)
		}
		from := rapid.Uint64Range(0, 80_000).Draw(t, "from")
		until := rapid.Uint64Range(0, 80_000).Draw(t, "until")
		if got, want := a.CountIn(from, until), plainA.countIn(from, until); got != want {
			t.Fatalf("CountIn(%d, %d) = %d, want %d", from, until, got, want)
		}
		if got, want := a.Missing(from, until).Count(), max(from, until)-from-plainA.countIn(from, until); got != want {
			t.Fatalf("Missing(%d, %d).Count() = %d, want %d", from, until, got, want)
		}
		if got := a.Contains(from); got != plainA[from] {
			t.Fatalf("Contains(%d) = %t, want %t", from, got, plainA[from])
		}
		difference := maps.Clone(plainA)
		maps.DeleteFunc(difference, func(seq uint64, _ bool) bool { return plainB[seq] })
		if got := a.Subtract(b); got.Count() != uint64(len(difference)) || !slices.Equal(sorted(got), sortedKeys(difference)) {
			t.Fatalf("Subtract() has %d numbers, want %d", got.Count(), len(difference))
		}
		if again := throughJSON(t, a); !slices.Equal(sorted(again), sorted(a)) || again.Count() != a.Count() {
			t.Fatalf("JSON changes the set to %d numbers, want %d", again.Count(), a.Count())
		}
		a.Union(b)
		maps.Copy(plainA, plainB)
		if a.Count() != uint64(len(plainA)) || !slices.Equal(sorted(a), sortedKeys(plainA)) {
			t.Fatalf("Union() has %d numbers, want %d", a.Count(), len(plainA))
		}
		for seq := range plainB {
			if a.Add(seq) {
				t.Fatalf("Add(%d) is fresh after Union(), want not", seq)
			}
		}
	})
}

// TestLongRangesOverlap draws ranges of whole chunks, where the set keeps spans.
func TestLongRangesOverlap(t *testing.T) {
	const chunk = 16_384
	rapid.Check(t, func(t *rapid.T) {
		set, plain := &measure.IntervalSet{}, numbers{}
		for range rapid.IntRange(1, 8).Draw(t, "ranges") {
			from := rapid.Uint64Range(0, 30).Draw(t, "from")
			until := from + rapid.Uint64Range(0, 12).Draw(t, "length")
			set.AddRange(from*chunk, until*chunk)
			for n := from; n < until; n++ {
				plain[n] = true
			}
			if got, want := set.Count(), uint64(len(plain))*chunk; got != want {
				t.Fatalf("Count() = %d, want %d", got, want)
			}
		}
		for n := range uint64(43) {
			if got := set.CountIn(n*chunk, (n+1)*chunk); plain[n] != (got == chunk) || !plain[n] && got != 0 {
				t.Fatalf("CountIn(chunk %d) = %d, want all if %t", n, got, plain[n])
			}
			if fresh := set.Add(n * chunk); fresh == plain[n] {
				t.Fatalf("Add(first of chunk %d) = %t, want %t", n, fresh, !plain[n])
			}
		}
	})
}

func sortedKeys(n numbers) []uint64 { return slices.Sorted(maps.Keys(n)) }

func throughJSON(t fataler, s *measure.IntervalSet) *measure.IntervalSet {
	data, err := json.Marshal(s)
	if err != nil {
		t.Fatalf("Marshal() = %v, want no error", err)
	}
	again := &measure.IntervalSet{}
	if err := json.Unmarshal(data, again); err != nil {
		t.Fatalf("Unmarshal(%s) = %v, want no error", data, err)
	}
	return again
}

func TestIntervalSetJSON(t *testing.T) {
	everyThird := &measure.IntervalSet{}
	for seq := uint64(0); seq < 3_000_000; seq += 3 {
		everyThird.Add(seq)
	}
	whole := &measure.IntervalSet{}
	for seq := range uint64(3_000_000) {
		whole.Add(seq)
	}
	few := &measure.IntervalSet{}
	few.AddRange(5, 8)
	few.Add(20)
	tests := map[string]struct {
		set   *measure.IntervalSet
		want  string // "" when too long to write here
		bytes int    // at most
	}{
		"nothing":                 {&measure.IntervalSet{}, "[]", 2},
		"intervals":               {few, "[[5,8],[20,21]]", 100},
		"a long run is one":       {whole, "[[0,3000000]]", 100},
		"every third is a bitmap": {everyThird, "", 600_000},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			data, err := json.Marshal(tt.set)
			if err != nil || tt.want != "" && string(data) != tt.want {
				t.Errorf("Marshal() = %.80s, %v, want %s", data, err, tt.want)
			}
			if len(data) > tt.bytes {
				t.Errorf("Marshal() gives %d bytes, want at most %d", len(data), tt.bytes)
			}
			if got := throughJSON(t, tt.set); got.Count() != tt.set.Count() || got.Subtract(tt.set).Count() != 0 {
				t.Errorf("JSON changes the set to %d numbers, want %d", got.Count(), tt.set.Count())
			}
		})
	}
}

func TestIntervalSetRefusesOddJSON(t *testing.T) {
	for name, text := range map[string]string{
		"an empty interval":   "[[3,3]]",
		"a backward interval": "[[5,3]]",
		"a negative number":   "[[-1,3]]",
		"beyond the last":     "[[0,9223372036854775808]]",
		"a short bitmap":      `[[0,"AAAA"]]`,
		"no numbers":          `[["a","b"]]`,
		"no list":             "{}",
		"half an interval":    "[[1]]",
	} {
		t.Run(name, func(t *testing.T) {
			if err := json.Unmarshal([]byte(text), &measure.IntervalSet{}); err == nil {
				t.Errorf("Unmarshal(%s) = nil, want an error", text)
			}
		})
	}
}

func TestIntervalSetHoldsNothingBeyondItsEnd(t *testing.T) {
	s := &measure.IntervalSet{}
	s.AddRange(measure.MaxSequence-3, ^uint64(0))
	if s.Add(measure.MaxSequence) || s.Add(^uint64(0)) || s.Count() != 3 {
		t.Errorf("Count() = %d, want 3 numbers below MaxSequence", s.Count())
	}
}

func FuzzIntervalSetJSON(f *testing.F) {
	f.Add([]byte("[[0,3],[5,4611686018427387904]]"))
	f.Add([]byte("[[16384,40000],[3,5]]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s := &measure.IntervalSet{}
		if json.Unmarshal(data, s) != nil {
			return
		}
		again := throughJSON(t, s)
		if again.Count() != s.Count() || again.Subtract(s).Count() != 0 || s.Subtract(again).Count() != 0 {
			t.Errorf("JSON changes %s", data)
		}
	})
}

func TestAddAllocatesNothingInOrder(t *testing.T) {
	s := &measure.IntervalSet{}
	seq := uint64(0)
	add := func() { s.Add(seq ^ 3); seq++ } // nearly in order
	if got := testing.AllocsPerRun(100_000, add); got != 0 {
		t.Errorf("Add() allocates %v times, want 0", got)
	}
}

func BenchmarkAdd(b *testing.B) {
	s := &measure.IntervalSet{}
	for seq := uint64(0); b.Loop(); seq++ {
		s.Add(seq ^ 7)
	}
}
