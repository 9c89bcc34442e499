package simulator

import (
	"context"
	"fmt"
	"hash/fnv"
	"math"
	"strings"
	"sync"
	"time"

	"dec.local/dec/e2e/fakecloud/cloud"
)

// faults decides what goes wrong.
type faults struct {
	mu      sync.Mutex // protects the following
	now     cloud.Faults
	counts  map[string]int
	changed chan struct{} // closed when the faults are replaced
}

func newFaults(f cloud.Faults) *faults {
	return &faults{now: f, counts: make(map[string]int), changed: make(chan struct{})}
}

// replace sets other faults, and counts calls from the beginning.
func (f *faults) replace(now cloud.Faults) {
	f.mu.Lock()
	defer f.mu.Unlock()
	close(f.changed)
	f.now, f.counts, f.changed = now, make(map[string]int), make(chan struct{})
}

// about reports whether a fault is one for such calls.
func about(f cloud.Fault, name cloud.FaultName, action cloud.Action, kind cloud.Kind, object string) bool {
	return f.Name == name && (f.Action == "" || f.Action == action) && (f.Kind == "" || f.Kind == kind) && strings.Contains(object, f.Match)
}

// inject decides whether a fault is injected into a call now, and counts the call.
func (f *faults) inject(name cloud.FaultName, c *call) (cloud.Fault, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, fault := range f.now.List {
		if !about(fault, name, c.entry.Action, c.entry.Kind, c.entry.Name) {
			continue
		}
		key := fmt.Sprintf("%d %s %s %s", i, c.entry.Action, c.entry.Kind, c.entry.Name)
		n := f.counts[key]
		f.counts[key]++
		if fault.Times > 0 && n >= fault.Times || fault.Share > 0 && chance(f.now.Seed, key, n) >= fault.Share {
			continue
		}
		c.faults = append(c.faults, name)
		return fault, true
	}
	return cloud.Fault{}, false
}

// chance is a number from 0 to 1 that follows from what it is for alone.
func chance(seed uint64, key string, n int) float64 {
	hash := fnv.New64a()
	_, _ = fmt.Fprintf(hash, "%d %s %d", seed, key, n) // never fails
	x := hash.Sum64()
	x = (x ^ x>>33) * 0xff51afd7ed558ccd // or else like texts had like numbers: the finalizer of MurmurHash3
	x = (x ^ x>>33) * 0xc4ceb9fe1a85ec53
	return float64(x^x>>33) / math.MaxUint64
}

// standing returns the delay of a fault that is no matter of one call, zero if
// there is none.
func (f *faults) standing(name cloud.FaultName, action cloud.Action, kind cloud.Kind, object string) (delay time.Duration, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, fault := range f.now.List {
		if about(fault, name, action, kind, object) {
			return fault.Delay.Std(), true
		}
	}
	return 0, false
}

// lag is how far reads are behind.
func (f *faults) lag(action cloud.Action, kind cloud.Kind, object string) time.Duration {
	lag, _ := f.standing(cloud.Lag, action, kind, object)
	return lag
}

// hang waits as long as a fault says: for its delay, or if it has none, until it
// is no longer among the faults.
func (f *faults) hang(ctx context.Context, fault cloud.Fault) {
	if fault.Delay > 0 {
		sleep(ctx, fault.Delay.Std())
		return
	}
	for {
		f.mu.Lock()
		still, changed := false, f.changed
		for _, other := range f.now.List {
			still = still || other == fault
		}
		f.mu.Unlock()
		if !still {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-changed:
		}
	}
}

// sleep waits until d is over or ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
