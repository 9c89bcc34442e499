package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/datadir"
	"dec.local/dec/internal/server"
)

// catalogCmd lists what can be compared.
type catalogCmd struct {
	JSON bool `help:"Print as JSON, with the JSON Schema of plans and options."`
}

// Run prints the catalog: the server's, or where there is none that of this
// machine.
func (c *catalogCmd) Run(ctx context.Context, env *Env, f *datadir.Folders, r *serverFlags) error {
	catalog, err := c.read(ctx, env, f, r)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(env.Stdout, catalog)
	}
	w := tabwriter.NewWriter(env.Stdout, 0, 0, 2, ' ', 0)
	for _, tech := range catalog.Technologies {
		for _, stack := range tech.Stacks {
			fmt.Fprintf(w, "%s/%s\t%s\n", tech.Name, stack.Name, stack.Title)
			if !stack.Available {
				fmt.Fprintln(w, "  not available: "+why(stack))
			}
			if err := printSettings(w, "option", stack.Schema); err != nil {
				return err
			}
			if err := printSettings(w, "client", tech.ClientConfigSchema); err != nil {
				return err
			}
		}
	}
	for _, target := range catalog.Targets {
		state := fmt.Sprintf("%d at once", target.Slots)
		if !target.Available {
			state = "not available: " + target.Why
		}
		fmt.Fprintf(w, "target %s\t%s\t%s\n", target.Name, target.Title, state)
	}
	for _, metric := range catalog.Metrics {
		fmt.Fprintf(w, "metric %s\t%s\t%s is better\n", metric.Name, metric.Title, metric.Better)
	}
	return w.Flush()
}

// why says why a stack is not available, and what to do if anything can be done.
func why(stack api.Stack) string {
	if stack.Fix == "" {
		return stack.Why
	}
	return stack.Why + "; fix: " + stack.Fix
}

func (c *catalogCmd) read(ctx context.Context, env *Env, f *datadir.Folders, r *serverFlags) (api.Catalog, error) {
	remote, found, err := r.find(ctx, env, f)
	if err != nil {
		return api.Catalog{}, err
	}
	if found {
		return remote.Catalog(ctx)
	}
	planner, err := server.OpenPlanner(ctx, f, env.Targets)
	if err != nil {
		return api.Catalog{}, err
	}
	return planner.Catalog(ctx)
}

// printSettings lists the properties of a JSON Schema, with their values.
func printSettings(w io.Writer, kind string, schema json.RawMessage) error {
	settings, err := Settings(schema)
	if err != nil {
		return err
	}
	for _, s := range settings {
		values, fallback := s.Kind, "default "+s.Default
		if len(s.Choices) > 0 {
			values = strings.Join(s.Choices, ", ")
		}
		switch s.Default {
		case "":
			fallback = "required"
		case "null":
			fallback = "no default"
		}
		fmt.Fprintf(w, "  %s %s\t%s\t%s\t%s\n", kind, s.Name, values, fallback, s.Meaning)
	}
	return nil
}
