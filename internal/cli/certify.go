package cli

import (
	"context"
	"fmt"
	"strings"

	"dec.local/dec/internal/cli/terminal"
	"dec.local/dec/internal/datadir"
	"dec.local/dec/internal/server"
)

// certifyCmd measures the instrument itself.
type certifyCmd struct {
	JSON  bool `help:"Print as JSON."`
	Short bool `hidden:"" help:"A few seconds that certify nothing, for tests."`
}

// Help is the longer text of --help.
func (c *certifyCmd) Help() string {
	return strings.TrimSpace(`
It takes about three minutes; leave the machine alone meanwhile. The real agents measure a
reference broker that runs on this machine and records when it let each message go. The
error of a latency is what the agents told minus what was true.

Bounds: p50 within 0.05 ms at 1,000 messages/s and 0.1 ms at 20,000/s, p99 within 0.3 ms,
each plus the resolution of the histograms (0.1 % of the value); stalls within 3 % of the
record and of theory at p95, p99 and p99.9; every loss, duplicate, reordering, corruption
and refusal found, and none invented.

The certificate is kept for 24 hours, for this build of the agent on this machine. Its line
stands in every result that is measured meanwhile; a missed bound is a caveat there, and
the exit code is 1.`)
}

// Run certifies and prints the table; its exit code is 1 when a bound was missed.
func (c *certifyCmd) Run(ctx context.Context, env *Env, f *datadir.Folders, r *serverFlags) error {
	if r.Server != "" {
		return usage(fmt.Errorf("dec certify measures the machine that it runs on, not %s: run it on the server's machine, "+
			"with its data folder", r.Server))
	}
	ctx, stop := untilInterrupt(ctx, env)
	defer stop()
	report, err := server.Certify(ctx, f, env.Targets, c.Short, func(text string) { fmt.Fprintln(env.Stderr, text) })
	if err != nil {
		if ctx.Err() != nil {
			return &exitError{code: exitInterrupted}
		}
		return err
	}
	if c.JSON {
		err = printJSON(env.Stdout, report)
	} else {
		err = terminal.Certificate(env.Stdout, report)
	}
	if err == nil && len(report.Misses) > 0 {
		return &exitError{code: exitFailed}
	}
	return err
}

// untilInterrupt returns a context that ends with the first Ctrl-C or SIGTERM.
func untilInterrupt(ctx context.Context, env *Env) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		select {
		case <-env.Interrupts:
			cancel(errInterrupted)
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(nil) }
}
