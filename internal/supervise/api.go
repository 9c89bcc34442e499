package supervise

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// ErrNoExit says that a process has ended without a record: its supervisor was
// killed before it could write one, or it was never started.
var ErrNoExit = errors.New("the process ended without a record: its supervisor was killed, or it was never started")

// ErrAlive says that something of a process still lives, so that its folder
// may not be removed. Stop it first.
var ErrAlive = errors.New("the process is still alive: stop it first")

// Sidecar serves something to the child from inside its supervisor. It is
// called before the child starts and returns variables for the child's
// environment; it goes on serving in its own goroutines until ctx is cancelled,
// which happens after the child's end. It starts no processes: the supervisor would
// wait for them in its place. See [Hold] for work that must be finished
// by then.
type Sidecar func(ctx context.Context, arg string) (env map[string]string, err error)

// Process is a handle on the folder of a process. It holds no resource of the
// operating system: any number of handles, in any number of processes, may be
// opened on one folder, and none needs to be closed.
type Process struct {
	folder string // absolute
}

// ExitError says that a process ended, or was given up, before it was ready.
type ExitError struct {
	Name  string // of the process's [Spec]
	Exit  Exit   // what became of it; without EndedAt while it is still being stopped
	Ready bool   // it had been ready, and ended later
	Tail  string // the last lines of its output
}

// Error reads `process "broker-0" ended before it was ready: exit code 1`,
// followed by the last lines of the output.
func (e *ExitError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "process %q ended", e.Name)
	if !e.Ready {
		b.WriteString(" before it was ready")
	}
	b.WriteString(": ")
	b.WriteString(e.Exit.String())
	if e.Tail != "" {
		b.WriteString("\n")
		b.WriteString(e.Tail)
	}
	return b.String()
}

// Unwrap returns [ErrNoExit] when nothing is known about the end.
func (e *ExitError) Unwrap() error {
	if e.Exit.Cause == CauseLost {
		return ErrNoExit
	}
	return nil
}

// String says in a few words how the process ended.
func (e Exit) String() string {
	how := fmt.Sprintf("exit code %d", e.Code)
	if e.Signal != "" {
		how = "ended by " + e.Signal
	}
	switch e.Cause {
	case CauseStart:
		return "it could not be started: " + e.Message
	case CauseLost, CauseUnready:
		return e.Message
	case CauseExited, "":
		return how
	}
	if e.Message != "" {
		return fmt.Sprintf("%s: %s (%s)", e.Cause, e.Message, how)
	}
	return fmt.Sprintf("%s (%s)", e.Cause, how)
}
