package orchestrator_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/orchestrator"
	"dec.local/dec/internal/store"
)

// outage is a store that cannot be reached at times.
type outage struct {
	*store.Store
	down atomic.Bool
}

// reach fails while the store is down.
func (o *outage) reach() error {
	if o.down.Load() {
		return errors.New("no route to the database")
	}
	return nil
}

func (o *outage) Claim(ctx context.Context, owner string, h experiment.Host, ttl time.Duration) (experiment.Run, int64, error) {
	if err := o.reach(); err != nil {
		return experiment.Run{}, 0, err
	}
	return o.Store.Claim(ctx, owner, h, ttl)
}

func (o *outage) Adopt(ctx context.Context, owner string, h experiment.Host, ttl time.Duration) (experiment.Run, int64, error) {
	if err := o.reach(); err != nil {
		return experiment.Run{}, 0, err
	}
	return o.Store.Adopt(ctx, owner, h, ttl)
}

func (o *outage) Renew(ctx context.Context, run string, lease int64, ttl time.Duration) (string, error) {
	if err := o.reach(); err != nil {
		return "", err
	}
	return o.Store.Renew(ctx, run, lease, ttl)
}

func (o *outage) Enter(ctx context.Context, run *experiment.Run, lease int64) ([]experiment.Event, error) {
	if err := o.reach(); err != nil {
		return nil, err
	}
	return o.Store.Enter(ctx, run, lease)
}

func (o *outage) Experiment(ctx context.Context, id string) (experiment.Experiment, error) {
	if err := o.reach(); err != nil {
		return experiment.Experiment{}, err
	}
	return o.Store.Experiment(ctx, id)
}

// A database that is away for less than the lease interrupts nothing, as long as two
// beats of the heartbeat (12 s) still fit between: a lease is given up before the beat
// at which it would have expired. One that is away for longer costs the lease, and the
// load is followed on when it is back; and one that does not come back ends the engine.
func TestOutage(t *testing.T) {
	tests := map[string]struct {
		away  time.Duration
		loads int // how often the load was begun or followed
		ends  bool
	}{
		"shorter than the lease":   {15 * time.Second, 1, false},
		"longer than the lease":    {50 * time.Second, 2, false},
		"longer than its patience": {5 * time.Minute, 2, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, f *fixture) {
				s := &outage{Store: f.store}
				e := f.engineOn(s, func(o *orchestrator.Options) { o.Poll = time.Second })
				id := f.submit(e, single())
				f.on("load", func(ctx context.Context, run string, n int) error {
					if f.count("load") > 1 {
						return nil
					}
					s.down.Store(true)
					time.AfterFunc(tt.away, func() { s.down.Store(false) })
					return f.pause(ctx, took)
				})
				err := e.Drive(t.Context(), id)
				if (err != nil) != tt.ends {
					t.Errorf("Drive() = %v, want an error: %v", err, tt.ends)
				}
				if tt.ends {
					<-time.After(tt.away) // virtual
					if err := goOn(t.Context(), f.engine()); err != nil {
						t.Fatal(err)
					}
				}
				f.settled()
				run := f.runs(id)[0]
				equal(t, "the run", []any{run.Outcome, run.Reason}, []any{experiment.Succeeded, ""})
				equal(t, "loads and provisions", []int{f.count("load"), f.count("provision")}, []int{tt.loads, 1})
			})
		})
	}
}
