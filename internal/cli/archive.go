package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"

	"dec.local/dec/internal/client"
	"dec.local/dec/internal/datadir"
)

// archiveRunCmd gets everything of a run in one file.
type archiveRunCmd struct {
	runArgument
	Output string `help:"File to write; - for standard output. Default: named after the run, in the current folder." short:"o" placeholder:"FILE.zip"`
}

// Run writes the archive.
func (c *archiveRunCmd) Run(ctx context.Context, env *Env, f *datadir.Folders, r *serverFlags) error {
	return r.ask(ctx, env, f, func(server *client.Client) error {
		name, archive, err := server.Archive(ctx, c.ID)
		if err != nil {
			return err
		}
		defer archive.Close()
		if c.Output == "-" {
			_, err := io.Copy(env.Stdout, archive)
			return err
		}
		path := cmp.Or(c.Output, name)
		err = writeFile(path, func(w io.Writer) error {
			if _, err := io.Copy(w, archive); err != nil {
				return fmt.Errorf("the archive of run %s was not received completely: %w", c.ID, err)
			}
			return nil
		})
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(env.Stdout, map[string]string{"id": c.ID, "file": path})
		}
		_, err = fmt.Fprintln(env.Stdout, "Wrote", path)
		return err
	})
}
