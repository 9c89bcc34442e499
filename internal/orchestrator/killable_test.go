package orchestrator_test

import (
	"context"
	"errors"
	"time"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/orchestrator"
	"dec.local/dec/internal/store"
)

// killableStore is the store of a process that may be killed: at a given write, before
// or after it is durable, or by crash. A dead process writes nothing.
type killableStore struct {
	orchestrator.Store
	process *process
	at      int // the write at which it dies, from 1; never if 0
	after   bool

	writing chan struct{} // taken by one write at a time: when the process dies, no other is under way
	writes  int           // only the write under way uses it
}

func newKillableStore(of orchestrator.Store, p *process) *killableStore {
	return &killableStore{Store: of, process: p, writing: make(chan struct{}, 1)}
}

// write counts one write and performs it while the process lives.
func (s *killableStore) write(do func() error) error {
	s.writing <- struct{}{}
	defer func() { <-s.writing }()
	if s.process.dead() {
		return errDead
	}
	s.writes++
	if s.writes != s.at {
		return do()
	}
	var err error
	if s.after {
		err = do()
	}
	s.process.kill()
	return errors.Join(err, errDead)
}

// crash kills the process between two writes.
func (s *killableStore) crash() {
	s.writing <- struct{}{}
	defer func() { <-s.writing }()
	s.process.kill()
}

func (s *killableStore) Admit(ctx context.Context, x experiment.Experiment, runs []experiment.Run, sealed []byte,
	by experiment.Submission) (admitted experiment.Experiment, events []experiment.Event, err error) {
	err = s.write(func() (err error) { admitted, events, err = s.Store.Admit(ctx, x, runs, sealed, by); return err })
	return admitted, events, err
}

func (s *killableStore) Claim(ctx context.Context, owner string, h experiment.Host, ttl time.Duration) (run experiment.Run, no int64, err error) {
	err = s.write(func() (err error) { run, no, err = s.Store.Claim(ctx, owner, h, ttl); return err })
	return run, no, err
}

func (s *killableStore) Adopt(ctx context.Context, owner string, h experiment.Host, ttl time.Duration) (run experiment.Run, no int64, err error) {
	err = s.write(func() (err error) { run, no, err = s.Store.Adopt(ctx, owner, h, ttl); return err })
	return run, no, err
}

func (s *killableStore) Reclaim(ctx context.Context, owner string) error {
	return s.write(func() error { return s.Store.Reclaim(ctx, owner) })
}

func (s *killableStore) Renew(ctx context.Context, run string, lease int64, ttl time.Duration) (reason string, err error) {
	err = s.write(func() (err error) { reason, err = s.Store.Renew(ctx, run, lease, ttl); return err })
	return reason, err
}

func (s *killableStore) Release(ctx context.Context, run string, lease int64) error {
	return s.write(func() error { return s.Store.Release(ctx, run, lease) })
}

func (s *killableStore) SetExpiry(ctx context.Context, run string, lease int64, ttl time.Duration) (at time.Time, err error) {
	err = s.write(func() (err error) { at, err = s.Store.SetExpiry(ctx, run, lease, ttl); return err })
	return at, err
}

func (s *killableStore) Enter(ctx context.Context, run *experiment.Run, lease int64) (events []experiment.Event, err error) {
	err = s.write(func() (err error) { events, err = s.Store.Enter(ctx, run, lease); return err })
	return events, err
}

func (s *killableStore) SaveResult(ctx context.Context, run *experiment.Run, lease int64) error {
	return s.write(func() error { return s.Store.SaveResult(ctx, run, lease) })
}

func (s *killableStore) Record(ctx context.Context, e experiment.Event, lease int64) (events []experiment.Event, err error) {
	err = s.write(func() (err error) { events, err = s.Store.Record(ctx, e, lease); return err })
	return events, err
}

func (s *killableStore) End(ctx context.Context, run *experiment.Run, lease int64, r store.Repeats) (events []experiment.Event, err error) {
	err = s.write(func() (err error) { events, err = s.Store.End(ctx, run, lease, r); return err })
	return events, err
}

func (s *killableStore) Settle(ctx context.Context, run *experiment.Run, lease int64) (events []experiment.Event, err error) {
	err = s.write(func() (err error) { events, err = s.Store.Settle(ctx, run, lease); return err })
	return events, err
}

func (s *killableStore) Cancel(ctx context.Context, run, reason string, receipt experiment.Receipt, r store.Repeats) (events []experiment.Event, err error) {
	err = s.write(func() (err error) { events, err = s.Store.Cancel(ctx, run, reason, receipt, r); return err })
	return events, err
}

func (s *killableStore) Stop(ctx context.Context, id, reason string, receipt experiment.Receipt) (events []experiment.Event, err error) {
	err = s.write(func() (err error) { events, err = s.Store.Stop(ctx, id, reason, receipt); return err })
	return events, err
}
