package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"dec.local/dec/internal/guard"
)

// request is what a call leaves for those who account for it.
type request struct {
	operation string
	object    string // id of what was written
	skipAudit bool   // nothing was written after all
	after     func() // runs when the answer has been written; may be nil
}

type requestKey struct{}

// requestOf returns the request that a handler works for.
func requestOf(ctx context.Context) *request {
	if r, ok := ctx.Value(requestKey{}).(*request); ok {
		return r
	}
	return new(request) // called by a test of its own
}

func operationOf(ctx context.Context) string { return requestOf(ctx).operation }

// account counts a call, audits it if it writes, and does what must follow the
// answer.
func (s *server) account(ctx huma.Context, next func(huma.Context)) {
	op := ctx.Operation()
	state := &request{operation: op.OperationID}
	done := s.metrics.begin(op.OperationID)
	r, w := humago.Unwrap(ctx)
	status := http.StatusInternalServerError // of a handler that panics
	defer func() {
		done(status)
		if action, ok := op.Metadata[auditAction].(string); ok && !state.skipAudit {
			s.audit(r, state, action, status)
		}
	}()
	next(huma.WithValue(ctx, requestKey{}, state))
	status = http.StatusOK
	if recorder, ok := w.(*recorder); ok && recorder.status != 0 {
		status = recorder.status
	}
	if state.after != nil {
		state.after()
	}
}

// caller names who makes the call.
func caller(ctx context.Context) string {
	if who, ok := guard.Who(ctx); ok {
		return who.Subject
	}
	return "nobody"
}
