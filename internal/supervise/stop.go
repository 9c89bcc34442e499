package supervise

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// A supervisor that has not ended its process this long after the grace
	// period does not work any more.
	supervisorSlack = 30 * time.Second
	killInterval    = 10 * time.Millisecond // between kills, until nothing lives
)

// Stop asks the process to stop and waits until nothing of it lives. Any number
// of calls, by any number of processes, make exactly one stop signal; when the
// grace period is over, everything is killed. It returns nil when the process
// has ended already. When ctx ends first, the process is still being stopped by
// its supervisor.
//
// When the supervisor is gone, Stop does its work, but writes no [Exit]: one
// signal to the recorded child, the grace period, then a kill of all that holds
// the lock and of what descends from it.
func (p *Process) Stop(ctx context.Context) error {
	if err := p.stop(ctx); err != nil {
		return fmt.Errorf("stop %s: %w", filepath.Base(p.folder), err)
	}
	return nil
}

func (p *Process) stop(ctx context.Context) error {
	alive, err := p.Alive()
	if err != nil || !alive {
		return err
	}
	self, err := identify(os.Getpid())
	if err != nil {
		return err
	}
	if _, err := claim(p.folder, stopFile, self); err != nil {
		return err
	}
	if supervisor, err := p.Supervisor(); err == nil {
		_ = supervisor.Signal(unix.SIGCONT) // nothing to one that was not stopped, or is gone
	}
	spec, err := p.Spec()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err // without a spec nothing was started yet, and nothing will be
	}
	orphaned, err := p.waitSupervisor(ctx, spec.grace())
	if err != nil || !orphaned {
		return err
	}
	if err := p.stopOrphan(ctx, spec, self); err != nil {
		return err
	}
	if _, ended, err := p.Exit(); err == nil && !ended {
		// Nobody else will do it. Logs are worth an attempt, not an error.
		_ = p.SaveLogs()
	}
	return nil
}

// waitSupervisor waits for the supervisor to do the work: until nothing lives,
// or until something lives without a supervisor.
func (p *Process) waitSupervisor(ctx context.Context, grace time.Duration) (orphaned bool, err error) {
	lost := time.Now().Add(grace + supervisorSlack)
	err = await(ctx, p.folder, func() (bool, time.Duration, error) {
		supervised, err := p.SupervisorAlive() // first: it is released first
		if err != nil {
			return false, 0, err
		}
		alive, err := p.Alive()
		if err != nil || !supervised {
			orphaned = alive
			return true, 0, err
		}
		if exists(p.folder, exitFile) {
			return false, endInterval, nil // only logs are left to save
		}
		p.resumeOrKillSupervisor(time.Now().After(lost))
		return false, 5 * endInterval, nil
	})
	return orphaned, err
}

// resumeOrKillSupervisor continues a supervisor that was stopped by a signal, and
// kills one that is lost.
func (p *Process) resumeOrKillSupervisor(lost bool) {
	id, err := p.Supervisor()
	if err != nil {
		return // it has not begun
	}
	supervisor, err := id.proc()
	switch {
	case err != nil:
	case lost:
		p.note("supervisor %d did not stop its process in time and is killed", id.PID)
		_ = id.Signal(unix.SIGKILL)
	case supervisor.stopped():
		_ = id.Signal(unix.SIGCONT)
	}
}

// note leaves a line where the supervisor would have said it.
func (p *Process) note(format string, args ...any) {
	f, err := os.OpenFile(filepath.Join(p.folder, supervisorLogFile), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return
	}
	defer f.Close()
	fmt.Fprintf(f, "%s process %d: %s\n", time.Now().UTC().Format(time.RFC3339), os.Getpid(), fmt.Sprintf(format, args...))
}

// stopOrphan stops a process whose supervisor is gone.
func (p *Process) stopOrphan(ctx context.Context, spec Spec, self Identity) error {
	sender, err := claim(p.folder, signalledFile, self)
	if err != nil {
		return err
	}
	if child, ok := p.orphan(); ok && sender {
		if err := sendStop(child, spec); err != nil {
			return err
		}
	}
	// Not longer than one grace period from now, whatever the clock did.
	grace := spec.grace() - signalledFor(p.folder, spec.grace())
	waiting, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	if err := p.waitGone(waiting); err == nil || ctx.Err() != nil {
		return err
	} else if !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return await(ctx, p.folder, func() (bool, time.Duration, error) {
		alive, err := p.Alive()
		if err != nil || !alive {
			return true, 0, err
		}
		procs, err := p.orphans()
		kill(procs)
		return false, killInterval, err
	})
}

// sendStop sends the one stop signal. A process that was stopped by SIGSTOP
// sees it only when it is continued; for any other, to be continued is nothing.
func sendStop(child Identity, spec Spec) error {
	err := child.Signal(unix.SignalNum(spec.stopSignal()))
	if errors.Is(err, os.ErrProcessDone) {
		return nil // only what it started lives
	} else if err != nil {
		return err
	}
	_ = child.Signal(unix.SIGCONT) // not done: ended, which is fine
	return nil
}

// orphan returns the child of a supervisor that is gone. When it was killed
// between the start of the child and its record, the child is the holder of the
// lock that leads a session of its own.
func (p *Process) orphan() (Identity, bool) {
	if id, err := p.Child(); err == nil {
		return id, true
	}
	boot, err := bootID()
	if err != nil {
		return Identity{}, false
	}
	procs, err := p.orphans()
	if err != nil {
		return Identity{}, false
	}
	for _, c := range procs {
		if c.session == c.pid {
			return Identity{PID: c.pid, Group: c.group, StartTicks: c.start, BootID: boot}, true
		}
	}
	return Identity{}, false
}

// orphans returns what lives of a process whose supervisor is gone: holders of
// its lock, the child's session, and the descendants of all these. What is older
// than the supervisor is not of it: a starter that has not let go of the lock yet.
func (p *Process) orphans() ([]proc, error) {
	lock, err := idOf(filepath.Join(p.folder, lockFile))
	if err != nil {
		return nil, err
	}
	supervisor, err := p.Supervisor()
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // it never got as far as starting anything
	} else if err != nil {
		return nil, err
	}
	all, err := processes()
	if err != nil {
		return nil, err
	}
	foreign := func(c proc) bool {
		return c.pid == os.Getpid() || c.start < supervisor.StartTicks || isSupervisor(c.pid)
	}
	var roots []proc
	leaders := make(map[int]bool) // sessions that are certainly of the child, for a member has the lock
	child, _ := p.Child()
	for _, c := range all {
		if !foreign(c) && holdsLock(c.pid, lock) {
			roots = append(roots, c)
			leaders[c.session] = leaders[c.session] || c.session == c.pid || c.session == child.PID
		}
	}
	for _, c := range all {
		if leaders[c.session] && !foreign(c) {
			roots = append(roots, c)
		}
	}
	found := roots
	for _, root := range roots {
		found = append(found, below(all, root.pid, foreign)...)
	}
	return found, nil
}
