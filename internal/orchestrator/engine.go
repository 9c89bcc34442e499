// Package orchestrator leads every run through its life: queued, provision,
// prepare, load, collect, destroy, verify, ended. It knows neither OpenTofu nor
// databases nor brokers; what it needs of them it declares in ports.go.
//
// Three promises shape it. A phase is recorded before it begins, so a crash
// never hides what may exist. A run that failed, was cancelled or ran out of time
// goes through destroy and verify like any other, and nothing but a receipt ends
// the obligation to destroy. And who has lost the lease of a run stops its work
// and writes nothing.
package orchestrator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"dec.local/dec/internal/experiment"
)

// Options configures an [Engine]. Store, Provisioner, Workload, Watcher and
// Verifier are required; every other zero value means the stated default.
type Options struct {
	Store       Store
	Provisioner Provisioner
	Workload    Workload
	Watcher     Watcher
	Verifier    Verifier
	Measuring   map[string]Measuring // by target; runs of targets without one measure side by side

	// Owner names the holder of leases; processes that never live at the same time,
	// like those of one data folder, share one. Process id and a random id if empty.
	Owner string
	Host  experiment.Host // of this process; runs belong to the host that claimed them
	// Seal takes the secrets out of an experiment's plan and encrypts them; plans have
	// none if nil.
	Seal func(id string, p experiment.Plan) (experiment.Plan, []byte, error)
	// OnEvent is called after the commit, for runs side by side from several
	// goroutines; it must not block.
	OnEvent func(experiment.Event)
	Logger  *slog.Logger // slog.Default() if nil

	Lease time.Duration // a run whose owner is silent for so long may be taken over; 30 s if zero
	Poll  time.Duration // how often the queue is looked at, unless woken; 5 s if zero
	// Patience is how long the store may fail before the loop gives up; 1 min if zero.
	// 'dec serve' sets more, because its database may be unavailable for a while.
	Patience time.Duration
	Limits   TeardownLimits
}

// TeardownLimits bounds how long one process tries to bring a run's
// infrastructure down.
type TeardownLimits struct {
	Rounds  int           // tries of destroy, and then of verify, before the run counts as leaked; 3 if zero
	Backoff time.Duration // pause after the first failed try, doubled after each; 1 s if zero
	Destroy time.Duration // one try of destroy; 10 min if zero
	Verify  time.Duration // one try of verify; 5 min if zero
	Halt    time.Duration // the wait for interrupted attempts to end; 12 min if zero: longer than the grace that OpenTofu gets
	Stop    time.Duration // the wait for the load to be stopped; 5 s if zero
}

// ErrDetached is returned by the loops after [Engine.Detach].
var ErrDetached = errors.New("detached: running processes continue until limits.ttl expires")

// Engine executes the runs of a store. Any number of engines, in any number of
// processes, may share one store. One Engine runs one loop at a time.
type Engine struct {
	Options
	wake     chan struct{} // something may be claimable
	detached chan struct{} // closed by Detach
	detach   sync.Once

	mu     sync.Mutex                         // protects the following
	active map[string]context.CancelCauseFunc // work of this process, by run
}

