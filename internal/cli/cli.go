// Package cli is the dec command: one file per command, a struct per command
// whose fields are its flags. It is also where the parts of the product meet
// (engine.go): siblings know nothing of each other.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/alecthomas/kong"
)

// The exit codes of dec.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2   // wrong flags, or a plan that is refused
	exitNoVerdict   = 3   // no verdict because runs were not valid or failed
	exitInterrupted = 130 // Ctrl-C
)

// Env is the world that a command sees.
type Env struct {
	Args       []string // without the program's name
	Stdout     io.Writer
	Stderr     io.Writer
	Getenv     func(string) string
	Executable string // path of dec itself; agent and provider lie beside it
	// Interrupts delivers one value per Ctrl-C or SIGTERM.
	Interrupts <-chan os.Signal
}

// commands is the whole command line.
type commands struct {
	folders
	Run       runCmd       `cmd:"" help:"Run the experiment that a file describes and print the verdict."`
	Doctor    doctorCmd    `cmd:"" help:"Show what works on this machine, and what to do about what does not."`
	Catalog   catalogCmd   `cmd:"" help:"List technologies, their stacks and the stacks' options."`
	Inventory inventoryCmd `cmd:"" help:"List all that exists on the local target, of any run and data folder."`
	Reconcile reconcileCmd `cmd:"" help:"Destroy what interrupted runs left behind, and prove that it is gone."`
	Version   versionCmd   `cmd:"" help:"Print the version."`
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
		kong.Description("Compare data technologies: DEC provisions each candidate, runs the same load on it, destroys everything, and tells which is faster.\n\nStart with: dec run examples/kafka-vs-nats.yaml"),
		kong.Writers(env.Stdout, env.Stderr),
		kong.Exit(func(c int) { code, exited = c, true }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Vars{"data_default": "the user's data folder"},
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
	if err := cmds.folders.resolve(env); err != nil {
		fmt.Fprintln(env.Stderr, "dec:", err)
		return exitFailed
	}
	parsed.BindTo(ctx, (*context.Context)(nil))
	return exitCode(env, parsed.Run(env, &cmds.folders))
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
