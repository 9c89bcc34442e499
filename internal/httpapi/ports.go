package httpapi

import (
	"context"
	"time"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/experiment"
)

// Store answers questions about what is stored, and keeps what the API itself
// must remember.
type Store interface {
	lister
	reader
	keeper
	latch
	clock
	auditReader
	auditWriter
	healthStore
	totalsStore
	evidenceStore
}

// lister finds experiments and runs.
type lister interface {
	// ListExperiments returns a page and the cursor of the next one, "" on the last.
	ListExperiments(ctx context.Context, q experiment.ExperimentQuery) ([]experiment.Summary, string, error)
	Summary(ctx context.Context, id string) (experiment.Summary, error)
	ListRuns(ctx context.Context, q experiment.RunQuery) ([]experiment.Run, string, error)
	Runs(ctx context.Context, experimentID string) ([]experiment.Run, error)
	// Submitted returns the id of the experiment that the same submission was
	// admitted as, "" for a new one; [experiment.ErrKeyReused] when its key carried
	// another one.
	Submitted(ctx context.Context, s experiment.Submission) (string, error)
	// QueuedBefore counts the runs that start before those of an experiment.
	QueuedBefore(ctx context.Context, experimentID string) (int, error)
}

// reader reads one thing.
type reader interface {
	Run(ctx context.Context, id string) (experiment.Run, error) // with its receipt and result
	Expiry(ctx context.Context, run string) (time.Time, error)
}

// keeper keeps what the API must remember.
type keeper interface {
	// Delete removes an ended experiment with all that is stored of it, and
	// returns its runs; [experiment.ErrBusy] while anything of it may live.
	Delete(ctx context.Context, experimentID string) ([]experiment.Run, error)
}

// latch is the drain of all servers of the database.
type latch interface {
	// RequestDrain begins a drain, or prolongs the one in force, until lapse from
	// now. The drain is granted when no run is active.
	RequestDrain(ctx context.Context, by string, lapse time.Duration) (experiment.Drain, error)
	// PollDrain prolongs a drain in force, like RequestDrain, and begins none.
	PollDrain(ctx context.Context, lapse time.Duration) (experiment.Drain, error)
	Drain(ctx context.Context) (experiment.Drain, error)
	EndDrain(ctx context.Context) error
}

// Engine takes orders.
type Engine interface {
	// Submit admits an experiment; replayed says that the same submission had been
	// admitted before. [experiment.ErrKeyReused] when its key carried another one.
	Submit(ctx context.Context, p experiment.Plan, s experiment.Submission) (e experiment.Experiment, replayed bool, err error)
	// Cancel ends an experiment or a run, given by id.
	Cancel(ctx context.Context, id, reason string) error
}

// Planner knows what plans can be run here.
type Planner interface {
	cataloger
	// Propose reads a plan, YAML or JSON, and tells what it would do, once it is
	// certain that it may be run here now. A plan that must be changed is an
	// *[experiment.Problems], one that can't be run now an *[experiment.Refusal].
	Propose(ctx context.Context, text []byte) (api.DryRun, error)
	// Estimate is how long an accepted plan will take, and what that rests on.
	Estimate(ctx context.Context, p experiment.Plan) (d time.Duration, basis string, err error)
}

// Evidence is what belongs to runs and is not in the database.
type Evidence interface {
	runEvidence
	// LoadStart returns when second 0 of the run began; the zero time before.
	LoadStart(ctx context.Context, run string) (time.Time, error)
	// Forget removes the files of a deleted run.
	Forget(ctx context.Context, run string) error
}
