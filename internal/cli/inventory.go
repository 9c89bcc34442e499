package cli

import (
	"context"
	"fmt"
	"text/tabwriter"
	"time"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/datadir"
	"dec.local/dec/internal/server"
)

// inventoryCmd lists what exists on the targets.
type inventoryCmd struct {
	JSON bool `help:"Print as JSON."`
}

// listedObject is an object with its target.
type listedObject struct {
	Target string `json:"target"`
	api.InventoryObject
}

// inventory is what the command prints as JSON.
type inventory struct {
	AsOf    time.Time         `json:"as_of"`
	Objects []listedObject    `json:"objects"`
	Unknown map[string]string `json:"unknown,omitempty"` // why nothing is known, by target
}

// Run prints the inventory.
func (c *inventoryCmd) Run(ctx context.Context, env *Env, f *datadir.Folders, r *serverFlags) error {
	listed, err := c.read(ctx, env, f, r)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(env.Stdout, listed)
	}
	for target, why := range listed.Unknown {
		fmt.Fprintf(env.Stdout, "Unknown on target %s: %s\n", target, why)
	}
	if len(listed.Objects) == 0 {
		_, err := fmt.Fprintln(env.Stdout, "Nothing exists: no object of any run.")
		return err
	}
	w := tabwriter.NewWriter(env.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "TARGET\tKIND\tID\tRUN\tCLASS\tALIVE\tAGE\tEXPIRES IN\tDATA FOLDER")
	for _, o := range listed.Objects {
		expires := "-"
		if !o.ExpiresAt.IsZero() {
			expires = o.ExpiresAt.Sub(listed.AsOf).Round(time.Second).String()
		}
		age := time.Duration(o.AgeS * float64(time.Second)).Round(time.Second)
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%t\t%s\t%s\t%s\n", o.Target, o.Kind, o.ID, o.Run, o.Class, o.Alive, age, expires, o.Install)
	}
	return w.Flush()
}

func (c *inventoryCmd) read(ctx context.Context, env *Env, f *datadir.Folders, r *serverFlags) (inventory, error) {
	listed := inventory{AsOf: time.Now(), Objects: []listedObject{}}
	remote, found, err := r.find(ctx, env, f)
	if err != nil {
		return listed, err
	}
	var targets []api.TargetInventory
	if found {
		var answer api.Inventory
		answer, err = remote.Inventory(ctx)
		listed.AsOf, targets = answer.AsOf, answer.Targets
	} else {
		targets, err = server.Inventory(ctx, f, env.Targets)
	}
	if err != nil {
		return listed, err
	}
	for _, target := range targets {
		if target.Unknown != "" {
			if listed.Unknown == nil {
				listed.Unknown = map[string]string{}
			}
			listed.Unknown[target.Target] = target.Unknown
		}
		for _, object := range target.Objects {
			listed.Objects = append(listed.Objects, listedObject{target.Target, object})
		}
	}
	return listed, nil
}
