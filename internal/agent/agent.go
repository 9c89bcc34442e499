// Package agent drives one technology's client for its share of a workload and
// measures what comes of it. It meets the server only in a bucket
// (internal/rendezvous), so it needs no inbound port and finishes its run when
// the server is gone.
//
// The load is open loop: a pacer on an OS thread of its own sends for many producers,
// intended times come from the schedule alone, and latency counts from them. The
// number of messages under way is bounded by max_in_flight; the wait for room in it
// is back-pressure, a part of the latency and no fault of the pacer. Nothing is
// allocated per message outside the client library.
package agent

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"time"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
	"dec.local/dec/internal/pacing"
	"dec.local/dec/internal/rendezvous"
	"dec.local/dec/technology"
)

// Clock waits for points in time, in wall nanoseconds. [pacing.Thread] is the
// real one, [pacing.Timer] that of virtual time.
type Clock interface {
	Now() int64
	SleepUntil(ctx context.Context, at int64) (now int64, err error)
	// Preempted returns for how long the pacer's thread was ready and had no processor
	// since its last sleep or the last call, in nanoseconds; 0 where the system does not
	// tell.
	Preempted() int64
	Close()
}

// ClockFunc returns the clock of a pacer. It is called on the goroutine that
// will use the clock.
type ClockFunc func(pacing.Anchor) (Clock, error)

// Options configures [Run]. Bucket, Run, ID and Technologies are required;
// every other zero value means the stated default.
type Options struct {
	Bucket       *rendezvous.Bucket                              // the caller closes it
	Run          string                                          // id of the run
	ID           string                                          // of this agent, a key of the plan's agents
	Technologies func(name string) (technology.Technology, bool) // false when there is none of this name
	Secrets      map[string]json.RawMessage                      // secret options of the stack, for the driver
	Clock        ClockFunc                                       // a thread of its own for each pacer if nil
	// Poll is how often the bucket is looked at before the load, and a third as often
	// during it; 80 ms if zero, 240 ms on S3.
	Poll     time.Duration
	Patience time.Duration // for the plan, and for the load to begin; 30 min if zero
	Version  string        // of this program
	Build    string        // of this program: its content, see [measure.AgentFacts]
	// ClockAhead is how far this agent's wall clock is put ahead of the machine's, to try
	// what comes of clocks that disagree.
	ClockAhead time.Duration
	Logger     *slog.Logger // slog.Default() if nil
}

// lockThread is the real clock of a pacer, with its default gap between
// wake-ups: one takes more processor time than several messages.
func lockThread(a pacing.Anchor) (Clock, error) { return pacing.Lock(a) }

// spinThread is that of a pacer which has a processor of its own.
func spinThread(a pacing.Anchor) (Clock, error) {
	thread, err := pacing.Lock(a)
	if err == nil {
		thread.Spin, thread.MinGap = pacing.DefaultSpin, 0
	}
	return thread, err
}

// setClock chooses the clock of the pacers, and says what it is called.
func (a *agent) setClock() (timer string) {
	pacers := pacerCount(len(a.share.Producers))
	switch {
	case a.Clock != nil:
		a.clock = a.Clock
	case a.plan.OwnCPUs && 0 < pacers && pacers < runtime.NumCPU():
		a.clock = spinThread
		return pacing.TimerName + ", spinning"
	default:
		a.clock = lockThread
	}
	return pacing.TimerName
}

// Run does one agent's part of a run, from the plan to the result. It returns
// nil when the result is written, and also when the run ended before its load
// began: refused, or stopped by the server. When it fails or ctx ends, it
// writes why into the bucket first, so that the server fails the run at once.
func Run(ctx context.Context, o Options) error {
	o.Poll = cmp.Or(o.Poll, o.Bucket.Pace(80*time.Millisecond))
	o.Patience = cmp.Or(o.Patience, 30*time.Minute)
	o.Logger = cmp.Or(o.Logger, slog.Default()).With("run", o.Run, "agent", o.ID)
	a := &agent{
		Options: o,
		folder:  rendezvous.NewFolder(o.Bucket, o.Run),
		anchor:  pacing.NewAnchor().Shift(o.ClockAhead),
		bound:   clockBound(),
	}
	err := a.run(ctx)
	if err == nil || errors.Is(err, errNoLoad) {
		return nil
	}
	a.fail(ctx, err)
	return err
}

// errNoLoad says that the run ended before its load began.
var errNoLoad = errors.New("the run ended before its load began")

// agent is one agent at work.
type agent struct {
	Options
	folder    rendezvous.Folder
	anchor    pacing.Anchor
	bound     *int64 // on the error of the anchor, ns; nil if unknown
	clock     ClockFunc
	plan      rendezvous.Plan
	share     rendezvous.Share
	facts     measure.AgentFacts
	producers []*producer
	consumers []*consumer
	recording recording // of the load
	incidents measure.Tally
	drained   bool // the load ended because everything had arrived, or was aborted
}

