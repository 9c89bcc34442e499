package httpapi

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/experiment"
)

// auditTime is how long an entry may take to be stored.
const auditTime = 5 * time.Second

func (s *server) routeAudit() {
	op := call(http.MethodGet, "/audit", "list-audit", "operation", "Who did what")
	op.Description = "Every write, the newest first."
	register(s, op, s.listAudit)
}

type auditOutput struct {
	Body api.Page[experiment.AuditEntry]
}

func (s *server) listAudit(ctx context.Context, in *struct{ PageQuery }) (*auditOutput, error) {
	asOf, last, err := s.moment(ctx)
	if err != nil {
		return nil, err
	}
	entries, next, err := s.Store.ListAudit(ctx, in.Cursor, in.Limit)
	if err != nil {
		return nil, err
	}
	return &auditOutput{api.Page[experiment.AuditEntry]{Items: orEmpty(entries), Next: next, AsOf: asOf, LastEventID: last}}, nil
}

// moment is the time of the database and the last event, to be read before what
// they describe.
func (s *server) moment(ctx context.Context) (time.Time, int64, error) {
	last, err := s.Store.LastEvent(ctx)
	if err != nil {
		return time.Time{}, 0, err
	}
	now, err := s.Store.Now(ctx)
	return now.UTC(), last, err
}

// audit stores who made a write. The caller may have gone by now, and the entry
// is stored all the same.
func (s *server) audit(r *http.Request, state *request, action string, status int) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), auditTime)
	defer cancel()
	now, err := s.Store.Now(ctx)
	if err == nil {
		err = s.Store.Audit(ctx, experiment.AuditEntry{
			At: now.UTC(), By: caller(r.Context()), Action: action, Object: state.object, Status: status, Remote: r.RemoteAddr,
		})
	}
	if err != nil {
		s.logger().ErrorContext(ctx, "a write is not in the audit log", slog.String("action", action), slog.String("object", state.object), slog.Any("error", err))
	}
}

// orEmpty keeps null out of JSON.
func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
