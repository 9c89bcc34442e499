package httpapi

import (
	"context"
	"net/http"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/experiment"
)

// auditReader lists the writes that were made.
type auditReader interface {
	// ListAudit returns a page and the cursor of the next one, "" on the last.
	ListAudit(ctx context.Context, cursor string, limit int) ([]experiment.AuditEntry, string, error)
}

// auditRoutes serve the audit log, which [accounting] keeps.
type auditRoutes struct {
	clock   clock
	entries auditReader
}

func (l auditRoutes) add(a *registrar) {
	op := call(http.MethodGet, "/audit", "list-audit", "operation", "List the audit log")
	op.Description = "All write calls, newest first."
	register(a, op, l.list)
}

type auditOutput struct {
	Body api.Page[experiment.AuditEntry]
}

func (l auditRoutes) list(ctx context.Context, in *struct{ PageQuery }) (*auditOutput, error) {
	asOf, last, err := moment(ctx, l.clock)
	if err != nil {
		return nil, err
	}
	entries, next, err := l.entries.ListAudit(ctx, in.Cursor, in.Limit)
	if err != nil {
		return nil, err
	}
	return &auditOutput{api.Page[experiment.AuditEntry]{Items: orEmpty(entries), Next: next, AsOf: asOf, LastEventID: last}}, nil
}
