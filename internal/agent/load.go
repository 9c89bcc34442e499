package agent

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"dec.local/dec/internal/measure"
	"dec.local/dec/internal/rendezvous"
	"dec.local/dec/technology"
)

// patienceAfterDrain is how long an agent waits for the server's stop after the
// drain stage before it ends by itself: the server may be gone for a while.
const patienceAfterDrain = 2 * time.Second

// errStopped ends the goroutines of a load in the ordinary way.
var errStopped = errors.New("the load has ended")

// load offers this agent's share from the step's start until the server stops
// it or the drain stage is over, and writes the result.
func (a *agent) load(ctx context.Context, begin rendezvous.Step, driver technology.Driver) error {
	window := measure.NewWindow(begin.Start, a.plan.Workload.Stages)
	a.record(window)
	settleHeap(len(a.producers) + len(a.consumers))
	paused := gcPause()
	a.incidents.Drain(measure.NewInterval()) // those before the load do not count
	a.Logger.Info("load begins", "start", begin.Start)

	loadCtx, stop := context.WithCancelCause(ctx)
	var wg sync.WaitGroup
	for _, p := range a.pacers() {
		wg.Go(func() {
			if err := p.pace(loadCtx); err != nil {
				stop(err)
			}
		})
	}
	usage := &usage{}
	if a.Clock == nil { // in virtual time it would mean nothing
		wg.Go(func() { usage.watch(loadCtx, a.anchor.Now, window) })
	}
	wg.Go(func() { stop(a.awaitStop(loadCtx, window)) })
	err := a.report(loadCtx, a.newOutbox(ctx, stop), window)
	stop(err)
	wg.Wait()
	if err := errors.Join(err, context.Cause(loadCtx)); err != nil && !errors.Is(err, errStopped) {
		return err
	}
	a.facts.GCPauseNS = gcPause() - paused
	usage.note(&a.facts)
	a.facts.ClockBound, a.facts.ClockStepNS = laterBound(a.bound, clockBound()), a.anchor.Step()
	rereader, ok := driver.(technology.Rereader)
	rereads := ok && a.share.Leader && !a.drained
	if err := a.finish(ctx, usage.seconds, rereads); err != nil || !rereads {
		return err
	}
	return a.reread(ctx, rereader)
}

// laterBound is the bound on the error of a clock that was read twice, as far as both
// are known.
func laterBound(first, second *int64) *int64 {
	if first == nil || second == nil {
		return nil
	}
	return new(max(*first, *second))
}

// awaitStop returns errStopped when the server stops the load, or when the
// drain stage has been over for a while.
func (a *agent) awaitStop(ctx context.Context, w measure.Window) error {
	end := w.Start + int64(w.Warmup+w.Measure) + int64(a.plan.Workload.Stages.Drain) + int64(patienceAfterDrain)
	ctx, cancel := context.WithTimeoutCause(ctx, time.Duration(end-a.anchor.Now()), errStopped)
	defer cancel()
	for n := 1; ; n++ {
		var step rendezvous.Step
		if err := a.folder.Await(ctx, 3*a.Poll, rendezvous.StepObject(n), &step); err != nil {
			return err
		}
		if step.Stop {
			a.Logger.Info("load stops", "reason", step.Reason)
			a.drained = step.Drained || step.Aborted
			return errStopped
		}
	}
}

// finish writes the result.
func (a *agent) finish(ctx context.Context, cpuSeconds float64, rereads bool) error {
	result := measure.AgentResult{Facts: a.facts, CPUSeconds: cpuSeconds, Rereading: rereads, EndedAt: time.Now().UTC()}
	// All accounts are closed before the first is read, so that they tell of one moment.
	for _, p := range a.producers {
		p.seal()
	}
	for _, group := range a.recording.groups {
		group.Seal()
	}
	for _, p := range a.producers {
		from, until := p.offered.Bounds()
		result.AddProducer(p.index, p.recorder, from, until)
	}
	if err := result.AddMeters(a.recording.sending...); err != nil {
		return fmt.Errorf("account of what was sent: %w", err)
	}
	for name, group := range a.recording.groups {
		if err := result.AddGroup(group); err != nil {
			return fmt.Errorf("account of group %s: %w", name, err)
		}
	}
	if err := a.folder.Put(ctx, rendezvous.AgentResultObject(a.ID), result); err != nil {
		return err
	}
	a.Logger.Info("result written", "sent", result.Counts.Sent, "acked", result.Counts.Acked)
	return nil
}

// wait returns after d, or with the cause of ctx's end.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}

// gcPause is the time for which garbage collection has stopped this process so
// far, in nanoseconds.
func gcPause() int64 {
	var stats debug.GCStats
	debug.ReadGCStats(&stats)
	return int64(stats.PauseTotal)
}
