package httpapi

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"reflect"
	"slices"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
	"dec.local/dec/internal/planspec"
	"dec.local/dec/internal/stats"
)

const (
	jsonType    = "application/json"
	schemas     = "#/components/schemas/"
	auditAction = "audit" // metadata of operations that write
)

// Document returns the OpenAPI document, as JSON. It is the same for every
// server of this version.
func Document() ([]byte, error) {
	data, err := json.MarshalIndent(newRegistrar(Options{}.withDefaults(), http.NewServeMux()).api.OpenAPI(), "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write the OpenAPI document: %w", err)
	}
	return append(data, '\n'), nil
}

// newAPI makes an API without operations.
func newAPI(mux *http.ServeMux) huma.API {
	registry := huma.NewMapRegistry(schemas, schemaName)
	registry.RegisterTypeAlias(reflect.TypeFor[experiment.Plan](), reflect.TypeFor[planSchema]())
	return humago.New(mux, huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title:   "DEC",
				Version: "1",
				Description: "Compares data technologies: one POST provisions, loads, measures and destroys. " +
					"Errors are RFC 9457 problems that name the field. " +
					"Times are RFC 3339 in UTC; fields ending in _ns are nanoseconds, in _s seconds. " +
					"Health checks (/livez, /readyz) and Prometheus metrics (/metrics) are separate from this API.",
			},
			Components: &huma.Components{
				Schemas: registry,
				SecuritySchemes: map[string]*huma.SecurityScheme{
					"token": {
						Type: "http", Scheme: "bearer",
						Description: "The token in the server's data folder. " +
							"Browsers exchange it, or a one-time code, for a cookie: POST /api/v1/session.",
					},
				},
			},
			Security: []map[string][]string{{"token": {}}},
			Tags: []*huma.Tag{
				{Name: "catalog", Description: "Technologies, stacks and targets that can be used."},
				{Name: "experiments", Description: "Experiments with their plans, runs and verdicts."},
				{Name: "runs", Description: "Individual runs, their results and logs."},
				{Name: "events", Description: "Live events."},
				{Name: "operation", Description: "The server itself."},
			},
		},
		Formats:       map[string]huma.Format{jsonType: huma.DefaultJSONFormat, api.ProblemType: huma.DefaultJSONFormat},
		DefaultFormat: jsonType,
	})
}

// schemaName names the schemas of types whose names would be taken twice.
func schemaName(t reflect.Type, hint string) string {
	name := huma.DefaultSchemaNamer(t, hint)
	switch t {
	case reflect.TypeFor[measure.Result]():
		return "RunResult"
	}
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.PkgPath() {
	case reflect.TypeFor[experiment.Plan]().PkgPath():
		if slices.Contains([]string{"Resource", "Run", "Experiment"}, name) {
			return "Stored" + name
		}
	case reflect.TypeFor[stats.Comparison]().PkgPath():
		return "Stats" + name
	}
	return name
}

// planSchema stands for experiment.Plan, which has a schema of its own.
type planSchema struct{}

// Schema puts the plan's schema beside the others.
func (planSchema) Schema(r huma.Registry) *huma.Schema {
	if r.Map()["Plan"] == nil {
		var document map[string]any
		if err := json.Unmarshal(planspec.Schema(), &document); err != nil {
			panic("httpapi: the schema of a plan is not JSON: " + err.Error()) // a fault in package planspec
		}
		delete(document, "$schema")
		r.Map()["Plan"] = &huma.Schema{Extensions: document}
	}
	return &huma.Schema{Ref: schemas + "Plan"}
}

// registrar adds operations to the API.
type registrar struct {
	api huma.API
	log *slog.Logger // logs internal errors
}

// call begins the description of an operation.
func call(method, path, id, tag, summary string) huma.Operation {
	return huma.Operation{
		Method: method, Path: api.Prefix + path, OperationID: id, Summary: summary, Tags: []string{tag},
		BodyReadTimeout: -1, // the body has been read by then
		Responses:       map[string]*huma.Response{},
	}
}

// always are the statuses that every call may answer with: the guard's, a bad
// query, a fault of the server.
var always = []int{
	http.StatusUnauthorized, http.StatusForbidden,
	http.StatusUnprocessableEntity, http.StatusTooManyRequests, http.StatusInternalServerError,
	http.StatusServiceUnavailable,
}

// register adds an operation. Errors of the handler pass through [registrar.problem].
func register[I, O any](a *registrar, op huma.Operation, handle func(context.Context, *I) (*O, error)) {
	op.Errors = append(op.Errors, always...)
	if op.Method != http.MethodGet {
		op.Errors = append(op.Errors, http.StatusBadRequest, http.StatusRequestTimeout, http.StatusRequestEntityTooLarge)
	}
	if _, ok := reflect.TypeFor[I]().FieldByName("Body"); ok || op.RequestBody != nil {
		op.Errors = append(op.Errors, http.StatusUnsupportedMediaType)
	}
	slices.Sort(op.Errors)
	op.Errors = slices.Compact(op.Errors)
	huma.Register(a.api, op, func(ctx context.Context, in *I) (*O, error) {
		if named, ok := any(in).(interface{ object() string }); ok {
			requestOf(ctx).object = named.object()
		}
		out, err := handle(ctx, in)
		if err != nil {
			return nil, a.problem(ctx, err)
		}
		return out, nil
	})
}

// answer describes an answer that huma cannot derive.
func answer[T any](a *registrar, op *huma.Operation, status int, description string) {
	schema := a.api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[T](), true, "")
	op.Responses[strconv.Itoa(status)] = &huma.Response{
		Description: description,
		Content:     map[string]*huma.MediaType{jsonType: {Schema: schema}},
		Headers:     map[string]*huma.Param{},
	}
}

// text describes an answer that is not JSON.
func text(op *huma.Operation, mediaType, description string) {
	op.Responses["200"] = &huma.Response{
		Description: description,
		Content:     map[string]*huma.MediaType{mediaType: {Schema: &huma.Schema{Type: huma.TypeString}}},
	}
}

// complete adds what belongs to the document and to no operation alone.
func complete(document *huma.OpenAPI) {
	for _, t := range []reflect.Type{reflect.TypeFor[experiment.Event](), reflect.TypeFor[api.Snapshot](), reflect.TypeFor[api.Beat]()} {
		document.Components.Schemas.Schema(t, true, "") // the data of events, for clients
	}
}

// serveDocument serves the document.
func (a *registrar) serveDocument(mux *http.ServeMux) {
	serve := func(path, mediaType string, write func() ([]byte, error)) {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
			data, err := write()
			if err != nil {
				writeProblem(w, a.problem(r.Context(), err).(*api.Problem))
				return
			}
			w.Header().Set("Content-Type", mediaType)
			_, _ = w.Write(data) // the caller may have gone
		})
	}
	serve("/api/openapi.json", jsonType, func() ([]byte, error) { return json.Marshal(a.api.OpenAPI()) })
	serve("/api/openapi.yaml", "application/yaml", a.api.OpenAPI().YAML)
}