// New returns an engine. It does nothing before one of its loops is called.
func New(o Options) (*Engine, error) {
	for name, missing := range map[string]bool{"Store": o.Store == nil, "Provisioner": o.Provisioner == nil,
		"Workload": o.Workload == nil, "Watcher": o.Watcher == nil, "Verifier": o.Verifier == nil} {
		if missing {
			return nil, fmt.Errorf("orchestrator: option %s is required", name)
		}
	}
	if o.Owner == "" {
		o.Owner = fmt.Sprintf("%d-%s", os.Getpid(), experiment.NewID("o"))
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.OnEvent == nil {
		o.OnEvent = func(experiment.Event) {}
	}
	o.Lease, o.Poll = cmp.Or(o.Lease, 30*time.Second), cmp.Or(o.Poll, 5*time.Second)
	o.Patience = cmp.Or(o.Patience, time.Minute)
	o.Limits = TeardownLimits{
		Rounds:  cmp.Or(o.Limits.Rounds, 3),
		Backoff: cmp.Or(o.Limits.Backoff, time.Second),
		Destroy: cmp.Or(o.Limits.Destroy, 10*time.Minute),
		Verify:  cmp.Or(o.Limits.Verify, 5*time.Minute),
		Halt:    cmp.Or(o.Limits.Halt, 12*time.Minute),
		Stop:    cmp.Or(o.Limits.Stop, 5*time.Second),
	}
	return &Engine{Options: o, wake: make(chan struct{}, 1), detached: make(chan struct{}),
		active: make(map[string]context.CancelCauseFunc)}, nil
}

// Submit admits an experiment: its planned runs are queued in a randomised and
// interleaved order. The plan must be a valid one, see package planspec.
// A submission whose key was used for the same request before admits nothing:
// the experiment of then is returned, and replayed is true;
// [experiment.ErrKeyReused] tells that it was used for another request.
func (e *Engine) Submit(ctx context.Context, p experiment.Plan, by experiment.Submission) (x experiment.Experiment, replayed bool, err error) {
	id := experiment.NewID("e")
	var sealed []byte
	if e.Seal != nil {
		if p, sealed, err = e.Seal(id, p); err != nil {
			return x, false, fmt.Errorf("seal the secrets of the plan: %w", err)
		}
	}
	x = experiment.Experiment{ID: id, Plan: p, Digest: p.Digest()}
	var runs []experiment.Run
	for i, variant := range experiment.Order(p) {
		runs = append(runs, experiment.Run{ID: experiment.NewID("r"), Experiment: x.ID, Variant: variant, Order: i, Round: i / len(p.Variants)})
	}
	if len(runs) == 0 {
		return x, false, errors.New("the plan has no run: set at least one variant, and repeat to at least 1")
	}
	x, events, err := e.Store.Admit(ctx, x, runs, sealed, by)
	if err != nil {
		return x, false, err
	}
	if x.ID != id {
		return x, true, nil
	}
	e.Logger.Info("experiment admitted", "experiment", x.ID, "runs", len(runs), "by", by.By)
	e.publish(events)
	e.Wake()
	return x, false, nil
}

// Cancel ends an experiment or a run, given by id: queued runs end at once,
// active ones are destroyed and verified first, by whoever holds their lease. It
// does not wait for that. What has ended stays as it is; an id that is not known
// is [experiment.ErrNotFound].
func (e *Engine) Cancel(ctx context.Context, id, reason string) error {
	x, err := e.Store.Experiment(ctx, id)
	if errors.Is(err, experiment.ErrNotFound) {
		return e.cancelRun(ctx, id, reason)
	} else if err != nil {
		return err
	}
	if err := e.Stop(ctx, x.ID, reason); err != nil {
		return err
	}
	runs, err := e.Store.Runs(ctx, x.ID)
	if err != nil {
		return err
	}
	for _, run := range runs {
		if run.Phase != experiment.PhaseEnded {
			if err := e.cancelRun(ctx, run.ID, reason); err != nil {
				return err
			}
		}
	}
	return nil
}

func (e *Engine) cancelRun(ctx context.Context, run, reason string) error {
	events, err := e.Store.Cancel(ctx, run, reason, neverStarted(), extraRuns)
	if err != nil {
		return err
	}
	e.publish(events)
	e.mu.Lock()
	if end, ok := e.active[run]; ok {
		end(&cancelled{reason})
	}
	e.mu.Unlock()
	e.Wake()
	return nil
}

// Stop ends the queued runs of an experiment, which gets no further ones.
func (e *Engine) Stop(ctx context.Context, id, reason string) error {
	events, err := e.Store.Stop(ctx, id, reason, neverStarted())
	if err != nil {
		return err
	}
	e.publish(events)
	return nil
}

// neverStarted is the receipt of a run that did not leave the queue.
func neverStarted() experiment.Receipt {
	return experiment.Receipt{Statement: "Nothing was created: the run never left the queue."}
}

// Detach makes the loop that is running return [ErrDetached] at once. Nothing is
// interrupted and nothing more is written: attempts, services and agents go on
// until their time to live ends, and the next start follows or destroys them. The engine
// is of no use afterwards; the process is meant to exit.
func (e *Engine) Detach() { e.detach.Do(func() { close(e.detached) }) }

// isDetached reports whether writing is over.
func (e *Engine) isDetached() bool {
	select {
	case <-e.detached:
		return true
	default:
		return false
	}
}

// Wake makes the loop look at the queue now: another server may have queued
// something.
func (e *Engine) Wake() {
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

// publish tells subscribers of committed events.
func (e *Engine) publish(events []experiment.Event) {
	for _, event := range events {
		e.OnEvent(event)
	}
}
