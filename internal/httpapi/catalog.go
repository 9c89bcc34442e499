package httpapi

import (
	"context"
	"net/http"

	"dec.local/dec/internal/api"
)

func (s *server) routeCatalog() {
	op := call(http.MethodGet, "/catalog", "get-catalog", "catalog", "What can be compared here")
	op.Description = "Technologies with their stacks and targets, each available or why not and what mends it; options and plans as JSON Schema."
	register(s, op, s.getCatalog)
}

type catalogOutput struct{ Body api.Catalog }

func (s *server) getCatalog(ctx context.Context, _ *struct{}) (*catalogOutput, error) {
	catalog, err := s.Planner.Catalog(ctx)
	if err != nil {
		return nil, err
	}
	return &catalogOutput{catalog}, nil
}
