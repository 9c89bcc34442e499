package technology

import (
	"context"
	"errors"
	"log/slog"
)

// Program is a command that a technology adds to dec-agent, for services of its
// own stacks: a stack that declares the variable agent gets the artifact of this
// build's dec-agent, and runs ["./dec-agent/dec-agent", NAME].
type Program struct {
	Name string // of the command: the technology's, or one that begins with it and a dash
	Help string // what it does, without a full stop; lines of at most 60 characters
	// Run does the work until ctx ends, which is no error. It reads what to do from
	// files in the working folder, which is that of its service.
	Run func(ctx context.Context, log *slog.Logger) error
}

// ErrUsage is part of the error of a [Program] that was not told what to do:
// dec-agent ends with its exit code for wrong usage then.
var ErrUsage = errors.New("see dec-agent help")
