// Package httpapi is DEC's HTTP API: every route, the OpenAPI 3.1 document of
// them, and errors as RFC 9457 problems with the path of the field. Who may call
// is decided in front of it, by internal/guard; what happens is told by
// internal/stream.
package httpapi

import (
	"cmp"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"dec.local/dec/internal/comparison"
	"dec.local/dec/internal/guard"
	"dec.local/dec/internal/stream"
)

// Options configures the API. Store, Engine, Planner, Evidence, Inventory, Guard and
// Hub are required.
type Options struct {
	Store     Store
	Engine    Engine
	Planner   Planner
	Evidence  Evidence
	Inventory Inventory
	Guard     *guard.Guard // signs in and out; it must stand in front of the handler, too
	Hub       *stream.Hub
	UI        fs.FS    // the built page; nil serves a line of text in its place
	Exit      func()   // begins to end the process after a granted drain, and must not block; nil: it is refused to exit
	Metrics   *Metrics // of [NewMetrics], for those who feed it; a new one if nil
	Version   string
	Compare   comparison.Options // how runs are compared
	Install   string             // names this install to clients
	Logger    *slog.Logger       // slog.Default() if nil
}

// server holds what the routes need.
type server struct {
	Options
	api     huma.API
	calls   *http.ServeMux // those of the document
	plain   *http.ServeMux // health, metrics and the page
	metrics *Metrics
}

// New returns the handler of everything that the server answers. The guard's
// Wrap goes around it, with [Open] as its Open.
func New(o Options) (http.Handler, error) {
	if o.Store == nil || o.Engine == nil || o.Planner == nil || o.Evidence == nil || o.Inventory == nil || o.Guard == nil || o.Hub == nil {
		return nil, errors.New("the API needs a store, an engine, a planner, evidence, an inventory, a guard and a hub")
	}
	s := newServer(o)
	if err := s.servePlain(); err != nil {
		return nil, err
	}
	return s, nil
}

func newServer(o Options) *server {
	s := &server{Options: o, calls: http.NewServeMux(), plain: http.NewServeMux(), metrics: o.Metrics}
	if s.metrics == nil {
		s.metrics = NewMetrics()
	}
	s.api = newAPI(s.calls)
	s.api.UseMiddleware(s.account, s.strict)
	for _, routes := range []func(){
		s.routeCatalog, s.routeExperiments, s.routeComparisons, s.routeRuns, s.routeEvidence,
		s.routeEvents, s.routeInventory, s.routeShutdown, s.routeSession, s.routeAudit,
	} {
		routes()
	}
	complete(s.api.OpenAPI())
	s.serveDocument()
	return s
}

func (s *server) logger() *slog.Logger { return cmp.Or(s.Logger, slog.Default()) }
