package supervise

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"
)

const (
	lookInterval = 100 * time.Millisecond // between looks at a lock, whose release calls nobody
	endInterval  = 5 * time.Millisecond   // the same, once the end is near
	tailLines    = 20                     // of output in an ExitError
)

// WaitReady returns nil once the process is ready, and an [*ExitError] when it
// ended or was given up first. A [Service] that was ready and has ended since is
// an error too; a [Task] is not.
func (p *Process) WaitReady(ctx context.Context) error {
	spec, err := p.Spec()
	if err != nil {
		return fmt.Errorf("wait until ready: %w", err)
	}
	err = await(ctx, p.folder, func() (bool, time.Duration, error) {
		done, err := p.checkReady(spec)
		return done, lookInterval, err
	})
	if err != nil && ctx.Err() != nil && errors.Is(err, context.Cause(ctx)) {
		return fmt.Errorf("wait until process %q is ready: %w", spec.Name, err)
	}
	return err
}

// checkReady reports whether the process is ready, or the error with which it never
// will be.
func (p *Process) checkReady(spec Spec) (bool, error) {
	// The locks first: what is on the disk after their release is the end of it.
	supervised, err := p.SupervisorAlive()
	if err != nil {
		return false, err
	}
	var ready readyRecord
	err = readRecord(p.folder, readyFile, &ready)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	exit, ended, err := p.Exit()
	if err != nil {
		return false, err
	}
	failure := &ExitError{Name: spec.Name, Exit: exit, Ready: ready.At != "", Tail: p.tailOf(exit)}
	switch {
	case ready.At != "" && (!ended || spec.Lifetime == Task):
		return true, nil
	case ended && spec.Lifetime == Task && exit.Cause == CauseExited && exit.Code == 0:
		return true, nil // it has done all that could be waited for
	case ended:
		return false, failure
	case ready.Failed != "":
		failure.Exit = Exit{Code: -1, Cause: CauseUnready, Message: ready.Failed}
		return false, failure
	case !supervised:
		failure.Exit = Exit{Code: -1, Cause: CauseLost, Message: ErrNoExit.Error()}
		return false, failure
	}
	return false, nil
}

// tailOf returns the output that explains an end, none if there cannot be any.
func (p *Process) tailOf(exit Exit) string {
	if exit.Cause == CauseStart {
		return ""
	}
	return p.Tail(tailLines)
}

// Wait waits until nothing of the process lives, its logs are saved, and
// returns how it ended: [ErrNoExit] when there is no record of that.
func (p *Process) Wait(ctx context.Context) (Exit, error) {
	if err := p.waitGone(ctx); err != nil {
		return Exit{}, fmt.Errorf("wait for the end of %s: %w", filepath.Base(p.folder), err)
	}
	exit, ok, err := p.Exit()
	if err == nil && !ok {
		err = ErrNoExit
	}
	if err != nil {
		return Exit{}, fmt.Errorf("end of %s: %w", filepath.Base(p.folder), err)
	}
	return exit, nil
}

// waitGone waits until nothing lives.
func (p *Process) waitGone(ctx context.Context) error {
	return await(ctx, p.folder, func() (bool, time.Duration, error) {
		next := lookInterval
		if exists(p.folder, exitFile) {
			next = endInterval
		}
		alive, err := p.Alive()
		return !alive, next, err
	})
}
