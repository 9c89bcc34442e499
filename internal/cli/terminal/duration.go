package terminal

import (
	"time"

	"dec.local/dec/internal/format"
)

// Roughly is a length of time, given in seconds, no more exact than it is.
func Roughly(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second))
	if d < 2*time.Minute {
		return d.Round(time.Second).String()
	}
	return d.Round(time.Minute / 2).String()
}

// Runs is a number of runs: "1 run", "5 runs".
func Runs(n int) string { return format.Counted(n, "run") }
