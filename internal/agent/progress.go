package agent

import (
	"context"
	"sync"
	"time"

	"dec.local/dec/internal/measure"
	"dec.local/dec/internal/rendezvous"
)

// writers is how many snapshots are written at once. One would fall behind a
// bucket that takes longer than a second for each.
const writers = 4

// lastWrites is how long an agent that is told to end goes on writing: less than
// the grace that it has.
const lastWrites = 2 * time.Second

// settling is how long after its end a second is read, so that what is still being
// recorded counts in it. What is recorded later yet counts in the next one.
const settling = 20 * time.Millisecond

// report takes one snapshot a second until ctx ends, and a last one for the rest
// of a second. It returns when all are written; nil unless the bucket fails.
func (a *agent) report(ctx context.Context, out *outbox, w measure.Window) error {
	interval := measure.NewInterval()
	cpu := cpuSeconds()
	for n := 0; ; n++ {
		from := time.Duration(n) * time.Second
		until := from + time.Second
		over := wait(ctx, time.Duration(w.Start+int64(until+settling)-a.anchor.Now())) != nil
		if over {
			until = time.Duration(a.anchor.Now() - w.Start)
		}
		now := cpuSeconds()
		progress, err := a.snapshot(interval, n, w, until, over)
		if err != nil {
			out.close()
			return err
		}
		progress.CPUSeconds, cpu = now-cpu, now
		out.put(progress)
		if over {
			return out.close()
		}
	}
}

// outbox writes snapshots in the background, the oldest first. A slow bucket, or
// one that is away for a while, does not hold up the seconds: they wait in memory,
// at most those of the load.
type outbox struct {
	write func(rendezvous.Progress) error
	stop  context.CancelCauseFunc // told of a write that failed for good
	free  func()                  // gives back what the writes' context holds
	wg    sync.WaitGroup

	mu      sync.Mutex // protects the following
	waiting []rendezvous.Progress
	active  int // writers at work
	err     error
}

// newOutbox returns an outbox of an agent. ctx is the agent's own: the snapshots
// of a load that has ended are still written, so that the account is whole, but
// those of an agent that must end only for a moment.
func (a *agent) newOutbox(ctx context.Context, stop context.CancelCauseFunc) *outbox {
	writing, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	unwatch := context.AfterFunc(ctx, func() {
		time.AfterFunc(lastWrites, func() { cancel(context.Cause(ctx)) })
	})
	return &outbox{
		stop: stop,
		free: func() { unwatch(); cancel(nil) },
		write: func(p rendezvous.Progress) error {
			return a.folder.Put(writing, rendezvous.ProgressObject(a.ID, p.Second), p)
		},
	}
}

// put hands a snapshot over. It never waits for the bucket.
func (o *outbox) put(p rendezvous.Progress) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.waiting = append(o.waiting, p)
	if o.active < writers {
		o.active++
		o.wg.Go(o.work)
	}
}

// close waits until everything is written.
func (o *outbox) close() error {
	o.wg.Wait()
	o.free()
	return o.err
}

// work writes what waits until nothing does.
func (o *outbox) work() {
	for {
		p, ok := o.next()
		if !ok {
			return
		}
		if err := o.write(p); err != nil {
			o.fail(err)
		}
	}
}

// next takes the oldest snapshot. It is false when there is none, and after a
// failure: the writer ends.
func (o *outbox) next() (rendezvous.Progress, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.waiting) == 0 || o.err != nil {
		o.active--
		return rendezvous.Progress{}, false
	}
	p := o.waiting[0]
	o.waiting = o.waiting[1:]
	return p, true
}

// fail keeps the first failure and ends the load.
func (o *outbox) fail(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err == nil {
		o.err = err
		o.stop(err)
	}
}

// snapshot empties the recorders of one second, which ends at the offset until from the
// load's start, or of all that is left if it is the last.
func (a *agent) snapshot(into *measure.Interval, n int, w measure.Window, until time.Duration, last bool) (rendezvous.Progress, error) {
	from := time.Duration(n) * time.Second
	idle := true
	for _, p := range a.producers {
		// Asked first: what was answered before has been recorded.
		idle = p.idle() && idle
		into.Counts.Offered += p.offered.Count(from, until)
	}
	through := n
	if last {
		through = measure.AllSeconds
	}
	idle = !a.recording.drain(through, into) && idle
	for name := range a.recording.groups {
		into.Groups[name] += 0 // a group that gets nothing is behind, not absent
	}
	a.incidents.Drain(into)
	s, err := into.Snapshot(n, w.Stage(w.Start+int64(from)))
	return rendezvous.Progress{Snapshot: s, Idle: idle}, err
}
