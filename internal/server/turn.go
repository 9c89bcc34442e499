package server

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"time"

	"dec.local/dec/target/local"
)

// turn is the machine's measuring lock, which says that it waits: two data
// folders never measure at once.
type turn struct {
	ledger *local.Ledger
	notice func(text string)
}

// briefly is how long the wait for the lock may be without a word.
const briefly = 300 * time.Millisecond

// LockMeasuring implements [orchestrator.Measuring].
func (t *turn) LockMeasuring(ctx context.Context) (func(), error) {
	soon, cancel := context.WithTimeout(ctx, briefly)
	defer cancel()
	release, err := t.ledger.LockMeasuring(soon)
	if err == nil || ctx.Err() != nil || !errors.Is(err, local.ErrMeasuring) {
		return release, err
	}
	t.notice("waiting: " + strings.TrimSuffix(err.Error(), ": "+context.DeadlineExceeded.Error()))
	return t.ledger.LockMeasuring(ctx)
}

// placement gives brokers and agents CPUs of their own, so that the load
// generator doesn't take from the broker what the broker's numbers need. On a
// single CPU they share it.
func placement() map[string][]int {
	n := runtime.NumCPU()
	if n < 2 {
		return nil
	}
	cpus := map[string][]int{}
	for cpu := range n {
		role := "broker"
		if cpu >= (n+1)/2 {
			role = "agent"
		}
		cpus[role] = append(cpus[role], cpu)
	}
	return cpus
}
