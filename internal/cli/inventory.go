package cli

import (
	"context"
	"fmt"
	"text/tabwriter"
	"time"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/target/local"
)

// inventoryCmd lists what exists on the local target.
type inventoryCmd struct {
	JSON bool `help:"Print as JSON."`
}

// Run prints the inventory.
func (c *inventoryCmd) Run(ctx context.Context, env *Env, f *folders) error {
	ledger, err := local.Open(f.Ledger)
	if err != nil {
		return err
	}
	objects, err := ledger.List(ctx, "")
	if err != nil {
		return err
	}
	now := time.Now()
	if c.JSON {
		if objects == nil {
			objects = []experiment.Object{}
		}
		return printJSON(env.Stdout, map[string]any{"as_of": now, "objects": objects})
	}
	if len(objects) == 0 {
		_, err := fmt.Fprintln(env.Stdout, "Nothing: no process, no port, no entry of any run.")
		return err
	}
	w := tabwriter.NewWriter(env.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "KIND\tID\tRUN\tALIVE\tAGE\tEXPIRES IN\tDATA FOLDER")
	for _, o := range objects {
		expires := "-"
		if !o.ExpiresAt.IsZero() {
			expires = o.ExpiresAt.Sub(now).Round(time.Second).String()
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%t\t%s\t%s\t%s\n", o.Kind, o.ID, o.Run, o.Alive, now.Sub(o.CreatedAt).Round(time.Second), expires, o.Install)
	}
	return w.Flush()
}
