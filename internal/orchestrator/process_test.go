package orchestrator_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/orchestrator"
)

// process is the infrastructure as one engine sees it, until its process is killed. The
// goroutines of a killed engine go on inside of the test, which those of a killed
// process cannot. So they belong to their process for good, not to the one that
// lives when they call: once it is dead, their calls have no effect and fail.
type process struct {
	*fakeInfra
	engine *orchestrator.Engine
	life   context.Context // ends when the process is killed
	die    context.CancelFunc
	busy   int // calls under way; protected by fakeInfra.mu
}

// errDead is what a killed process gets from all its calls.
var errDead = errors.New("killed")

func newProcess(i *fakeInfra) *process {
	p := &process{fakeInfra: i}
	p.life, p.die = context.WithCancel(context.Background())
	return p
}

// kill ends the process as kill -9 does: its locks are free, and what it had
// under way has no effect. Attempts go on, as those of OpenTofu do.
func (p *process) kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.die()
	if p.measuring == p {
		p.measuring = nil
	}
	p.engine.Detach() // its goroutines come to their end
}

// dead reports whether the process was killed. It stays alive while its caller
// holds fakeInfra.mu.
func (p *process) dead() bool { return p.life.Err() != nil }

// alone calls f, at one moment of the process's life, or fails because that is
// over. f may add to fakeInfra.wrong.
func (p *process) alone(f func()) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.dead() {
		return errDead
	}
	f()
	return nil
}

// noteViolation notes that a rule was violated; it needs fakeInfra.mu.
func (p *process) noteViolation(format string, args ...any) {
	p.wrong = append(p.wrong, fmt.Sprintf(format, args...))
}

// do performs a step. It checks that the phase was recorded before it began.
func (p *process) do(ctx context.Context, name, run string, phases ...experiment.Phase) error {
	call := name + " " + run
	n := 1
	var s step
	if err := p.alone(func() {
		for _, c := range p.calls {
			if c == call {
				n++
			}
		}
		p.calls = append(p.calls, call)
		s = p.steps[name]
		p.busy++
	}); err != nil {
		return err
	}
	defer func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.busy--
	}()
	if len(phases) > 0 {
		p.checkPhase(ctx, call, run, phases)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(p.life, cancel)()
	var err error
	switch {
	case s != nil:
		err = s(ctx, run, n)
	case name == "watch":
		err = p.block(ctx, run, n)
	default:
		err = p.pause(ctx, took)
	}
	if p.dead() {
		return errDead
	}
	return err
}

// checkPhase requires that a run is in one of some phases when a call begins.
func (p *process) checkPhase(ctx context.Context, call, run string, phases []experiment.Phase) {
	stored, err := p.store.Run(context.WithoutCancel(ctx), run)
	_ = p.alone(func() { // of a dead one nothing is required
		if err != nil || !slices.Contains(phases, stored.Phase) {
			p.noteViolation("%s began in the recorded phase %s, want one of %v (error %v)", call, stored.Phase, phases, err)
		}
	})
}

// attempt performs a step that goes on when the process is killed, until it is
// halted: none begins before that.
func (p *process) attempt(ctx context.Context, name, run string, phases ...experiment.Phase) error {
	if err := p.alone(func() {
		if p.attempts[run] {
			p.noteViolation("%s %s while an attempt of a killed process goes on", name, run)
		}
		p.attempts[run] = true
	}); err != nil {
		return err
	}
	defer p.alone(func() { delete(p.attempts, run) })
	return p.do(ctx, name, run, phases...)
}

// checkExclusive requires that a step has the machine to itself.
func (p *process) checkExclusive(ctx context.Context, step string, a orchestrator.Assignment) {
	if a.Plan.Target != "local" {
		return
	}
	active, err := p.store.Active(context.WithoutCancel(ctx))
	_ = p.alone(func() {
		if p.measuring != p {
			p.noteViolation("%s %s without the measuring lock", step, a.Run.ID)
		}
		if err != nil || len(active) != 1 || active[0].ID != a.Run.ID {
			p.noteViolation("%s %s while %d runs are active (error %v)", step, a.Run.ID, len(active), err)
		}
	})
}

