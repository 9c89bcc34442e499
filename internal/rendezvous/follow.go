package rendezvous

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"dec.local/dec/internal/measure"
)

// Follow watches the load that [Coordinator.Begin] has started until it has
// ended, calling onSecond with each second as soon as every agent has delivered
// it, from second 0 on (again, after a server came back).
//
// It writes the stop step itself: when the producers are done, every group has
// received as many messages as were acknowledged, and nothing has changed for a
// second; or else at the end of the drain stage. It fails when an agent gave up
// or shows no progress for [Options].Silence, and when the load was stopped by
// [Coordinator.Stop].
func (c *Coordinator) Follow(ctx context.Context, onSecond func(measure.Second)) error {
	plan, err := c.plan(ctx)
	if err != nil {
		return err
	}
	var begin Step
	if err := c.folder.Get(ctx, StepObject(0), &begin); err != nil {
		return fmt.Errorf("follow a load that has not started: %w", err)
	}
	if begin.Stop {
		return nil
	}
	f := newFollower(c, plan, begin.Start)
	for {
		f.watch.look(time.Now())
		stopped, err := f.look(ctx)
		if err != nil {
			return err
		}
		if err := f.deliver(onSecond); err != nil || stopped {
			return err
		}
		if step, over := f.over(time.Now()); over {
			return c.stop(ctx, step)
		}
		if err := f.alive(ctx); err != nil {
			return err
		}
		if err := sleep(ctx, c.poll); err != nil {
			return fmt.Errorf("follow the load: %w", err)
		}
	}
}

// follower is what Follow knows of the agents' progress.
type follower struct {
	c          *Coordinator
	ids        []string
	start      time.Time
	measureEnd time.Time
	drainEnd   time.Time
	agents     map[string]*followed
	timeline   *measure.Timeline
	watch      watch
	acked      int64 // so far, by all agents
	failed     int64
	received   map[string]int64 // so far, by group
}

// followed is one agent as a follower sees it.
type followed struct {
	pending      []measure.Snapshot // read and not yet delivered
	count        int                // progress objects read
	quiet        bool               // the latest of them: nothing to do, and nothing happened
	lastProgress time.Time
	finished     bool // its result is there: no further progress comes
}

func newFollower(c *Coordinator, plan Plan, start time.Time) *follower {
	w := plan.Workload.Stages
	f := &follower{
		c:          c,
		ids:        slices.Sorted(maps.Keys(plan.Agents)),
		start:      start,
		measureEnd: start.Add(time.Duration(w.Warmup) + time.Duration(w.Measure)),
		agents:     make(map[string]*followed),
		timeline:   measure.NewTimeline(),
		watch:      watch{bucket: c.folder.bucket, patience: c.silence},
		received:   make(map[string]int64),
	}
	f.drainEnd = f.measureEnd.Add(time.Duration(w.Drain))
	// Silence counts from the start of the load, or from now for a server that
	// came back to it.
	from := start
	if now := time.Now(); now.After(from) {
		from = now
	}
	for _, id := range f.ids {
		f.agents[id] = &followed{lastProgress: from}
	}
	return f
}

// look takes in whatever is new, all of it at once: progress, the report that an
// agent gave up, which is an error, and that the load was stopped.
func (f *follower) look(ctx context.Context) (stopped bool, err error) {
	g, ongoing := errgroup.WithContext(ctx)
	g.Go(func() (err error) { stopped, err = f.c.stopped(ongoing); return err })
	g.Go(func() error { return f.c.failure(ongoing, f.ids) })
	g.Go(func() error { return f.readAll(ongoing, int(time.Since(f.start)/time.Second)) })
	if err := g.Wait(); err != nil || !stopped {
		return false, err
	}
	return true, f.readAll(ctx, math.MaxInt) // whatever there is
}

// readAll takes in the new progress of all agents.
func (f *follower) readAll(ctx context.Context, due int) error {
	progress := make([][]Progress, len(f.ids))
	err := each(ctx, f.ids, func(ctx context.Context, i int, id string) (err error) {
		progress[i], err = f.read(ctx, id, due)
		return err
	})
	if err != nil {
		return err
	}
	for i, id := range f.ids {
		for _, p := range progress[i] {
			f.add(f.agents[id], p)
		}
	}
	return nil
}

// read returns the progress of an agent that is new: as many seconds as are due
// are asked for at once, so that a slow bucket does not fall behind, and no more
// than that, for there may be another one after each answer.
func (f *follower) read(ctx context.Context, id string, due int) ([]Progress, error) {
	var progress []Progress
	for count := f.agents[id].count; ; {
		most := min(max(due-count, 1), window)
		got, err := f.c.folder.progress(ctx, id, count, most)
		if err != nil {
			return nil, err
		}
		progress, count = append(progress, got...), count+len(got)
		if len(got) < most || count > due {
			return progress, nil
		}
	}
}

// add takes in one second of one agent.
func (f *follower) add(a *followed, p Progress) {
	a.count++
	a.pending = append(a.pending, p.Snapshot)
	a.lastProgress = time.Now()
	a.quiet = p.Idle && p.Counts.Acked == 0 && p.Counts.Failed == 0 && p.Counts.Received == 0
	f.acked += p.Counts.Acked
	f.failed += p.Counts.Failed
	for group, n := range p.Groups {
		f.received[group] += n
	}
}

// deliver merges each second that all agents have delivered.
func (f *follower) deliver(onSecond func(measure.Second)) error {
	for {
		var parts []measure.Snapshot
		for _, id := range f.ids {
			if pending := f.agents[id].pending; len(pending) > 0 {
				parts = append(parts, pending[0])
			}
		}
		if len(parts) < len(f.ids) {
			return nil
		}
		second, err := f.timeline.Add(parts...)
		if err != nil {
			return err
		}
		for _, id := range f.ids {
			f.agents[id].pending = f.agents[id].pending[1:]
		}
		onSecond(second)
	}
}

// over returns the stop step when the load phase is over.
func (f *follower) over(now time.Time) (Step, bool) {
	if !now.Before(f.drainEnd) {
		return Step{Stop: true, Reason: "the drain stage has ended"}, true
	}
	if now.Before(f.measureEnd) || !f.drained() {
		return Step{}, false
	}
	return Step{Stop: true, Drained: true, Reason: "everything has arrived"}, true
}

// drained reports whether all agents were quiet for a second, and every group has
// received as many messages as were acknowledged. Where some have failed it is not known:
// those that were stored all the same may stand for others that are still to come.
func (f *follower) drained() bool {
	if f.failed > 0 {
		return false
	}
	for _, a := range f.agents {
		if !a.quiet {
			return false
		}
	}
	for _, n := range f.received {
		if n < f.acked {
			return false
		}
	}
	return len(f.received) > 0
}

// alive fails when an agent was silent for too long.
func (f *follower) alive(ctx context.Context) error {
	for _, id := range f.ids {
		a := f.agents[id]
		if a.finished || !f.watch.silent(a.lastProgress) {
			continue
		}
		var result struct{}
		found, err := f.c.folder.Find(ctx, AgentResultObject(id), &result)
		if err != nil {
			return err
		}
		if !found {
			return fmt.Errorf("agent %s has made no progress for %s: it died, or its host hangs; see its log", id, f.c.silence)
		}
		a.finished = true
	}
	return nil
}
