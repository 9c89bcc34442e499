// Package cli is the dec command: one file per group of commands, a struct per
// command whose fields are its flags. Most commands call the API of a server: the
// one that is named, the one that works on the data folder, or else one that the
// command itself is while it lasts (connect.go).
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/alecthomas/kong"
	"golang.org/x/term"

	"dec.local/dec/internal/datadir"
	"dec.local/dec/target"
)

// The exit codes of dec.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitNoVerdict   = 3
	exitInterrupted = 130
)

// exitCodes says what each exit code means, for the manual.
var exitCodes = []struct {
	code    int
	meaning string
}{
	{exitOK, "Done. Of `dec run` also when the verdict is “can't tell” or messages were lost."},
	{exitFailed, "Failed: an error, a variant of which no run succeeded, or infrastructure that may still exist. " +
		"`dec doctor`: something does not work. `dec certify`: a bound was missed. `dec shutdown`: deferred, runs are still active."},
	{exitUsage, "Refused: wrong flags, or a plan that is wrong or cannot run here. Nothing was started."},
	{exitNoVerdict, "No final verdict: a variant has fewer valid runs than planned, or it ended under the load."},
	{exitInterrupted, "Interrupted by Ctrl-C. SIGTERM ends `dec serve` with 0."},
}

// Env is what a command gets from its caller: arguments, streams, environment.
type Env struct {
	Args       []string // without the program's name
	Stdout     io.Writer
	Stderr     io.Writer
	Getenv     func(string) string
	Executable string            // path of dec itself; agent and providers lie beside it
	Targets    []target.Target   // that plans may name
	Version    map[string]string // what this build is: "version" and what else there is to tell
	// Interrupts delivers one value per Ctrl-C or SIGTERM.
	Interrupts <-chan os.Signal
}

// commands is the whole command line.
type commands struct {
	datadir.Folders
	Remote serverFlags `embed:""`

	Serve       serveCmd       `cmd:"" help:"Serve the API and the web page, and execute queued runs, until stopped."`
	Run         runCmd         `cmd:"" help:"Run the experiment described in a file and print its verdict."`
	Calibrate   calibrateCmd   `cmd:"" help:"Run a plan's first variant against itself, to find out which differences mean nothing here."`
	Experiments experimentsCmd `cmd:"" help:"List, show, cancel and delete experiments."`
	Runs        runsCmd        `cmd:"" help:"List, show, cancel and archive runs; read their logs."`
	Compare     compareCmd     `cmd:"" help:"Compare selected runs side by side."`
	Catalog     catalogCmd     `cmd:"" help:"List technologies, stacks with their options, client settings, targets and metrics."`
	Doctor      doctorCmd      `cmd:"" help:"Check this machine, and show how to fix what does not work."`
	Certify     certifyCmd     `cmd:"" help:"Measure how wrong this build's own figures are on this machine, against a broker of known behaviour."`
	Inventory   inventoryCmd   `cmd:"" help:"List everything that exists on the targets, including objects of other runs and data folders."`
	Reconcile   reconcileCmd   `cmd:"" help:"Destroy what interrupted runs left behind, and verify that it is gone."`
	Shutdown    shutdownCmd    `cmd:"" help:"Ask the server to exit as soon as no run is active."`
	Backup      backupCmd      `cmd:"" help:"Copy the database to a file, even while a server is running."`
	Version     versionCmd     `cmd:"" help:"Print the version."`
}

// exitError is an error that ends dec with a code of its own.
type exitError struct {
	code int
	err  error // nil when everything was said
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// usage marks an error as the user's: exit code 2.
func usage(err error) error { return &exitError{code: exitUsage, err: err} }

// Main runs one command and returns the exit code.
func Main(ctx context.Context, env *Env) int {
	var cmds commands
	code := exitOK
	exited := false
	parser, err := kong.New(&cmds,
		kong.Name("dec"),
		kong.Description("Compare data technologies: DEC provisions each variant, runs the same load on it, "+
			"destroys everything, and reports which one is better.\n\nStart with: dec run examples/kafka-vs-nats.yaml"),
		kong.Writers(env.Stdout, env.Stderr),
		kong.Exit(func(c int) { code, exited = c, true }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
	)
	if err != nil {
		fmt.Fprintln(env.Stderr, "dec:", err)
		return exitFailed
	}
	args := env.Args
	if len(args) == 0 {
		args = []string{"--help"}
	}
	parsed, err := parser.Parse(args)
	if exited {
		return code
	}
	if err != nil {
		fmt.Fprintf(env.Stderr, "dec: %v\nSee: dec --help\n", err)
		return exitUsage
	}
	if err := cmds.Folders.Resolve(env.Getenv, env.Executable); err != nil {
		fmt.Fprintln(env.Stderr, "dec:", err)
		return exitUsage
	}
	parsed.BindTo(ctx, (*context.Context)(nil))
	return exitCode(env, parsed.Run(env, &cmds.Folders, &cmds.Remote))
}

// exitCode prints an error and turns it into an exit code.
func exitCode(env *Env, err error) int {
	if err == nil {
		return exitOK
	}
	code := exitFailed
	if e, ok := errors.AsType[*exitError](err); ok {
		code = e.code
		err = e.err
	}
	if err != nil {
		fmt.Fprintln(env.Stderr, "dec:", err)
	}
	return code
}

// isTerminal reports whether a person's terminal is at the other end.
func isTerminal(out io.Writer) bool {
	file, ok := out.(*os.File)
	return ok && term.IsTerminal(int(file.Fd())) && os.Getenv("TERM") != "dumb"
}
