package orchestrator_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"dec.local/dec/internal/store"
)

// fakeInfra is everything that engines drive, in memory. It survives processes, as
// real infrastructure does. Time in it is that of the synctest bubble.
type fakeInfra struct {
	store *store.Store
	end   chan struct{} // closed at the end of the test: whoever is still blocked gives up

	mu        sync.Mutex      // protects the following
	steps     map[string]step // what happens instead of the default, by name of the step
	calls     []string        // "step run", in order
	alive     map[string]bool // runs of which infrastructure exists
	had       map[string]bool // runs of which infrastructure ever existed
	attempts  map[string]bool // runs with an attempt under way: it survives its process, until it is halted
	measuring *process        // holds the measuring lock; nil while it is free
	wrong     []string        // promises that were broken
}

func newFakeInfra(s *store.Store) *fakeInfra {
	return &fakeInfra{store: s, end: make(chan struct{}), steps: map[string]step{},
		alive: map[string]bool{}, had: map[string]bool{}, attempts: map[string]bool{}}
}

// step is one call of an engine for a run; n counts the calls of the same step
// for the same run from 1. ctx ends with the process as well.
type step func(ctx context.Context, run string, n int) error

// took is how long each default step takes.
const took = 2 * time.Second

// pause lets virtual time pass, or returns early when ctx or the test ends.
func (i *fakeInfra) pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-i.end:
		return errors.New("the test is over")
	}
}

// block is a step that ends only with its context.
func (i *fakeInfra) block(ctx context.Context, _ string, _ int) error {
	return i.pause(ctx, 1000*time.Hour)
}

// on replaces a step.
func (i *fakeInfra) on(name string, s step) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.steps[name] = s
}

// broken notes a broken promise.
func (i *fakeInfra) broken(format string, args ...any) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.wrong = append(i.wrong, fmt.Sprintf(format, args...))
}

// count returns how often a step was called, for all runs.
func (i *fakeInfra) count(name string) int {
	i.mu.Lock()
	defer i.mu.Unlock()
	n := 0
	for _, c := range i.calls {
		if len(c) > len(name) && c[:len(name)+1] == name+" " {
			n++
		}
	}
	return n
}
