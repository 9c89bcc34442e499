package orchestrator

import (
	"context"
	"encoding/json"
	"time"

	"dec.local/dec/internal/experiment"
)

// Assignment is everything that the phases of one run need to know of it.
type Assignment struct {
	Run       experiment.Run     // as it was when it left the queue
	Plan      experiment.Plan    // of its experiment
	Variant   experiment.Variant // the one of the plan that the run measures
	ExpiresAt time.Time          // hard deadline of the run; goes into the tags
}

// Provisioner brings the infrastructure of a run up and down.
type Provisioner interface {
	// Provision returns the endpoints of the system under test once all of its
	// services are ready. When ctx ends it interrupts what it started, once, and
	// returns after that has ended.
	Provision(ctx context.Context, a Assignment, report func(experiment.Resource)) (endpoints json.RawMessage, err error)
	// Destroy is idempotent: there need not have been an apply.
	Destroy(ctx context.Context, run experiment.Run, report func(experiment.Resource)) error
	// Halt interrupts attempts of the run that an earlier process left alive, and
	// waits for their end. None alive is no error.
	Halt(ctx context.Context, run experiment.Run) error
}

// Workload offers the load to a provisioned system and collects what was
// measured.
type Workload interface {
	// Prepare returns when every agent stands ready to begin.
	Prepare(ctx context.Context, a Assignment, endpoints json.RawMessage) error
	// Load returns when the last message has arrived, or the drain is over.
	Load(ctx context.Context, a Assignment) error
	// Collect returns the merged result and whether it is valid.
	Collect(ctx context.Context, a Assignment) (result json.RawMessage, v experiment.Validity, err error)
	// Stop ends the load early. It is called at most once, after Prepare or Load
	// has failed, before the infrastructure is destroyed.
	Stop(ctx context.Context, a Assignment, reason string) error
}

// Watcher tells when a service of a run dies.
type Watcher interface {
	// Watch blocks until ctx ends, or returns before that with an error that
	// names the service that ended and why: a [*SystemDied] unless it was one of
	// the load generator's.
	Watch(ctx context.Context, a Assignment) error
}

// SystemDied tells that a service of the system under test has ended by itself.
type SystemDied struct{ Err error }

func (e *SystemDied) Error() string { return e.Err.Error() }

// Unwrap returns what is known of the service's end.
func (e *SystemDied) Unwrap() error { return e.Err }

// Verifier proves that nothing of a run is left.
type Verifier interface {
	// Verify removes what it still finds, and returns an error as long as it
	// cannot prove that nothing is left. Alone a receipt discharges the
	// obligation to destroy.
	Verify(ctx context.Context, run experiment.Run) (experiment.Receipt, error)
}

// Measuring is a lock that keeps runs of other processes off the machine while
// one measures.
type Measuring interface {
	// LockMeasuring waits for the lock until ctx ends.
	LockMeasuring(ctx context.Context) (release func(), err error)
}

// Store keeps what must survive a crash. Every method that takes a lease
// returns [experiment.ErrFenced] and changes nothing once the lease is lost.
type Store interface {
	queue
	leases
	records
	ends
	reader
}

// queue admits experiments and hands out their runs.
type queue interface {
	// Admit stores an experiment with its queued runs, their obligations and its
	// sealed secrets. The same submission come again admits nothing and returns the
	// earlier experiment; see [experiment.ErrKeyReused].
	Admit(
		ctx context.Context,
		e experiment.Experiment, runs []experiment.Run, sealed []byte,
		by experiment.Submission,
	) (experiment.Experiment, []experiment.Event, error)
	// Claim leases the next queued run that has a slot on this host, or returns
	// [experiment.ErrNotFound].
	Claim(ctx context.Context, owner string, h experiment.Host, ttl time.Duration) (experiment.Run, int64, error)
	// Adopt leases a run of this host that was left active or is leaked and due, or
	// returns [experiment.ErrNotFound].
	Adopt(ctx context.Context, owner string, h experiment.Host, ttl time.Duration) (experiment.Run, int64, error)
	// Reclaim ends the leases of a dead process with the same owner.
	Reclaim(ctx context.Context, owner string) error
}

// leases keeps hold of a claimed run.
type leases interface {
	// Renew prolongs the lease; it returns why the run shall be cancelled, or "".
	Renew(ctx context.Context, run string, lease int64, ttl time.Duration) (cancel string, err error)
	// Release makes the run claimable at once.
	Release(ctx context.Context, run string, lease int64) error
	// Leased returns a context for those who write on behalf of the run and know
	// nothing of leases.
	Leased(ctx context.Context, run string, lease int64) context.Context
}

// records writes down the life of a run.
type records interface {
	// SetExpiry decides that everything of the run ends ttl from now.
	SetExpiry(ctx context.Context, run string, lease int64, ttl time.Duration) (time.Time, error)
	// Expiry tells when that is; the zero time if it was not decided.
	Expiry(ctx context.Context, run string) (time.Time, error)
	// Enter records run.Phase and its event before the phase begins.
	Enter(ctx context.Context, run *experiment.Run, lease int64) ([]experiment.Event, error)
	// SaveResult stores run.Result and run.Validity.
	SaveResult(ctx context.Context, run *experiment.Run, lease int64) error
	// Record stores any other event of the run.
	Record(ctx context.Context, e experiment.Event, lease int64) ([]experiment.Event, error)
}

// repeats decides which runs an experiment gets in addition, in the transaction
// that ends one of its runs.
type repeats = func(experiment.Experiment, []experiment.Run) []experiment.Run

// ends writes down how runs end.
type ends interface {
	// End records the outcome; run.Receipt discharges the obligation, without it
	// the run is leaked.
	End(ctx context.Context, run *experiment.Run, lease int64, r repeats) ([]experiment.Event, error)
	// Settle records another try to destroy a leaked run.
	Settle(ctx context.Context, run *experiment.Run, lease int64) ([]experiment.Event, error)
	// Cancel asks for the end of a run, and ends it if it is queued.
	Cancel(ctx context.Context, run, reason string, receipt experiment.Receipt, r repeats) ([]experiment.Event, error)
	// Stop ends the queued runs of an experiment, which gets no further ones.
	Stop(ctx context.Context, experimentID, reason string, receipt experiment.Receipt) ([]experiment.Event, error)
}

// reader answers questions.
type reader interface {
	Now(ctx context.Context) (time.Time, error)
	Experiment(ctx context.Context, id string) (experiment.Experiment, error)
	Unfinished(ctx context.Context) ([]experiment.Experiment, error) // a run of them has not ended
	Runs(ctx context.Context, experimentID string) ([]experiment.Run, error)
	Active(ctx context.Context) ([]experiment.Run, error) // left the queue, not ended
}
