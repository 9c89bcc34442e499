package cli

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/cli/terminal"
	"dec.local/dec/internal/client"
	"dec.local/dec/internal/datadir"
	"dec.local/dec/internal/experiment"
)

// experimentsCmd is about experiments.
type experimentsCmd struct {
	List   listExperimentsCmd  `cmd:"" help:"List experiments, newest first."`
	Show   showExperimentCmd   `cmd:"" help:"Show one experiment with its verdict and runs."`
	Cancel cancelExperimentCmd `cmd:"" help:"Cancel an experiment: start no further runs, and destroy the active ones."`
	Delete deleteExperimentCmd `cmd:"" help:"Delete an ended experiment and its results."`
}

type listExperimentsCmd struct {
	Text       string           `arg:"" optional:"" help:"Search text: part of the name, ID, a label or a technology."`
	State      experiment.State `help:"State: queued, running or ended." enum:",queued,running,ended" default:"" placeholder:"STATE"`
	Technology string           `help:"Only experiments with a variant of this technology." placeholder:"NAME"`
	Plan       string           `help:"Only experiments whose plan has this digest." placeholder:"DIGEST"`
	Limit      int              `help:"Maximum number of results." default:"20"`
	JSON       bool             `help:"Print as JSON."`
}

// Run prints the list.
func (c *listExperimentsCmd) Run(ctx context.Context, env *Env, f *datadir.Folders, r *serverFlags) error {
	return r.ask(ctx, env, f, func(server *client.Client) error {
		q := experiment.ExperimentQuery{Text: c.Text, State: c.State, Technology: c.Technology, Digest: c.Plan, Limit: min(c.Limit, 200)}
		list := []api.Experiment{}
		for e, err := range server.AllExperiments(ctx, q) {
			if err != nil {
				return err
			}
			if list = append(list, e); len(list) == c.Limit {
				break
			}
		}
		if c.JSON {
			return printJSON(env.Stdout, map[string]any{"items": list})
		}
		w := tabwriter.NewWriter(env.Stdout, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "ID\tSTATE\tRUNS\tCREATED\tNAME\tVERDICT")
		for _, e := range list {
			fmt.Fprintf(w, "%s\t%s\t%d/%d\t%s\t%s\t%s\n", e.ID, e.State, e.Runs.Ended, e.Runs.Planned, stamp(e.CreatedAt), e.Name, verdictText(e))
		}
		return w.Flush()
	})
}

// verdictText is the answer of an experiment in a line, or why there is none.
func verdictText(e api.Experiment) string {
	switch {
	case e.Runs.Leaked > 0:
		return "leaked; see 'dec inventory'"
	case e.Verdict != nil && len(e.Verdict.Sentences) > 0:
		return e.Verdict.Sentences[0] // the answer; those of each pair come after it
	}
	return e.Reason
}

// stamp is a time for people.
func stamp(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Local().Format("2006-01-02 15:04")
}

// experimentID is the argument that names an experiment.
type experimentID struct {
	ID   string `arg:"" help:"ID of the experiment."`
	JSON bool   `help:"Print as JSON."`
}

type showExperimentCmd struct{ experimentID }

// Run prints one experiment.
func (c *showExperimentCmd) Run(ctx context.Context, env *Env, f *datadir.Folders, r *serverFlags) error {
	return r.ask(ctx, env, f, func(server *client.Client) error {
		e, err := server.Experiment(ctx, c.ID)
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(env.Stdout, e)
		}
		return printExperiment(env.Stdout, e)
	})
}

func printExperiment(out io.Writer, e api.ExperimentDetail) error {
	fmt.Fprintf(out, "%s\n%s on target %s, %s, submitted %s", e.Name, e.ID, e.Target, e.State, stamp(e.CreatedAt))
	if e.By != "" {
		fmt.Fprintf(out, " by %s", e.By)
	}
	fmt.Fprintln(out)
	if e.Reason != "" {
		fmt.Fprintln(out, e.Reason)
	}
	if e.QueuedBefore > 0 {
		fmt.Fprintf(out, "queued behind %s of other experiments\n", terminal.Runs(e.QueuedBefore))
	}
	if e.RemainingS > 0 {
		fmt.Fprintf(out, "about %s left\n", terminal.Roughly(e.RemainingS))
	}
	if e.Verdict != nil {
		for _, sentence := range append(e.Verdict.Sentences, e.Verdict.Caveats...) {
			fmt.Fprintln(out, sentence)
		}
	}
	return printRuns(out, e.RunList)
}

type cancelExperimentCmd struct{ experimentID }

// Run cancels one experiment.
func (c *cancelExperimentCmd) Run(ctx context.Context, env *Env, f *datadir.Folders, r *serverFlags) error {
	server, err := r.server(ctx, env, f)
	if err != nil {
		return err
	}
	if err := server.CancelExperiment(ctx, c.ID); err != nil {
		return err
	}
	e, err := server.Experiment(ctx, c.ID)
	if err != nil {
		return err
	}
	more := ""
	if e.Runs.Active > 0 {
		more = "active runs are being destroyed"
	}
	return done(env, c.JSON, "cancelled", c.ID, more)
}

type deleteExperimentCmd struct{ experimentID }

// Run removes one experiment.
func (c *deleteExperimentCmd) Run(ctx context.Context, env *Env, f *datadir.Folders, r *serverFlags) error {
	return r.ask(ctx, env, f, func(server *client.Client) error {
		if err := server.DeleteExperiment(ctx, c.ID); err != nil {
			return err
		}
		return done(env, c.JSON, "deleted", c.ID, "")
	})
}

// done says what was done to an object.
func done(env *Env, asJSON bool, what, id, more string) error {
	if asJSON {
		return printJSON(env.Stdout, map[string]string{"id": id, "done": what})
	}
	text := what + " " + id
	if more != "" {
		text += "; " + more
	}
	_, err := fmt.Fprintln(env.Stdout, text)
	return err
}
