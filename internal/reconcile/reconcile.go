// Package reconcile proves that nothing of a run is left on its target. It
// trusts no state file: a destroy that reports success over an empty state has
// looked at nothing. What counts is what the target's inventory shows, compared
// with everything that was ever meant to be created.
package reconcile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"dec.local/dec/internal/experiment"
)

// Inventory is what really exists on a target.
type Inventory interface {
	// List returns the objects tagged with the run; all objects for "".
	List(ctx context.Context, run string) ([]experiment.Object, error)
	// Remove stops and removes one object. One that is gone is no error.
	Remove(ctx context.Context, o experiment.Object) error
}

// Intents is what the attempts of a run meant to do, written down before they
// did.
type Intents interface {
	Created(ctx context.Context, run string) ([]experiment.Intent, error) // meant to be created, by any attempt
	Deleted(ctx context.Context, run string) ([]experiment.Intent, error) // meant to be deleted, by any attempt
	Seconds(ctx context.Context, run string) (map[string]float64, error)  // by address, how long objects lived, as far as known
}

// Attempts reports whether a process that may still create something is alive.
type Attempts interface {
	Alive(ctx context.Context, run string) (bool, error)
}

// Options configures a [Verifier]. Inventory, Intents and Attempts are required;
// every other zero value means the stated default.
type Options struct {
	Inventory Inventory
	Intents   Intents
	Attempts  Attempts
	Interval  time.Duration    // between two sweeps; 1 s if zero, as the local target needs
	Tries     int              // sweeps that may find something before the run counts as leaked; 5 if zero
	Now       func() time.Time // time.Now if nil
	Logger    *slog.Logger     // slog.Default() if nil
}

// Verifier looks at what really exists.
type Verifier struct{ o Options }

// New returns a verifier.
func New(o Options) (*Verifier, error) {
	if o.Inventory == nil || o.Intents == nil || o.Attempts == nil {
		return nil, errors.New("reconcile: options Inventory, Intents and Attempts are required")
	}
	o.Interval, o.Tries = cmp.Or(o.Interval, time.Second), cmp.Or(o.Tries, 5)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return &Verifier{o}, nil
}

// ErrAlive is returned while an attempt of the run may still create something.
var ErrAlive = errors.New("an OpenTofu attempt of the run is still alive")

// LeakedError names what could not be removed.
type LeakedError struct {
	Run     string
	Objects []experiment.Object
	Err     error // why the last removals failed, nil when the objects came back
}

// Error says what is left and what to do about it.
func (e *LeakedError) Error() string {
	names := make([]string, len(e.Objects))
	for i, o := range e.Objects {
		names[i] = o.Kind + " " + o.ID
	}
	text := fmt.Sprintf("run %s left %s behind", e.Run, strings.Join(names, ", "))
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text + "; DEC retries daily and at the next start; 'dec reconcile' retries now"
}

// Unwrap returns why the last removals failed.
func (e *LeakedError) Unwrap() error { return e.Err }
