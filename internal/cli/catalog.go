package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
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
			printOptions(w, "option", stack.Schema)
			printOptions(w, "client", tech.ClientConfigSchema)
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

// printOptions lists the properties of a JSON Schema.
func printOptions(w io.Writer, kind string, schema json.RawMessage) {
	var doc struct {
		Properties map[string]struct {
			Default     json.RawMessage `json:"default"`
			Description string          `json:"description"`
			Secret      bool            `json:"x-secret"`
		} `json:"properties"`
	}
	if json.Unmarshal(schema, &doc) != nil {
		return
	}
	keys := make([]string, 0, len(doc.Properties))
	for key := range doc.Properties {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		p := doc.Properties[key]
		fallback := ""
		switch {
		case p.Secret:
			fallback = "secret"
		case p.Default != nil:
			fallback = "default " + string(p.Default)
		}
		fmt.Fprintf(w, "  %s %s\t%s\t%s\n", kind, key, fallback, p.Description)
	}
}
