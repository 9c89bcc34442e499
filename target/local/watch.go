package local

import (
	"context"
	"fmt"
	"strings"
	"time"

	"dec.local/dec/target"
)

// watchEvery is how often a run's processes are looked at.
const watchEvery = 200 * time.Millisecond

// Watch returns an error as soon as a process of a run ends that should not: a
// service at all, a task with anything but exit code 0. The error is a
// [*target.Ended], within it a *supervise.ExitError with how it ended and the end of
// its output, unless the process was removed altogether. Otherwise it returns the
// error of ctx. Processes that start later are watched too.
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
			service := serviceOf(run, name)
			return &target.Ended{Service: service, Err: fmt.Errorf("service %s was removed", service)}
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
	healthy, err := p.Healthy()
	if err != nil {
		return fmt.Errorf("watch service %s: %w", service, err)
	}
	if healthy {
		return nil
	}
	return &target.Ended{Service: service, Err: p.Ended(service)}
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
