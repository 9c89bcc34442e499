package rendezvous

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

// Options configures a [Coordinator]. Bucket and Run are required; every other
// zero value means the stated default.
type Options struct {
	Bucket  *Bucket       // the caller closes it
	Run     string        // id of the run
	Poll    time.Duration // how often the bucket is looked at; 100 ms if zero, 300 ms on S3
	Silence time.Duration // an agent that shows no progress for so long has failed; 15 s if zero
	Logger  *slog.Logger  // slog.Default() if nil
}

// Coordinator is the server's side of a run. Each of its methods may be called
// again, also by another Coordinator on the same bucket: whatever was written
// before is found and kept, so that a server that came back goes on where the
// last one stopped. It holds nothing that is not in the bucket.
type Coordinator struct {
	folder  Folder
	poll    time.Duration
	silence time.Duration
	log     *slog.Logger
}

// New returns the Coordinator of a run.
func New(o Options) *Coordinator {
	return &Coordinator{
		folder:  NewFolder(o.Bucket, o.Run),
		poll:    cmp.Or(o.Poll, o.Bucket.Pace(100*time.Millisecond)),
		silence: cmp.Or(o.Silence, 15*time.Second),
		log:     cmp.Or(o.Logger, slog.Default()).With("run", o.Run),
	}
}

// WritePlan tells the agents what to do. Writing the same plan again does
// nothing; another plan than the one that is there is refused with [ErrExists],
// because agents may be at work on the first.
func (c *Coordinator) WritePlan(ctx context.Context, p Plan) error {
	err := c.folder.Put(ctx, PlanObject, p)
	if !errors.Is(err, ErrExists) {
		return err
	}
	var there json.RawMessage
	if err := c.folder.Get(ctx, PlanObject, &there); err != nil {
		return err
	}
	if ours, encodeErr := json.Marshal(p); encodeErr != nil || !bytes.Equal(ours, there) {
		return fmt.Errorf("the agents already have another plan: %w", err)
	}
	return nil
}

// AwaitReady returns when every agent is positioned. It fails when the guarantees
// in force are below what the workload requires, when an agent gives up, and at
// ctx's end, naming what is missing.
func (c *Coordinator) AwaitReady(ctx context.Context) error {
	plan, err := c.plan(ctx)
	if err != nil {
		return err
	}
	ids := slices.Sorted(maps.Keys(plan.Agents))
	w := &arrivals{missing: ids}
	for !w.all() {
		if err := c.arrive(ctx, ids, w); err != nil && ctx.Err() == nil {
			return err
		}
		if w.prepared.Refused != "" {
			return fmt.Errorf("the stack does not give the guarantees that the workload requires: %s", w.prepared.Refused)
		}
		if w.all() {
			break
		}
		if err := sleep(ctx, c.poll); err != nil {
			return w.notReady(err)
		}
	}
	return nil
}

// arrivals are what of a run is ready.
type arrivals struct {
	prepared   Prepared
	isPrepared bool
	missing    []string // the agents that have not said hello
}

func (w *arrivals) all() bool { return w.isPrepared && len(w.missing) == 0 }

func (w *arrivals) notReady(cause error) error {
	if !w.isPrepared {
		return fmt.Errorf("the destination was not prepared; see the leader's and the brokers' logs: %w", cause)
	}
	return fmt.Errorf("agents not ready: %s; see their logs: %w", strings.Join(w.missing, ", "), cause)
}

// arrive takes in what is new. It fails when an agent gave up.
func (c *Coordinator) arrive(ctx context.Context, ids []string, w *arrivals) (err error) {
	if err := c.failure(ctx, ids); err != nil {
		return err
	}
	if !w.isPrepared {
		if w.isPrepared, err = c.folder.Find(ctx, PreparedObject, &w.prepared); err != nil {
			return err
		}
	}
	found := make([]bool, len(w.missing))
	err = each(ctx, w.missing, func(ctx context.Context, i int, id string) (err error) {
		var hello Hello
		found[i], err = c.folder.Find(ctx, HelloObject(id), &hello)
		return err
	})
	var missing []string
	for i, id := range w.missing {
		if !found[i] {
			missing = append(missing, id)
		}
	}
	w.missing = missing
	return err
}