func (a *agent) run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if err := a.readPlan(ctx); err != nil {
		return err
	}
	timer := a.setClock()
	tech, ok := a.Technologies(a.plan.Technology)
	if !ok {
		return fmt.Errorf("this build of the agent has no technology %q; use the agent built with the server", a.plan.Technology)
	}
	checked := a.check(ctx)
	defer func() { <-checked.done }()

	driver, err := tech.Open(ctx, a.plan.Endpoints, technology.Settings{
		Destination:  a.plan.Destination,
		ClientConfig: a.plan.ClientConfig,
		Secrets:      a.Secrets,
		Workload:     a.plan.Workload,
		OnIncident:   func(i experiment.Incident, n int) { a.incidents.Add(i, n) },
		Logger:       a.Logger,
	})
	if err != nil {
		return fmt.Errorf("connect to the brokers: %w", err)
	}
	defer a.close(driver)
	if err := a.prepare(ctx, driver); err != nil {
		return err
	}
	if err := a.position(ctx, cancel, driver); err != nil {
		return err
	}
	if err := a.reportReady(ctx, timer, checked); err != nil {
		return err
	}
	step, err := a.awaitBegin(ctx)
	if err != nil {
		return err
	}
	return a.load(ctx, step, driver)
}

// readPlan waits for the plan and finds this agent's share of it.
func (a *agent) readPlan(ctx context.Context) error {
	a.Logger.Info("waiting for the plan", "version", a.Version)
	ctx, cancel := context.WithTimeoutCause(ctx, a.Patience, fmt.Errorf("no plan arrived within %s", a.Patience))
	defer cancel()
	if err := a.folder.Await(ctx, a.Poll, rendezvous.PlanObject, &a.plan); err != nil {
		return err
	}
	share, ok := a.plan.Agents[a.ID]
	if !ok {
		return fmt.Errorf("the plan has no agent %q", a.ID)
	}
	a.share = share
	a.Logger.Info("read the plan", "role", share.Role, "producers", len(share.Producers), "consumers", len(share.Consumers))
	return nil
}

// prepare makes the destination, as the leader, or waits until it is there.
func (a *agent) prepare(ctx context.Context, driver technology.Driver) error {
	if !a.share.Leader {
		var prepared rendezvous.Prepared
		ctx, cancel := context.WithTimeoutCause(ctx, a.Patience, fmt.Errorf("the destination was not prepared within %s", a.Patience))
		defer cancel()
		if err := a.folder.Await(ctx, a.Poll, rendezvous.PreparedObject, &prepared); err != nil {
			return err
		}
		if prepared.Refused != "" {
			return errNoLoad
		}
		return nil
	}
	w, before := a.plan.Workload, time.Now()
	have, err := driver.Prepare(ctx, w.Topology, w.Retention)
	if err != nil {
		return fmt.Errorf("prepare the destination %q: %w", a.plan.Destination, err)
	}
	effective, err := json.Marshal(have)
	if err != nil {
		return fmt.Errorf("encode the guarantees in force: %w", err)
	}
	prepared := rendezvous.Prepared{Effective: effective, Refused: w.Require.Shortfall(have), At: before.UTC()}
	if err := a.folder.Put(ctx, rendezvous.PreparedObject, prepared); err != nil {
		return err
	}
	if prepared.Refused != "" {
		a.Logger.Warn("refused", "reason", prepared.Refused)
		return errNoLoad
	}
	return nil
}

// reportReady tells the server that this agent is ready.
func (a *agent) reportReady(ctx context.Context, timer string, checked *check) error {
	<-checked.done
	if checked.err != nil {
		return checked.err
	}
	a.facts = hostFacts()
	a.facts.ID, a.facts.Role, a.facts.Version, a.facts.Timer = a.ID, a.share.Role, a.Version, timer
	a.facts.ClockBound, a.facts.Build = a.bound, a.Build
	a.facts.SelfCheck, a.facts.DelayErrorNS = checked.lateness, checked.delayError
	if err := a.folder.Put(ctx, rendezvous.HelloObject(a.ID), rendezvous.Hello{Facts: a.facts}); err != nil {
		return err
	}
	facts := []any{"delay_error_ns", a.facts.DelayErrorNS}
	if p99 := a.facts.SelfCheck.P99NS; p99 != nil {
		facts = append(facts, "self_check_p99_ns", *p99)
	}
	a.Logger.Info("ready", facts...)
	return nil
}

// awaitBegin waits for the step that starts the load.
func (a *agent) awaitBegin(ctx context.Context) (rendezvous.Step, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, a.Patience, fmt.Errorf("the load did not start within %s", a.Patience))
	defer cancel()
	var step rendezvous.Step
	if err := a.folder.Await(ctx, a.Poll, rendezvous.StepObject(0), &step); err != nil {
		return step, err
	}
	if step.Stop {
		a.Logger.Info("stopped before the load", "reason", step.Reason)
		return step, errNoLoad
	}
	return step, nil
}

// fail tells the server why this agent gives up. The run's context may have
// ended, which is then the reason.
func (a *agent) fail(ctx context.Context, err error) {
	reason := err.Error()
	if ctx.Err() != nil {
		reason = fmt.Sprintf("stopped: %v", context.Cause(ctx))
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	putErr := a.folder.Put(ctx, rendezvous.FailedObject(a.ID), rendezvous.Failed{Reason: reason})
	if putErr != nil && !errors.Is(putErr, rendezvous.ErrExists) {
		a.Logger.Error("cannot report a failure to the server", "failure", err, "error", putErr)
	}
}
