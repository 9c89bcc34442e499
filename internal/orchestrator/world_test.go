package orchestrator_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/orchestrator"
	"dec.local/dec/internal/store"
)

// world is everything that an engine drives, in memory. It survives engines, as
// real infrastructure does. Time in it is that of the synctest bubble.
type world struct {
	store *store.Store
	end   chan struct{} // closed at the end of the test: whoever is still blocked gives up

	mu     sync.Mutex      // protects the following
	steps  map[string]step // what happens instead of the default, by name of the step
	calls  []string        // "step run", in order
	alive  map[string]bool // runs of which infrastructure exists
	had    map[string]bool // runs of which infrastructure ever existed
	locked bool            // the measuring lock is held
	life   int             // counts the deaths of processes; what a dead one began has no effect
	wrong  []string        // promises that were broken
}

// step is one call of the engine for a run; n counts the calls of the same step
// for the same run from 1.
type step func(ctx context.Context, run string, n int) error

// took is how long each default step takes.
const took = 2 * time.Second

// pause lets virtual time pass, or returns early when ctx or the test ends.
func (w *world) pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-w.end:
		return errors.New("the test is over")
	}
}

// block is a step that ends only with its context.
func (w *world) block(ctx context.Context, _ string, _ int) error {
	return w.pause(ctx, 1000*time.Hour)
}

// on replaces a step.
func (w *world) on(name string, s step) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.steps[name] = s
}

// broken notes a broken promise.
func (w *world) broken(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wrong = append(w.wrong, fmt.Sprintf(format, args...))
}

// do performs a step. It checks that the phase was recorded before it began.
func (w *world) do(ctx context.Context, name, run string, phases ...experiment.Phase) error {
	w.mu.Lock()
	call := name + " " + run
	n := 1
	for _, c := range w.calls {
		if c == call {
			n++
		}
	}
	w.calls = append(w.calls, call)
	s, life := w.steps[name], w.life
	w.mu.Unlock()
	if len(phases) > 0 {
		stored, err := w.store.Run(context.WithoutCancel(ctx), run)
		if err != nil {
			w.broken("%s: %v", call, err)
		}
		ok := false
		for _, phase := range phases {
			ok = ok || stored.Phase == phase
		}
		if !ok {
			w.broken("%s began in the recorded phase %s, want one of %v", call, stored.Phase, phases)
		}
	}
	var err error
	switch {
	case s != nil:
		err = s(ctx, run, n)
	case name == "watch":
		err = w.block(ctx, run, n)
	default:
		err = w.pause(ctx, took)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.life != life {
		return errDead
	}
	return err
}

// count returns how often a step was called, for all runs.
func (w *world) count(name string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for _, c := range w.calls {
		if len(c) > len(name) && c[:len(name)+1] == name+" " {
			n++
		}
	}
	return n
}

// Provision creates the infrastructure; it exists even when the step fails.
func (w *world) Provision(ctx context.Context, a orchestrator.Assignment, report func(experiment.Resource)) (json.RawMessage, error) {
	run := a.Run.ID
	expires, err := w.store.Expiry(context.WithoutCancel(ctx), run)
	// Writes that are tried again take a moment of the time to live.
	left := time.Until(expires) - a.Plan.Limits.TTL.Std()
	if err != nil || !expires.Equal(a.ExpiresAt) || left > 0 || left < -time.Second {
		w.broken("provision %s: expiry %v is recorded and %v assigned at %v, %v", run, expires, a.ExpiresAt, time.Now(), err)
	}
	w.mu.Lock()
	if w.had[run] {
		w.wrong = append(w.wrong, "provision "+run+" a second time")
	}
	if !w.locked {
		w.wrong = append(w.wrong, "provision "+run+" without the measuring lock")
	}
	w.alive[run], w.had[run] = true, true
	w.mu.Unlock()
	resource := experiment.Resource{Address: "broker", Action: "create", State: "started"}
	report(resource)
	if err := w.do(ctx, "provision", run, experiment.PhaseProvision); err != nil {
		return nil, err
	}
	resource.State = "complete"
	report(resource)
	return json.RawMessage(`{"bootstrap": "x"}`), nil
}

// Destroy removes the infrastructure unless its step fails.
func (w *world) Destroy(ctx context.Context, run string, report func(experiment.Resource)) error {
	if err := w.do(ctx, "destroy", run, experiment.PhaseDestroy, experiment.PhaseEnded); err != nil {
		return err
	}
	w.mu.Lock()
	delete(w.alive, run)
	w.mu.Unlock()
	report(experiment.Resource{Address: "broker", Action: "delete", State: "complete"})
	return nil
}

func (w *world) Halt(ctx context.Context, run string) error { return w.do(ctx, "halt", run) }

func (w *world) Prepare(ctx context.Context, a orchestrator.Assignment, endpoints json.RawMessage) error {
	if string(endpoints) != `{"bootstrap": "x"}` {
		w.broken("prepare %s got the endpoints %s", a.Run.ID, endpoints)
	}
	return w.do(ctx, "prepare", a.Run.ID, experiment.PhasePrepare)
}

func (w *world) Load(ctx context.Context, a orchestrator.Assignment) error {
	return w.do(ctx, "load", a.Run.ID, experiment.PhaseLoad)
}

// errInvalid is returned by a collect step to make the run invalid.
var errInvalid = errors.New("the generator was the limit")

func (w *world) Collect(ctx context.Context, a orchestrator.Assignment) (json.RawMessage, experiment.Validity, error) {
	err := w.do(ctx, "collect", a.Run.ID, experiment.PhaseCollect)
	if errors.Is(err, errInvalid) {
		return json.RawMessage(`{"n":1}`), experiment.Validity{Reasons: []string{err.Error()}}, nil
	}
	return json.RawMessage(`{"n":1}`), experiment.Validity{OK: true}, err
}

func (w *world) Stop(ctx context.Context, a orchestrator.Assignment, _ string) error {
	return w.do(ctx, "stop", a.Run.ID)
}

func (w *world) Watch(ctx context.Context, run string) error { return w.do(ctx, "watch", run) }

// Verify sweeps what destroy left, unless its step fails, and tells what really
// is.
func (w *world) Verify(ctx context.Context, run string) (experiment.Receipt, error) {
	if err := w.do(ctx, "verify", run, experiment.PhaseVerify, experiment.PhaseEnded); err != nil {
		return experiment.Receipt{}, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.alive, run)
	r := experiment.Receipt{At: time.Now(), Statement: "gone", QuietSweeps: 2}
	if w.had[run] {
		r.Objects = []experiment.ReceiptObject{{Kind: "process", ID: run}}
	}
	return r, nil
}

// LockMeasuring waits for the lock in virtual time.
func (w *world) LockMeasuring(ctx context.Context) (func(), error) {
	if err := w.do(ctx, "lock", ""); err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.locked {
		w.wrong = append(w.wrong, "the measuring lock was taken twice")
	}
	w.locked = true
	life := w.life
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.life == life {
			w.locked = false
		}
	}, nil
}

// die frees what the death of a process frees.
func (w *world) die() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.locked, w.life = false, w.life+1
}
