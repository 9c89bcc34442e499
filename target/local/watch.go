package local

import (
	"context"
	"fmt"
	"strings"
	"time"

	"dec.local/dec/internal/supervise"
)

const (
	watchEvery = 200 * time.Millisecond // how often a run's processes are looked at
	tailLines  = 20                     // of its output, told with the end of a process
)

// Watch returns an error as soon as a process of a run ends that should not: a
// service at all, a task with anything but exit code 0. The error is a
// *supervise.ExitError with the name of the service, how it ended, and the end
// of its output, unless the process was removed altogether. Otherwise it
// returns the error of ctx. Processes that start later are watched too.
func (l *Ledger) Watch(ctx context.Context, run string) error {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	seen := map[string]bool{}
	for {
		if err := l.look(run, seen); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// look checks once that every process of a run is as it should be, and that
// those seen before still exist.
func (l *Ledger) look(run string, seen map[string]bool) error {
	names, err := l.namesOf(run)
	if err != nil {
		return fmt.Errorf("watch run %s: %w", run, err)
	}
	there := make(map[string]bool, len(names))
	for _, name := range names {
		err := l.lookAt(name, serviceOf(run, name))
		if gone(err) {
			continue
		} else if err != nil {
			return err
		}
		there[name], seen[name] = true, true
	}
	for name := range seen {
		if !there[name] {
			return fmt.Errorf("service %s was removed", serviceOf(run, name))
		}
	}
	return nil
}

// lookAt returns what is wrong with the process of a service.
func (l *Ledger) lookAt(name, service string) error {
	p, err := l.Process(name)
	if err != nil {
		return err
	}
	healthy, err := Healthy(p)
	if err != nil {
		return fmt.Errorf("watch service %s: %w", service, err)
	}
	if healthy {
		return nil
	}
	return Ended(p, service)
}

// Healthy says whether a process is as it should be: it lives, or it is a task
// that ended with exit code 0.
func Healthy(p *supervise.Process) (bool, error) {
	alive, err := p.Alive()
	if err != nil || alive {
		return alive, err
	}
	spec, err := p.Spec()
	if err != nil {
		return false, err
	}
	exit, ended, err := p.Exit()
	if err != nil {
		return false, err
	}
	return ended && spec.Lifetime == supervise.Task && exit.Cause == supervise.CauseExited && exit.Code == 0, nil
}

// Ended is the error that tells how a process that does not live ended, with
// the end of its output.
func Ended(p *supervise.Process, name string) *supervise.ExitError {
	e := &supervise.ExitError{Name: name, Ready: true, Tail: p.Tail(tailLines)}
	exit, ended, err := p.Exit()
	if err != nil || !ended {
		exit = supervise.Exit{Cause: supervise.CauseLost, Message: supervise.ErrNoExit.Error()}
	}
	e.Exit = exit
	return e
}

// namesOf returns the names of a run's processes.
func (l *Ledger) namesOf(run string) ([]string, error) {
	names, err := l.names()
	if err != nil {
		return nil, err
	}
	var of []string
	for _, name := range names {
		if strings.HasPrefix(name, run+"-") {
			of = append(of, name)
		}
	}
	return of, nil
}

// serviceOf is the name of a service in the name of its process.
func serviceOf(run, name string) string { return strings.TrimPrefix(name, run+"-") }
