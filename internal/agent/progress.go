package agent

import (
	"context"
	"time"

	"dec.local/dec/internal/measure"
	"dec.local/dec/internal/rendezvous"
)

// report writes one snapshot a second until ctx ends, and a last one for the
// rest of a second. It returns nil unless the bucket fails.
func (a *agent) report(ctx context.Context, w measure.Window) error {
	interval := measure.NewInterval()
	cpu := cpuSeconds()
	for n := 0; ; n++ {
		from := time.Duration(n) * time.Second
		until := from + time.Second
		over := wait(ctx, time.Duration(w.Start+int64(until)-a.anchor.Now())) != nil
		if over {
			until = time.Duration(a.anchor.Now() - w.Start)
		}
		now := cpuSeconds()
		progress, err := a.snapshot(interval, n, w, until)
		if err != nil {
			return err
		}
		progress.CPUSeconds, cpu = now-cpu, now
		// The last ones are written although ctx has ended: the account is whole.
		if err := a.folder.Put(context.WithoutCancel(ctx), rendezvous.ProgressObject(a.ID, n), progress); err != nil {
			return err
		}
		if over {
			return nil
		}
	}
}

// snapshot empties the recorders into one second, which ends at the offset
// until from the load's start.
func (a *agent) snapshot(into *measure.Interval, n int, w measure.Window, until time.Duration) (rendezvous.Progress, error) {
	from := time.Duration(n) * time.Second
	idle := true
	for _, p := range a.producers {
		// Asked first: what was answered before is in this snapshot.
		idle = p.idle() && idle
		p.recorder.Drain(into)
		into.Counts.Offered += p.offered.Count(from, until)
	}
	for _, c := range a.consumers {
		c.recorder.Load().Drain(into)
	}
	a.incidents.Drain(into)
	s, err := into.Snapshot(n, w.Stage(w.Start+int64(from)))
	return rendezvous.Progress{Snapshot: s, Idle: idle}, err
}
