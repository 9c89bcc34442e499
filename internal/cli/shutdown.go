package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/cli/terminal"
	"dec.local/dec/internal/client"
	"dec.local/dec/internal/datadir"
)

// shutdownCmd asks a server to end.
type shutdownCmd struct {
	Wait   bool `help:"Wait until no run is active and the server has exited."`
	Cancel bool `help:"Cancel a requested shutdown; queued runs start again."`
	Stay   bool `help:"Only drain: do not exit when no run is active."`
	Show   bool `help:"Show the state of a requested shutdown, and keep it from lapsing."`
	JSON   bool `help:"Print as JSON."`
}

// exitTimeout is how long a server may take to exit after it announced its exit.
const exitTimeout = time.Minute

// pollTimeout is how long one answer to --wait may take.
const pollTimeout = 30 * time.Second

// Run asks, and says what the server waits for. Its exit code is 1 while that is
// something.
func (c *shutdownCmd) Run(ctx context.Context, env *Env, f *datadir.Folders, r *serverFlags) error {
	server, err := r.server(ctx, env, f)
	if err != nil {
		return err
	}
	switch {
	case c.Cancel:
		return c.takeBack(ctx, env, server)
	case c.Show:
		state, err := server.Shutdown(ctx, 0)
		return c.tell(env, state, err)
	}
	state, err := c.request(ctx, env, server)
	if err := c.tell(env, state, err); err != nil {
		return err
	}
	if state.State != "ready" {
		return &exitError{code: exitFailed}
	}
	return nil
}

// takeBack cancels a requested shutdown, if there is one.
func (c *shutdownCmd) takeBack(ctx context.Context, env *Env, server *client.Client) error {
	before, err := server.Shutdown(ctx, 0)
	if err != nil {
		return err
	}
	if err := server.CancelShutdown(ctx); err != nil {
		return err
	}
	state, err := server.Shutdown(ctx, 0)
	if err == nil && !c.JSON && before.State != "none" && state.State == "none" {
		_, err = fmt.Fprintln(env.Stdout, "The shutdown was cancelled; queued runs start again.")
		return err
	}
	return c.tell(env, state, err)
}

// request asks once, or until no run is active.
func (c *shutdownCmd) request(ctx context.Context, env *Env, server *client.Client) (api.Shutdown, error) {
	said := ""
	for {
		state, err := server.RequestShutdown(ctx, !c.Stay)
		switch {
		case err != nil || !c.Wait:
			return state, err
		case state.State == "ready" && state.Exits:
			return state, server.AwaitEnd(ctx, exitTimeout)
		case state.State == "ready":
			return state, nil
		}
		if waits := waitsFor(state); waits != said {
			said = waits
			fmt.Fprintln(env.Stderr, "waiting for", waits)
		}
		select { // a person may have had enough; the request lapses by itself
		case <-env.Interrupts:
			return state, &exitError{code: exitInterrupted}
		default:
		}
		if _, err := server.Shutdown(ctx, pollTimeout); err != nil {
			return state, err
		}
	}
}

func waitsFor(s api.Shutdown) string {
	waits := make([]string, len(s.WaitsFor))
	for i, run := range s.WaitsFor {
		waits[i] = fmt.Sprintf("%s (%s, %s)", run.Run, run.Name, run.Phase)
	}
	text := strings.Join(waits, ", ")
	if s.RemainingS > 0 {
		text += fmt.Sprintf(", about %s left", terminal.Roughly(s.RemainingS))
	}
	return text
}

// tell prints where a shutdown stands.
func (c *shutdownCmd) tell(env *Env, s api.Shutdown, err error) error {
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(env.Stdout, s)
	}
	return printShutdown(env.Stdout, s)
}

func printShutdown(w io.Writer, s api.Shutdown) error {
	var err error
	switch s.State {
	case "none":
		_, err = fmt.Fprintln(w, "No shutdown has been requested.")
	case "ready":
		text := "No run is active; no run starts."
		if s.Exits {
			text = "No run is active; the server is exiting."
		}
		_, err = fmt.Fprintf(w, "%s %s for the next server.\n", text, stayQueued(s.Queued))
	default:
		_, err = fmt.Fprintf(w, "Deferred: waiting for %s. No further run starts. The request lapses at %s unless it is repeated.\n",
			waitsFor(s), s.LapsesAt.Local().Format(time.TimeOnly))
	}
	return err
}

func stayQueued(n int) string {
	if n == 1 {
		return "1 run stays queued"
	}
	return fmt.Sprintf("%d runs stay queued", n)
}
