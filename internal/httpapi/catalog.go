package httpapi

import (
	"context"
	"net/http"

	"dec.local/dec/internal/api"
)

// cataloger knows what can be compared here.
type cataloger interface {
	Catalog(ctx context.Context) (api.Catalog, error)
}

// catalogRoutes serve the catalog.
type catalogRoutes struct{ planner cataloger }

func (c catalogRoutes) add(a *registrar) {
	op := call(http.MethodGet, "/catalog", "get-catalog", "catalog", "Get the catalog")
	op.Description = "Technologies with their stacks, and targets: whether each is available, and if not, why and how to fix it. " +
		"Options and plans as JSON Schema."
	register(a, op, c.get)
}

type catalogOutput struct{ Body api.Catalog }

func (c catalogRoutes) get(ctx context.Context, _ *struct{}) (*catalogOutput, error) {
	catalog, err := c.planner.Catalog(ctx)
	if err != nil {
		return nil, err
	}
	return &catalogOutput{catalog}, nil
}
