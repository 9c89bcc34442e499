package httpapi

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"path"
	"runtime/debug"
	"strings"

	"dec.local/dec/internal/api"
)

// methods are those that some call may take.
var methods = []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}

// router is the handler of everything that the server answers.
type router struct {
	calls *http.ServeMux // those of the document, and the document
	plain *http.ServeMux // health, metrics and the page
	log   *slog.Logger
}

// ServeHTTP routes a request. Unlike the standard router it answers a wrong path
// or method with a problem, and never redirects to a cleaned path.
func (t *router) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	recorder := &recorder{ResponseWriter: w}
	defer t.recoverPanic(recorder, r)
	if !clean(r.URL) {
		writeProblem(recorder, api.NewProblem(http.StatusNotFound, "No such path."))
		return
	}
	r.Header.Del("Accept") // every call has one form of answer
	mux := t.plain
	if r.URL.Path == "/api" || strings.HasPrefix(r.URL.Path, "/api/") {
		mux = t.calls
	}
	if _, pattern := mux.Handler(r); pattern != "" {
		mux.ServeHTTP(recorder, r)
		return
	}
	if allowed := allowedMethods(mux, r); len(allowed) > 0 {
		list := strings.Join(allowed, ", ")
		recorder.Header().Set("Allow", list)
		writeProblem(recorder, api.NewProblem(http.StatusMethodNotAllowed, fmt.Sprintf("This path supports only %s.", list)))
		return
	}
	writeProblem(recorder, api.NewProblem(http.StatusNotFound, "No such path; /api/openapi.json lists all calls."))
}

// clean reports whether the path is written as the router wants it.
func clean(u *url.URL) bool {
	given := u.EscapedPath()
	want := path.Clean(given)
	return given == want || given == want+"/"
}

// allowedMethods asks the router for each method.
func allowedMethods(mux *http.ServeMux, r *http.Request) []string {
	var allowed []string
	probe := *r
	for _, method := range methods {
		probe.Method = method
		if _, pattern := mux.Handler(&probe); pattern != "" {
			allowed = append(allowed, method)
		}
	}
	return allowed
}

// recoverPanic answers for a handler that panicked, or cuts the answer off where
// it had begun.
func (t *router) recoverPanic(w *recorder, r *http.Request) {
	reason := recover()
	if reason == nil {
		return
	}
	if reason == http.ErrAbortHandler {
		panic(reason)
	}
	t.log.ErrorContext(r.Context(), "a handler panicked",
		slog.String("path", r.URL.Path), slog.Any("reason", reason), slog.String("stack", string(debug.Stack())))
	if w.status != 0 {
		panic(http.ErrAbortHandler)
	}
	writeProblem(w, api.NewProblem(http.StatusInternalServerError, "Internal error; the server's log has the reason."))
}

// recorder remembers whether an answer has begun.
type recorder struct {
	http.ResponseWriter
	status int // 0 before
}

// WriteHeader keeps the first status.
func (w *recorder) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write begins an answer with 200 like every ResponseWriter.
func (w *recorder) Write(data []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(data)
}

// Unwrap lets http.ResponseController find what w wraps.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }
