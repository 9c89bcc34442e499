package comparison

import (
	"fmt"
	"slices"
	"strings"

	"dec.local/dec/internal/format"
	"dec.local/dec/internal/measure"
)

// instrument tells how wrong the figures may be: by the certificates of the agents, each
// of which is told once. "" before there is a result.
func (s *Set) instrument() string {
	var lines []string
	results, certified := 0, 0
	for _, r := range s.results() {
		results++
		if r.Certificate != nil {
			certified++
		}
		if line := r.Instrument(); !slices.Contains(lines, line) && r.Certificate != nil {
			lines = append(lines, line)
		}
	}
	switch {
	case results == 0:
		return ""
	case certified == 0:
		return "Instrument: " + new(measure.Result).Instrument() + "."
	case certified < results:
		lines = append(lines, fmt.Sprintf("not certified in %s of %s", format.Count(int64(results-certified)), format.Counted(results, "run")))
	}
	return "Instrument: " + strings.Join(lines, "; or ") + "."
}

// outOfBounds are the caveats of certificates that missed bounds, each told once.
func (s *Set) outOfBounds() []string {
	var caveats []string
	for _, r := range s.results() {
		if r.Certificate == nil || len(r.Certificate.Misses) == 0 {
			continue
		}
		caveat := fmt.Sprintf("The instrument is not as exact as it should be, by its certificate: %s.", strings.Join(r.Certificate.Misses, "; "))
		if !slices.Contains(caveats, caveat) {
			caveats = append(caveats, caveat)
		}
	}
	return caveats
}

// results are those of the runs that count.
func (s *Set) results() []*measure.Result {
	var all []*measure.Result
	for _, v := range s.Variants {
		for _, run := range v.Counted() {
			all = append(all, run.Result)
		}
	}
	return all
}
