package cli

import (
	"context"
	"fmt"

	"dec.local/dec/internal/server"
)

// reconcileCmd heals a data folder.
type reconcileCmd struct{}

// Run destroys what interrupted runs left behind, and proves that it is gone. A
// server does that by itself, so there must be none.
func (c *reconcileCmd) Run(ctx context.Context, env *Env, f *server.Folders) error {
	say := func(text string) { fmt.Fprintln(env.Stderr, text) }
	s, err := server.Open(ctx, server.Options{Folders: f, Notice: say})
	if err != nil {
		return err
	}
	defer s.Close()
	if err := s.Heal(ctx, say); err != nil {
		return err
	}
	s.Archive(ctx)
	return nil
}
