package orchestrator_test

import (
	"context"
	"errors"
	"time"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/orchestrator"
	"dec.local/dec/internal/store"
)

// mortal is the store of a process that may be killed: at a given write, before
// or after it is durable, or by crash. A dead process writes nothing.
type mortal struct {
	orchestrator.Store
	process *process
	at      int // the write at which it dies, from 1; never if 0
	after   bool

	turn   chan struct{} // taken by one write at a time: when the process dies, no other is under way
	writes int           // whoever has the turn uses it
}

func newMortal(s orchestrator.Store, p *process) *mortal {
	return &mortal{Store: s, process: p, turn: make(chan struct{}, 1)}
}

// write counts one write and performs it while the process lives.
func (m *mortal) write(do func() error) error {
	m.turn <- struct{}{}
	defer func() { <-m.turn }()
	if m.process.dead() {
		return errDead
	}
	m.writes++
	if m.writes != m.at {
		return do()
	}
	var err error
	if m.after {
		err = do()
	}
	m.process.kill()
	return errors.Join(err, errDead)
}

// crash kills the process between two writes.
func (m *mortal) crash() {
	m.turn <- struct{}{}
	defer func() { <-m.turn }()
	m.process.kill()
}

func (m *mortal) Admit(ctx context.Context, x experiment.Experiment, runs []experiment.Run, sealed []byte,
	by experiment.Submission) (admitted experiment.Experiment, events []experiment.Event, err error) {
	err = m.write(func() (err error) { admitted, events, err = m.Store.Admit(ctx, x, runs, sealed, by); return err })
	return admitted, events, err
}

func (m *mortal) Claim(ctx context.Context, owner string, h experiment.Host, ttl time.Duration) (run experiment.Run, no int64, err error) {
	err = m.write(func() (err error) { run, no, err = m.Store.Claim(ctx, owner, h, ttl); return err })
	return run, no, err
}

func (m *mortal) Adopt(ctx context.Context, owner string, h experiment.Host, ttl time.Duration) (run experiment.Run, no int64, err error) {
	err = m.write(func() (err error) { run, no, err = m.Store.Adopt(ctx, owner, h, ttl); return err })
	return run, no, err
}

func (m *mortal) Reclaim(ctx context.Context, owner string) error {
	return m.write(func() error { return m.Store.Reclaim(ctx, owner) })
}

func (m *mortal) Renew(ctx context.Context, run string, lease int64, ttl time.Duration) (reason string, err error) {
	err = m.write(func() (err error) { reason, err = m.Store.Renew(ctx, run, lease, ttl); return err })
	return reason, err
}

func (m *mortal) Release(ctx context.Context, run string, lease int64) error {
	return m.write(func() error { return m.Store.Release(ctx, run, lease) })
}

func (m *mortal) SetExpiry(ctx context.Context, run string, lease int64, ttl time.Duration) (at time.Time, err error) {
	err = m.write(func() (err error) { at, err = m.Store.SetExpiry(ctx, run, lease, ttl); return err })
	return at, err
}

func (m *mortal) Enter(ctx context.Context, run *experiment.Run, lease int64) (events []experiment.Event, err error) {
	err = m.write(func() (err error) { events, err = m.Store.Enter(ctx, run, lease); return err })
	return events, err
}

func (m *mortal) SaveResult(ctx context.Context, run *experiment.Run, lease int64) error {
	return m.write(func() error { return m.Store.SaveResult(ctx, run, lease) })
}

func (m *mortal) Record(ctx context.Context, e experiment.Event, lease int64) (events []experiment.Event, err error) {
	err = m.write(func() (err error) { events, err = m.Store.Record(ctx, e, lease); return err })
	return events, err
}

func (m *mortal) End(ctx context.Context, run *experiment.Run, lease int64, r store.Repeats) (events []experiment.Event, err error) {
	err = m.write(func() (err error) { events, err = m.Store.End(ctx, run, lease, r); return err })
	return events, err
}

func (m *mortal) Settle(ctx context.Context, run *experiment.Run, lease int64) (events []experiment.Event, err error) {
	err = m.write(func() (err error) { events, err = m.Store.Settle(ctx, run, lease); return err })
	return events, err
}

func (m *mortal) Cancel(ctx context.Context, run, reason string, receipt experiment.Receipt, r store.Repeats) (events []experiment.Event, err error) {
	err = m.write(func() (err error) { events, err = m.Store.Cancel(ctx, run, reason, receipt, r); return err })
	return events, err
}

func (m *mortal) Stop(ctx context.Context, id, reason string, receipt experiment.Receipt) (events []experiment.Event, err error) {
	err = m.write(func() (err error) { events, err = m.Store.Stop(ctx, id, reason, receipt); return err })
	return events, err
}
