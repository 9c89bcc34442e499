package httpapi

import (
	"context"
	"net/http"
	"slices"

	"dec.local/dec/internal/api"
)

func (s *server) routeInventory() {
	op := call(http.MethodGet, "/inventory", "get-inventory", "operation", "What exists on the targets for this install")
	op.Description = "Asked of the targets themselves, not of the database."
	register(s, op, s.getInventory)
}

type inventoryOutput struct{ Body api.Inventory }

func (s *server) getInventory(ctx context.Context, _ *struct{}) (*inventoryOutput, error) {
	asOf, _, err := s.moment(ctx)
	if err != nil {
		return nil, err
	}
	targets, err := s.Inventory.Inventory(ctx)
	if err != nil {
		return nil, err
	}
	inventory := api.Inventory{AsOf: asOf, Targets: orEmpty(slices.Clone(targets))}
	for i := range inventory.Targets {
		inventory.Targets[i].Objects = orEmpty(inventory.Targets[i].Objects)
	}
	return &inventoryOutput{inventory}, nil
}
