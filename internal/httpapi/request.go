package httpapi

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"dec.local/dec/internal/experiment"
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

// auditTime is how long an entry may take to be stored.
const auditTime = 5 * time.Second

// auditWriter keeps who made a write, and when.
type auditWriter interface {
	Audit(ctx context.Context, e experiment.AuditEntry) error
	// Now is the time of the database.
	Now(ctx context.Context) (time.Time, error)
}

// accounting keeps the metrics and the audit log of calls.
type accounting struct {
	metrics *Metrics
	store   auditWriter
	log     *slog.Logger
}

// account counts a call, audits it if it writes, and does what must follow the
// answer.
func (a accounting) account(ctx huma.Context, next func(huma.Context)) {
	op := ctx.Operation()
	state := &request{operation: op.OperationID}
	done := a.metrics.begin(op.OperationID)
	r, w := humago.Unwrap(ctx)
	status := http.StatusInternalServerError // of a handler that panics
	defer func() {
		done(status)
		if action, ok := op.Metadata[auditAction].(string); ok && !state.skipAudit {
			a.audit(r, state, action, status)
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

// audit stores who made a write. The caller may have gone by now, and the entry
// is stored all the same.
func (a accounting) audit(r *http.Request, state *request, action string, status int) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), auditTime)
	defer cancel()
	now, err := a.store.Now(ctx)
	if err == nil {
		err = a.store.Audit(ctx, experiment.AuditEntry{
			At: now.UTC(), By: caller(r.Context()), Action: action, Object: state.object, Status: status, Remote: r.RemoteAddr,
		})
	}
	if err != nil {
		a.log.ErrorContext(ctx, "cannot write to the audit log",
			slog.String("action", action), slog.String("object", state.object), slog.Any("error", err))
	}
}

// caller names who makes the call.
func caller(ctx context.Context) string {
	if who, ok := guard.Who(ctx); ok {
		return who.Subject
	}
	return "nobody"
}
