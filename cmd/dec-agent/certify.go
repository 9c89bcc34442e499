package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"time"

	"dec.local/dec/internal/certify/reference"
	"dec.local/dec/technology"
)

// errInputEnded is why a command of dec certify ends.
var errInputEnded = errors.New("dec certify has ended")

// whileInput returns a context that ends with the standard input.
func whileInput(ctx context.Context, stdin io.Reader) context.Context {
	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		_, _ = io.Copy(io.Discard, stdin)
		cancel(errInputEnded)
	}()
	return ctx
}

// serveReference is the reference broker.
func serveReference(ctx context.Context, stdout io.Writer) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("reference broker: %w", err)
	}
	fmt.Fprintln(stdout, listener.Addr())
	return reference.New().Serve(whileInput(ctx, os.Stdin), listener)
}

// driveReference is an agent that knows the reference broker alone.
func driveReference(ctx context.Context, log *slog.Logger) error {
	var ahead time.Duration
	if text := os.Getenv(reference.ClockAhead); text != "" {
		var err error
		if ahead, err = time.ParseDuration(text); err != nil {
			return fmt.Errorf("%s: %w; %w", reference.ClockAhead, err, technology.ErrUsage)
		}
	}
	return drive(whileInput(ctx, os.Stdin), log, world{reference.Technologies, ahead})
}
