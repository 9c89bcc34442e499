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

	"gocloud.dev/blob"

	"dec.local/dec/internal/measure"
)

// Options configures a [Coordinator]. Bucket and Run are required; every other
// zero value means the stated default.
type Options struct {
	Bucket  *blob.Bucket  // the caller closes it
	Run     string        // id of the run
	Epoch   int           // 1 if zero
	Poll    time.Duration // how often the bucket is looked at; 100 ms if zero
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

// New returns the Coordinator of one epoch of a run.
func New(o Options) *Coordinator {
	return &Coordinator{
		folder:  NewFolder(o.Bucket, o.Run, cmp.Or(o.Epoch, 1)),
		poll:    cmp.Or(o.Poll, 100*time.Millisecond),
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
		return fmt.Errorf("the agents have another plan already; a new one needs a new epoch: %w", err)
	}
	return nil
}

// AwaitReady returns when every agent is positioned: their facts in the order
// of their ids, and the guarantees in force (a technology.Effective). It fails
// when the guarantees are below what the workload requires, when an agent
// gives up, and at ctx's end, naming what is missing.
func (c *Coordinator) AwaitReady(ctx context.Context) ([]measure.AgentFacts, json.RawMessage, error) {
	plan, err := c.plan(ctx)
	if err != nil {
		return nil, nil, err
	}
	ids := slices.Sorted(maps.Keys(plan.Agents))
	var prepared Prepared
	hellos := make(map[string]Hello)
	for {
		if err := c.failure(ctx, ids); err != nil {
			return nil, nil, err
		}
		isPrepared, err := c.folder.Find(ctx, PreparedObject, &prepared)
		if err != nil {
			return nil, nil, err
		}
		if prepared.Refused != "" {
			return nil, nil, fmt.Errorf("the stack does not give what the workload requires: %s", prepared.Refused)
		}
		missing, err := c.greet(ctx, ids, hellos)
		if err != nil {
			return nil, nil, err
		}
		if isPrepared && len(missing) == 0 {
			break
		}
		if err := sleep(ctx, c.poll); err != nil {
			return nil, nil, notReady(isPrepared, missing, err)
		}
	}
	facts := make([]measure.AgentFacts, len(ids))
	for i, id := range ids {
		facts[i] = hellos[id].Facts
	}
	return facts, prepared.Effective, nil
}

// greet reads the hellos that are new and returns the ids without one.
func (c *Coordinator) greet(ctx context.Context, ids []string, hellos map[string]Hello) (missing []string, err error) {
	for _, id := range ids {
		if _, ok := hellos[id]; ok {
			continue
		}
		var hello Hello
		found, err := c.folder.Find(ctx, HelloObject(id), &hello)
		if err != nil {
			return nil, err
		}
		if !found {
			missing = append(missing, id)
			continue
		}
		hellos[id] = hello
	}
	return missing, nil
}

func notReady(prepared bool, missing []string, cause error) error {
	if !prepared {
		return fmt.Errorf("the destination was not prepared; see the leader's and the brokers' logs: %w", cause)
	}
	return fmt.Errorf("not positioned: %s; see their logs: %w", strings.Join(missing, ", "), cause)
}

// Begin starts the load a lead time from now, which the agents need to see it.
// A load that was begun before keeps its start.
func (c *Coordinator) Begin(ctx context.Context, lead time.Duration) (Step, error) {
	step := Step{Start: time.Now().Add(lead).Round(0).UTC()}
	err := c.folder.Put(ctx, StepObject(0), step)
	if errors.Is(err, ErrExists) {
		err = c.folder.Get(ctx, StepObject(0), &step)
	}
	if err != nil {
		return Step{}, fmt.Errorf("begin the load: %w", err)
	}
	return step, nil
}

// Stop ends the load now: agents write their results and end. Calling it again
// does nothing. Stopping before the load has begun makes agents end without a
// result.
func (c *Coordinator) Stop(ctx context.Context, reason string) error {
	return c.stop(ctx, Step{Stop: true, Reason: reason})
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

// stopped says whether a stop step was written.
func (c *Coordinator) stopped(ctx context.Context) (bool, error) {
	for n := 0; ; n++ {
		var step Step
		found, err := c.folder.Find(ctx, StepObject(n), &step)
		if err != nil || !found || step.Stop {
			return found && step.Stop, err
		}
	}
}

func (c *Coordinator) plan(ctx context.Context) (Plan, error) {
	var plan Plan
	err := c.folder.Get(ctx, PlanObject, &plan)
	if errors.Is(err, fs.ErrNotExist) {
		return Plan{}, fmt.Errorf("the run has no plan yet; call WritePlan first: %w", err)
	}
	return plan, err
}

// failure returns an error when one of the agents gave up.
func (c *Coordinator) failure(ctx context.Context, ids []string) error {
	for _, id := range ids {
		var failed Failed
		found, err := c.folder.Find(ctx, FailedObject(id), &failed)
		if err != nil {
			return err
		}
		if found {
			return fmt.Errorf("agent %s gave up: %s", id, failed.Reason)
		}
	}
	return nil
}
