package rendezvous

import "time"

// watch decides how long an agent may show nothing. Only a time in which somebody
// looked counts: not one in which the bucket could not be reached, nor one in which
// this process was paused, as on a laptop that sleeps.
type watch struct {
	bucket   *Bucket
	patience time.Duration

	since    time.Time // silence counts from here on at the earliest
	lastLook time.Time
}

// look is told of each look at the bucket, before it: what an agent wrote until now
// will be seen by it.
func (w *watch) look(now time.Time) {
	if w.lastLook.IsZero() || now.Sub(w.lastLook) > w.patience/2 {
		w.since = now
	}
	w.lastLook = now
}

// silent reports whether an agent has shown nothing for so long that it must have
// died: no progress from then until the last look.
func (w *watch) silent(lastProgress time.Time) bool {
	for _, later := range []time.Time{w.since, w.bucket.troubleAt()} {
		if later.After(lastProgress) {
			lastProgress = later
		}
	}
	return w.lastLook.Sub(lastProgress) >= w.patience
}
