package httpapi

import (
	"context"
	"net/http"
	"slices"

	"dec.local/dec/internal/api"
)

// Inventory lists what exists on every target.
type Inventory interface {
	Inventory(ctx context.Context) ([]api.TargetInventory, error)
}

// inventoryRoutes serve the inventory.
type inventoryRoutes struct {
	clock   clock
	targets Inventory
}

func (i inventoryRoutes) add(a *registrar) {
	op := call(http.MethodGet, "/inventory", "get-inventory", "operation", "List what exists on the targets")
	op.Description = "Read from the targets themselves, not from the database."
	register(a, op, i.get)
}

type inventoryOutput struct{ Body api.Inventory }

func (i inventoryRoutes) get(ctx context.Context, _ *struct{}) (*inventoryOutput, error) {
	asOf, _, err := moment(ctx, i.clock)
	if err != nil {
		return nil, err
	}
	targets, err := i.targets.Inventory(ctx)
	if err != nil {
		return nil, err
	}
	inventory := api.Inventory{AsOf: asOf, Targets: orEmpty(slices.Clone(targets))}
	for n := range inventory.Targets {
		inventory.Targets[n].Objects = orEmpty(inventory.Targets[n].Objects)
	}
	return &inventoryOutput{inventory}, nil
}
