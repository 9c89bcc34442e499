package target

import (
	"context"
	"errors"
	"time"

	"dec.local/dec/internal/experiment"
)

// Exclusive is a place on which one run at a time may measure: others would show
// in its numbers.
type Exclusive interface {
	// LockMeasuring waits until nobody else measures there, and keeps others from
	// it until release is called or this process ends. If ctx ends first, the
	// error matches [ErrMeasuring] and the cause of ctx, and names who measures.
	LockMeasuring(ctx context.Context) (release func(), err error)
}

// ErrMeasuring says that somebody else measures on the place.
var ErrMeasuring = errors.New("another measurement is under way on this target")

// Metered is a place that samples what services use. Without it results have no CPU
// time and no memory of brokers.
type Metered interface {
	// Usage returns what each service of a run used from one time until another, by
	// the name of the service.
	Usage(ctx context.Context, run string, from, until time.Time) (map[string]Usage, error)
}

// Usage is what one service used within a window of time.
type Usage struct {
	CPUSeconds  float64 `json:"cpu_s"`         // user and system, of its whole process tree
	MaxRSSBytes int64   `json:"max_rss_bytes"` // the largest sample
}

// Logging is a place whose services' output can be read while they run. Without
// it there are logs of services only where they share the server's files.
type Logging interface {
	// Logs returns the log files of a run's services; none where there are none.
	Logs(ctx context.Context, run string) ([]LogFile, error)
}

// LogFile is one file of a service's output.
type LogFile struct {
	Service string
	Name    string // such as "stdout.log"
	Size    int64  // bytes, when it was listed
	// ReadEnd returns the last bytes, most at the most; fs.ErrNotExist once it was
	// removed.
	ReadEnd func(ctx context.Context, most int64) ([]byte, error)
}

// ArtifactHost is a place that runs only installed artifacts.
type ArtifactHost interface {
	// Missing returns the artifacts, each name@version, that the place does not
	// have.
	Missing(artifacts []string) []string
}

// Importing is a place whose objects OpenTofu can adopt into a state. Nothing asks for
// it yet: it is declared for recovery by adoption.
type Importing interface {
	// ImportID returns the id by which an import block names the object; false for
	// one that can't be imported.
	ImportID(o experiment.Object) (id string, ok bool)
}

// Priced is a place that costs money. Nothing asks for it yet: it is declared for
// estimates and limits of cost.
type Priced interface {
	// HourlyUSD returns what an object costs per hour; false if that is not known.
	HourlyUSD(o experiment.Object) (usd float64, ok bool)
}

// Credentialed is a place whose providers need credentials of their own for each
// attempt.
type Credentialed interface {
	// Credentials returns variables for the environment of OpenTofu, which hold for
	// one attempt of the run and reach neither disk nor log, and when they expire;
	// the zero time if they do not. An attempt that outlasts them fails, and the next
	// one gets new ones; nothing asks for the time yet.
	Credentials(ctx context.Context, run string) (environment map[string]string, until time.Time, err error)
}
