package cli

import (
	"context"
	"fmt"

	"dec.local/dec/internal/datadir"
	"dec.local/dec/internal/server"
)

// reconcileCmd destroys what interrupted runs left behind.
type reconcileCmd struct{}

// Run destroys what interrupted runs left behind, and proves that it is gone. A
// server does that by itself, so there must be none.
func (c *reconcileCmd) Run(ctx context.Context, env *Env, f *datadir.Folders) error {
	s, err := server.Open(ctx, server.Options{Folders: f, Targets: env.Targets, Notice: func(text string) { fmt.Fprintln(env.Stderr, text) }})
	if err != nil {
		return err
	}
	defer s.Close()
	return s.Recover(ctx)
}
