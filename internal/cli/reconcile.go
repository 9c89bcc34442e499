package cli

import (
	"context"
	"fmt"

	"dec.local/dec/internal/client"
	"dec.local/dec/internal/datadir"
	"dec.local/dec/internal/server"
)

// reconcileCmd destroys what interrupted runs left behind.
type reconcileCmd struct{}

// Run destroys what interrupted runs left behind, and proves that it is gone. A
// server does that by itself, so there must be none.
func (c *reconcileCmd) Run(ctx context.Context, env *Env, f *datadir.Folders) error {
	if c, found, err := client.Discover(ctx, f.Data, client.Options{}); err != nil {
		return err
	} else if found {
		return fmt.Errorf("the server %s works on the data folder %s, and itself destroys what interrupted runs left behind; "+
			"to do it without that server, run 'dec shutdown --wait', then 'dec reconcile'", c.URL(), f.Data)
	}
	s, err := openFree(ctx, env, f, server.Options{
		Folders: f, Targets: env.Targets, Notice: func(text string) { fmt.Fprintln(env.Stderr, text) },
	})
	if err != nil {
		return err
	}
	defer s.Close()
	return s.Recover(ctx)
}
