package experiment

import (
	"strings"
	"unicode/utf8"
)

// longestName bounds the names that are compared, in bytes. None that is known is
// longer.
const longestName = 120

// Nearest returns the candidate that name was probably meant to be: the one with
// the fewest edits, if they are at most a third of the name, or "". Case, hyphens
// and underscores do not count, so maxInFlight is max_in_flight.
func Nearest(name string, candidates []string) string {
	if len(name) > longestName {
		return ""
	}
	best, distance := "", 1+max(1, utf8.RuneCountInString(name)/3)
	wanted := squash(name)
	for _, candidate := range candidates {
		if got := edits(wanted, squash(candidate)); got < distance {
			best, distance = candidate, got
		}
	}
	return best
}

var separators = strings.NewReplacer("_", "", "-", "")

func squash(name string) []rune { return []rune(strings.ToLower(separators.Replace(name))) }

// edits is the Levenshtein distance.
func edits(a, b []rune) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range a {
		diagonal := row[0]
		row[0] = i + 1
		for j := range b {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
