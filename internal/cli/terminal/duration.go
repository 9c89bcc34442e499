package terminal

import "time"

// Roughly is a length of time, given in seconds, no more exact than it is.
func Roughly(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second))
	if d < 2*time.Minute {
		return d.Round(time.Second).String()
	}
	return d.Round(time.Minute / 2).String()
}
