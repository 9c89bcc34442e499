package cli

import (
	"context"
	"fmt"
	"path/filepath"

	"dec.local/dec/internal/datadir"
	"dec.local/dec/internal/server"
)

// backupCmd copies the database.
type backupCmd struct {
	File string `arg:"" help:"File to create."`
	JSON bool   `help:"Print as JSON."`
}

// Run writes the copy.
func (c *backupCmd) Run(ctx context.Context, env *Env, f *datadir.Folders) error {
	if !f.Used() {
		return fmt.Errorf("there is no database in %s", f.Data)
	}
	path, err := filepath.Abs(c.File)
	if err != nil {
		return usage(err)
	}
	if err := server.Backup(ctx, f, path); err != nil {
		return err
	}
	if c.JSON {
		return printJSON(env.Stdout, map[string]string{"file": path})
	}
	_, err = fmt.Fprintln(env.Stdout, "written:", path)
	return err
}