// Begin starts the load a lead time from now, which the agents need to see it,
// and the bucket's own time beside it. A load that was begun before keeps its
// start.
func (c *Coordinator) Begin(ctx context.Context, lead time.Duration) (Step, error) {
	var step Step
	asked := time.Now()
	found, err := c.folder.Find(ctx, StepObject(0), &step)
	if found || err != nil {
		return step, begun(err)
	}
	// The write, an agent's look that comes just too early, and its next one.
	lead += 3 * time.Since(asked)
	err = c.folder.putMade(ctx, StepObject(0), func() any {
		step = Step{Start: time.Now().Add(lead).Round(0).UTC()}
		return step
	})
	if errors.Is(err, ErrExists) {
		step = Step{}
		err = c.folder.Get(ctx, StepObject(0), &step)
	}
	return step, begun(err)
}

func begun(err error) error {
	if err != nil {
		return fmt.Errorf("start the load: %w", err)
	}
	return nil
}

// Stop ends the load before it is over: agents end, and whoever follows the load
// is told that it failed. Calling it again, or after the load, does nothing.
// Stopping before the load has begun makes agents end without a result.
func (c *Coordinator) Stop(ctx context.Context, reason string) error {
	return c.stop(ctx, Step{Stop: true, Aborted: true, Reason: reason})
}

func (c *Coordinator) stop(ctx context.Context, step Step) error {
	// A stop takes a number of its own, so step 0, when it is missing, is taken
	// too: the load can't begin after its end.
	for n := 0; ; n++ {
		step.N = n
		err := c.folder.Put(ctx, StepObject(n), step)
		if err == nil {
			return nil
		}
		if !errors.Is(err, ErrExists) {
			return fmt.Errorf("stop the load: %w", err)
		}
		var there Step
		if err := c.folder.Get(ctx, StepObject(n), &there); err != nil {
			return fmt.Errorf("stop the load: %w", err)
		}
		if there.Stop {
			return nil
		}
	}
}

// stopped reports whether a stop step was written. One of [Coordinator.Stop] is an
// error.
func (c *Coordinator) stopped(ctx context.Context) (bool, error) {
	for n := 0; ; n++ {
		var step Step
		found, err := c.folder.Find(ctx, StepObject(n), &step)
		switch {
		case err != nil || !found:
			return false, err
		case step.Aborted:
			return false, fmt.Errorf("the load was stopped before its end: %s", step.Reason)
		case step.Stop:
			return true, nil
		}
	}
}

func (c *Coordinator) plan(ctx context.Context) (Plan, error) {
	var plan Plan
	err := c.folder.Get(ctx, PlanObject, &plan)
	if errors.Is(err, fs.ErrNotExist) {
		return Plan{}, fmt.Errorf("the bucket has lost this run's plan.json, so the run cannot continue: %w", err)
	}
	return plan, err
}

// failure returns an error when one of the agents gave up.
func (c *Coordinator) failure(ctx context.Context, ids []string) error {
	return each(ctx, ids, func(ctx context.Context, _ int, id string) error {
		var failed Failed
		found, err := c.folder.Find(ctx, FailedObject(id), &failed)
		if err == nil && found {
			err = fmt.Errorf("agent %s gave up: %s", id, failed.Reason)
		}
		return err
	})
}

// each calls do for every agent, all at once, and returns the first error.
func each(ctx context.Context, ids []string, do func(ctx context.Context, i int, id string) error) error {
	g, ctx := errgroup.WithContext(ctx)
	for i, id := range ids {
		g.Go(func() error { return do(ctx, i, id) })
	}
	return g.Wait()
}