// Provision creates the infrastructure; it exists even when the step fails.
func (p *process) Provision(ctx context.Context, a orchestrator.Assignment, report func(experiment.Resource)) (json.RawMessage, error) {
	run := a.Run.ID
	p.checkExclusive(ctx, "provision", a)
	expires, err := p.store.Expiry(context.WithoutCancel(ctx), run)
	// Writes that are tried again take a moment of the time to live.
	left := time.Until(expires) - a.Plan.Limits.TTL.Std()
	if err := p.alone(func() {
		if err != nil || !expires.Equal(a.ExpiresAt) || left > 0 || left < -time.Second {
			p.noteViolation("provision %s: expiry %v is recorded and %v assigned at %v, %v", run, expires, a.ExpiresAt, time.Now(), err)
		}
		if p.had[run] {
			p.noteViolation("provision %s a second time", run)
		}
		p.alive[run], p.had[run] = true, true
	}); err != nil {
		return nil, err
	}
	resource := experiment.Resource{Address: "broker", Action: "create", State: "started"}
	report(resource)
	if err := p.attempt(ctx, "provision", run, experiment.PhaseProvision); err != nil {
		return nil, err
	}
	resource.State = "complete"
	report(resource)
	return json.RawMessage(`{"bootstrap": "x"}`), nil
}

// Destroy removes the infrastructure unless its step fails.
func (p *process) Destroy(ctx context.Context, r experiment.Run, report func(experiment.Resource)) error {
	run := r.ID
	if err := p.attempt(ctx, "destroy", run, experiment.PhaseDestroy, experiment.PhaseEnded); err != nil {
		return err
	}
	if err := p.alone(func() { delete(p.alive, run) }); err != nil {
		return err
	}
	report(experiment.Resource{Address: "broker", Action: "delete", State: "complete"})
	return nil
}

// Halt ends the attempt of an earlier process, even when its step fails: the
// engine goes on then.
func (p *process) Halt(ctx context.Context, run experiment.Run) error {
	_ = p.alone(func() { delete(p.attempts, run.ID) })
	return p.do(ctx, "halt", run.ID)
}

func (p *process) Prepare(ctx context.Context, a orchestrator.Assignment, endpoints json.RawMessage) error {
	if string(endpoints) != `{"bootstrap": "x"}` {
		p.broken("prepare %s got the endpoints %s", a.Run.ID, endpoints)
	}
	return p.do(ctx, "prepare", a.Run.ID, experiment.PhasePrepare)
}

func (p *process) Load(ctx context.Context, a orchestrator.Assignment) error {
	p.checkExclusive(ctx, "load", a)
	return p.do(ctx, "load", a.Run.ID, experiment.PhaseLoad)
}

// errInvalid is returned by a collect step to make the run invalid.
var errInvalid = errors.New("the generator was the limit")

func (p *process) Collect(ctx context.Context, a orchestrator.Assignment) (json.RawMessage, experiment.Validity, error) {
	err := p.do(ctx, "collect", a.Run.ID, experiment.PhaseCollect)
	if errors.Is(err, errInvalid) {
		return json.RawMessage(`{"n":1}`), experiment.Validity{Reasons: []string{err.Error()}}, nil
	}
	return json.RawMessage(`{"n":1}`), experiment.Validity{OK: true}, err
}

func (p *process) Stop(ctx context.Context, a orchestrator.Assignment, _ string) error {
	return p.do(ctx, "stop", a.Run.ID)
}

func (p *process) Watch(ctx context.Context, a orchestrator.Assignment) error {
	return p.do(ctx, "watch", a.Run.ID)
}

// Verify sweeps what destroy left, unless its step fails, and tells what really
// is. It is no substitute for destroy.
func (p *process) Verify(ctx context.Context, x experiment.Run) (experiment.Receipt, error) {
	run := x.ID
	if err := p.do(ctx, "verify", run, experiment.PhaseVerify, experiment.PhaseEnded); err != nil {
		return experiment.Receipt{}, err
	}
	r := experiment.Receipt{At: time.Now(), Statement: "gone", QuietSweeps: 2}
	err := p.alone(func() {
		if p.alive[run] && !slices.Contains(p.calls, "destroy "+run) {
			p.noteViolation("verify %s, which nobody tried to destroy", run)
		}
		delete(p.alive, run)
		if p.had[run] {
			r.Objects = []experiment.ReceiptObject{{Kind: "process", ID: run}}
		}
	})
	return r, err
}

// LockMeasuring takes the lock, which nobody else of a data folder can want at
// that moment: its target has one slot.
func (p *process) LockMeasuring(ctx context.Context) (func(), error) {
	if err := p.do(ctx, "lock", ""); err != nil {
		return nil, err
	}
	if err := p.alone(func() {
		if p.measuring != nil {
			p.noteViolation("the measuring lock was taken twice")
		}
		p.measuring = p
	}); err != nil {
		return nil, err
	}
	return func() {
		_ = p.alone(func() { p.measuring = nil })
	}, nil
}
