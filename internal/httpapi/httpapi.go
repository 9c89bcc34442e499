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

// New returns the handler of everything that the server answers. The guard's
// Wrap goes around it, with [Open] as its Open.
func New(o Options) (http.Handler, error) {
	if o.Store == nil || o.Engine == nil || o.Planner == nil || o.Evidence == nil || o.Inventory == nil || o.Guard == nil || o.Hub == nil {
		return nil, errors.New("the API needs a store, an engine, a planner, evidence, an inventory, a guard and a hub")
	}
	o = o.withDefaults()
	plain, err := newPlain(o)
	if err != nil {
		return nil, err
	}
	calls := http.NewServeMux()
	newRegistrar(o, calls).serveDocument(calls)
	return &router{calls: calls, plain: plain, log: o.Logger}, nil
}

func (o Options) withDefaults() Options {
	o.Logger = cmp.Or(o.Logger, slog.Default())
	if o.Metrics == nil {
		o.Metrics = NewMetrics()
	}
	return o
}

// newPlain routes what is beside the API: health, metrics and the page.
func newPlain(o Options) (*http.ServeMux, error) {
	page, err := newPage(o.UI)
	if err != nil {
		return nil, err
	}
	h := health{store: o.Store, log: o.Logger}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", h.live)
	mux.HandleFunc("GET /healthz", h.live)
	mux.HandleFunc("GET /readyz", h.ready)
	mux.Handle("GET /metrics", o.Metrics.handler(&totals{store: o.Store, hub: o.Hub, version: o.Version, log: o.Logger}))
	mux.HandleFunc("GET /", page)
	return mux, nil
}

// newRegistrar routes the calls of the API.
func newRegistrar(o Options, mux *http.ServeMux) *registrar {
	a := &registrar{api: newAPI(mux), log: o.Logger}
	a.api.UseMiddleware(accounting{metrics: o.Metrics, store: o.Store, log: o.Logger}.account, strict)
	live := liveRuns{expiries: o.Store, loads: o.Evidence, log: o.Logger}
	experiments := experimentReader{clock: o.Store, store: o.Store, live: live, planner: o.Planner}
	for _, group := range []interface{ add(*registrar) }{
		catalogRoutes{planner: o.Planner},
		experimentRoutes{reader: experiments, engine: o.Engine, store: o.Store, files: o.Evidence, log: o.Logger},
		submitRoutes{earlier: o.Store, planner: o.Planner, engine: o.Engine, experiments: experiments},
		comparisonRoutes{store: o.Store, options: o.Compare, version: o.Version, kept: o.Evidence},
		runRoutes{clock: o.Store, store: o.Store, live: live, engine: o.Engine},
		evidenceRoutes{clock: o.Store, store: o.Store, evidence: o.Evidence, packer: o.Evidence, log: o.Logger},
		eventRoutes{hub: o.Hub, log: o.Logger},
		inventoryRoutes{clock: o.Store, targets: o.Inventory},
		shutdownRoutes{drain: o.Store, runs: o.Store, planner: o.Planner, exit: o.Exit},
		sessionRoutes{guard: o.Guard, version: o.Version, install: o.Install},
		auditRoutes{clock: o.Store, entries: o.Store},
	} {
		group.add(a)
	}
	complete(a.api.OpenAPI())
	return a
}
