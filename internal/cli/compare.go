package cli

import (
	"context"
	"io"

	"dec.local/dec/internal/cli/terminal"
	"dec.local/dec/internal/client"
	"dec.local/dec/internal/datadir"
)

// compareCmd puts runs side by side.
type compareCmd struct {
	Runs   []string `arg:"" name:"run" help:"IDs of runs, from one experiment or several. Runs that were not planned together get no verdict."`
	Report string   `help:"Write the comparison to this file, as self-contained HTML." placeholder:"FILE.html"`
	CSV    string   `help:"Write one row per run to this file." placeholder:"FILE.csv"`
	JSON   bool     `help:"Print as JSON."`
}

// Run prints the comparison.
func (c *compareCmd) Run(ctx context.Context, env *Env, f *datadir.Folders, r *serverFlags) error {
	return r.ask(ctx, env, f, func(server *client.Client) error {
		comparison, err := server.Compare(ctx, c.Runs)
		if err != nil {
			return err
		}
		err = writeForms(env, c.Report, c.CSV, func(w io.Writer, form client.Form) error { return server.WriteComparison(ctx, w, c.Runs, form) })
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(env.Stdout, comparison)
		}
		return terminal.Comparison(env.Stdout, comparison)
	})
}
