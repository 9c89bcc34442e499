package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/cli/terminal"
	"dec.local/dec/internal/client"
	"dec.local/dec/internal/datadir"
	"dec.local/dec/internal/experiment"
)

// runsCmd is about runs.
type runsCmd struct {
	List    listRunsCmd   `cmd:"" help:"List runs, newest first; with --experiment, in execution order."`
	Show    showRunCmd    `cmd:"" help:"Show one run: its phases, its result and its teardown."`
	Cancel  cancelRunCmd  `cmd:"" help:"Cancel one run and destroy its infrastructure."`
	Log     logRunCmd     `cmd:"" help:"Print the log of a run: lines of the server, OpenTofu and the run's services."`
	Archive archiveRunCmd `cmd:"" help:"Write everything stored about a run to one file: result, timeline, plan, receipt, events and logs."`
}

type listRunsCmd struct {
	Experiment string           `help:"Only runs of this experiment." placeholder:"ID"`
	Phase      experiment.Phase `help:"Only runs in phase queued, provision, prepare, load, collect, destroy, verify or ended." placeholder:"PHASE"`

	Outcome  experiment.Outcome  `help:"Outcome: succeeded, failed or cancelled." enum:",succeeded,failed,cancelled" default:"" placeholder:"OUTCOME"`
	Teardown experiment.Teardown `help:"Teardown: none, pending, clean or leaked." enum:",none,pending,clean,leaked" default:"" placeholder:"STATE"`

	Technology string `help:"Only runs of this technology." placeholder:"NAME"`
	Limit      int    `help:"Maximum number of results." default:"20"`
	JSON       bool   `help:"Print as JSON."`
}

// Run prints the list.
func (c *listRunsCmd) Run(ctx context.Context, env *Env, f *datadir.Folders, r *serverFlags) error {
	return r.ask(ctx, env, f, func(server *client.Client) error {
		q := experiment.RunQuery{
			Experiment: c.Experiment, Phase: c.Phase, Outcome: c.Outcome, Teardown: c.Teardown,
			Technology: c.Technology, Limit: min(c.Limit, 200),
		}
		list := []api.Run{}
		for run, err := range server.AllRuns(ctx, q) {
			if err != nil {
				return err
			}
			if list = append(list, run); len(list) == c.Limit {
				break
			}
		}
		if c.JSON {
			return printJSON(env.Stdout, map[string]any{"items": list})
		}
		return printRuns(env.Stdout, list)
	})
}

func printRuns(out io.Writer, list []api.Run) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "RUN\tNAME\tPHASE\tOUTCOME\tVALID\tTEARDOWN\tSTARTED\tTOOK\tREASON")
	for _, run := range list {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", run.ID, run.Name, phaseOf(run), dash(string(run.Outcome)), validText(run),
			run.Teardown, stamp(run.StartedAt), took(run), reasonOf(run))
	}
	return w.Flush()
}

func phaseOf(run api.Run) string {
	if run.Stage != "" {
		return fmt.Sprintf("%s (%s)", run.Phase, run.Stage)
	}
	return string(run.Phase)
}

func dash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

func validText(run api.Run) string {
	switch {
	case run.Outcome != experiment.Succeeded:
		return "-"
	case run.Validity.OK:
		return "yes"
	}
	return "no"
}

func took(run api.Run) string {
	if run.StartedAt.IsZero() || run.EndedAt.IsZero() {
		return "-"
	}
	return run.EndedAt.Sub(run.StartedAt).Round(time.Second).String()
}

func reasonOf(run api.Run) string {
	if run.Reason != "" {
		return firstLine(run.Reason)
	}
	return run.Validity.Text()
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

// runArgument is the argument that names a run.
type runArgument struct {
	ID   string `arg:"" help:"ID of the run."`
	JSON bool   `help:"Print as JSON."`
}

type showRunCmd struct{ runArgument }

// Run prints one run.
func (c *showRunCmd) Run(ctx context.Context, env *Env, f *datadir.Folders, r *serverFlags) error {
	return r.ask(ctx, env, f, func(server *client.Client) error {
		run, err := server.Run(ctx, c.ID)
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(env.Stdout, run)
		}
		out := env.Stdout
		fmt.Fprintf(out, "%s (%s) of %s, %s\n", run.ID, run.Name, run.Experiment, run.ExperimentName)
		if err := printRuns(out, []api.Run{run.Run}); err != nil {
			return err
		}
		for _, phase := range run.Phases {
			fmt.Fprintf(out, "  %s  %s\n", phase.At.Local().Format("15:04:05.000"), phase.Phase)
		}
		if run.Receipt != nil {
			fmt.Fprintln(out, run.Receipt.Statement)
		}
		if !run.HasResult {
			return nil
		}
		result, err := server.Result(ctx, c.ID)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(out, "%s\nInstrument: %s.\n", terminal.Result(result), result.Instrument())
		return err
	})
}

type cancelRunCmd struct{ runArgument }

// Run cancels one run.
func (c *cancelRunCmd) Run(ctx context.Context, env *Env, f *datadir.Folders, r *serverFlags) error {
	server, err := r.server(ctx, env, f)
	if err != nil {
		return err
	}
	if err := server.CancelRun(ctx, c.ID); err != nil {
		return err
	}
	return done(env, c.JSON, "cancelled", c.ID, "its infrastructure is being destroyed")
}

type logRunCmd struct {
	runArgument
	Text   string `help:"Only lines that contain this text." name:"grep" placeholder:"TEXT"`
	Source string `help:"Only lines from this source, such as dec or broker-0." placeholder:"NAME"`
	Level  string `help:"Minimum level: debug, info, warn or error." enum:",debug,info,warn,error" default:"" placeholder:"LEVEL"`
	Lines  int    `help:"Maximum number of lines, from the end of the log." default:"1000"`
}

// mostLines is how many lines the server gives at once.
const mostLines = 1000

// Run prints the lines, the oldest first.
func (c *logRunCmd) Run(ctx context.Context, env *Env, f *datadir.Folders, r *serverFlags) error {
	return r.ask(ctx, env, f, func(server *client.Client) error {
		var log api.Log
		var parts [][]api.LogLine
		q := experiment.LogQuery{Run: c.ID, Text: c.Text, Source: c.Source, Level: c.Level}
		for left := c.Lines; left > 0; left -= len(log.Lines) {
			q.Limit = min(left, mostLines)
			var err error
			if log, err = server.Log(ctx, q); err != nil {
				return err
			}
			parts = append(parts, log.Lines)
			if q.Before = log.Before; q.Before == "" {
				break
			}
		}
		slices.Reverse(parts)
		log.Lines = slices.Concat(parts...)
		if c.JSON {
			return printJSON(env.Stdout, log)
		}
		for _, line := range log.Lines {
			at := "            "
			if !line.At.IsZero() {
				at = line.At.Local().Format("15:04:05.000")
			}
			if _, err := fmt.Fprintf(env.Stdout, "%s %-5s %s: %s\n", at, line.Level, line.Source, line.Text); err != nil {
				return err
			}
		}
		return nil
	})
}
