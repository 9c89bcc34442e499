package httpapi_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/httpapi"
)

// answer is an answer that is as the document says.
type answer struct {
	*testing.T
	status int
	header http.Header
	body   []byte
}

// call makes a call with a JSON body, if any, and holds the answer against the
// document. Headers are given in pairs.
func (w *fixture) call(method, path, body string, headers ...string) answer {
	w.Helper()
	request, err := http.NewRequestWithContext(w.Context(), method, w.server.URL+path, strings.NewReader(body))
	if err != nil {
		w.Fatal(err)
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	if w.token != "" {
		request.Header.Set("Authorization", "Bearer "+w.token)
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	return w.send(request)
}

func (w *fixture) send(request *http.Request) answer {
	w.Helper()
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		w.Fatal(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		w.Fatal(err)
	}
	a := answer{w.T, response.StatusCode, response.Header, data}
	if err := documented(request, a); err != nil {
		w.Fatalf("%s %s answers %d %s\nnot as documented: %v", request.Method, request.URL, a.status, data, err)
	}
	return a
}

// get, post and delete are the calls of most tests.
func (w *fixture) get(path string) answer        { w.Helper(); return w.call("GET", path, "") }
func (w *fixture) post(path, body string) answer { w.Helper(); return w.call("POST", path, body) }
func (w *fixture) delete(path string) answer     { w.Helper(); return w.call("DELETE", path, "") }

// is fails the test unless the answer has the status.
func (a answer) is(status int) answer {
	a.Helper()
	if a.status != status {
		a.Fatalf("status = %d, want %d: %s", a.status, status, a.body)
	}
	return a
}

// refused fails the test unless the answer is a problem with the status that
// names exactly these fields.
func (a answer) refused(status int, locations ...string) api.Problem {
	a.Helper()
	a.is(status)
	p := decode[api.Problem](a)
	var got []string
	for _, field := range p.Errors {
		got = append(got, field.Location)
		if field.Message == "" {
			a.Errorf("%s has no message", field.Location)
		}
	}
	if diff := cmp.Diff(locations, got); diff != "" || p.Status != status || p.Detail == "" || p.Title != http.StatusText(status) {
		a.Fatalf("problem %s\n%s", a.body, diff)
	}
	return p
}

func decode[T any](a answer) T {
	a.Helper()
	var v T
	decoder := json.NewDecoder(bytes.NewReader(a.body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&v); err != nil {
		a.Fatalf("decode %s: %v", a.body, err)
	}
	return v
}

func toJSON(data []byte) ([]byte, error) {
	var value any
	if err := yaml.Unmarshal(data, &value); err != nil {
		return nil, err
	}
	return json.Marshal(value)
}

// document is the OpenAPI document with its schemas.
var document = sync.OnceValues(func() (*schemas, error) {
	data, err := httpapi.Document()
	if err != nil {
		return nil, err
	}
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	s := &schemas{document: parsed.(map[string]any), compiler: jsonschema.NewCompiler(), known: map[string]*jsonschema.Schema{}}
	s.compiler.AssertFormat()
	return s, s.compiler.AddResource(documentURL, parsed)
})

const documentURL = "mem:///openapi.json"

type schemas struct {
	document map[string]any

	mu       sync.Mutex // protects what follows
	compiler *jsonschema.Compiler
	known    map[string]*jsonschema.Schema
}

// at returns the schema at a path of the document.
func (s *schemas) at(path ...string) (*jsonschema.Schema, error) {
	escape := strings.NewReplacer("~", "~0", "/", "~1")
	pointer := ""
	for _, part := range path {
		pointer += "/" + escape.Replace(part)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if known, ok := s.known[pointer]; ok {
		return known, nil
	}
	compiled, err := s.compiler.Compile(documentURL + "#" + strings.NewReplacer("{", "%7B", "}", "%7D").Replace(pointer))
	if err == nil {
		s.known[pointer] = compiled
	}
	return compiled, err
}

// template returns the path of the document that a path is one of.
func (s *schemas) template(path string) string {
	for template := range s.document["paths"].(map[string]any) {
		expression := regexp.MustCompile(`\\\{[a-z]+\\\}`).ReplaceAllString(regexp.QuoteMeta(template), "[^/]+")
		if regexp.MustCompile("^" + expression + "$").MatchString(path) {
			return template
		}
	}
	return ""
}

// documented holds an answer against the document.
func documented(request *http.Request, a answer) error {
	s, err := document()
	if err != nil {
		return err
	}
	kind, _, err := mime.ParseMediaType(a.header.Get("Content-Type"))
	template := s.template(request.URL.EscapedPath())
	method := strings.ToLower(request.Method)
	if method == "head" {
		method = "get" // which is what it stands for
	}
	operation, ok := valueAt(s.document, "paths", template, method)
	if !ok {
		return undocumented(request.URL.Path, kind, a)
	}
	if a.status == http.StatusNoContent {
		kind = ""
	} else if err != nil {
		return fmt.Errorf("no media type: %w", err)
	}
	response, ok := valueAt(operation, "responses", strconv.Itoa(a.status))
	if !ok {
		return fmt.Errorf("the status is not documented")
	}
	content, _ := valueAt(response, "content")
	if kind == "" && content == nil && len(a.body) == 0 {
		return nil
	}
	if _, ok := valueAt(content, kind); !ok {
		return fmt.Errorf("the type %q is not documented", kind)
	}
	if !strings.HasSuffix(kind, "json") || request.Method == "HEAD" {
		return nil
	}
	schema, err := s.at("paths", template, method, "responses", strconv.Itoa(a.status), "content", kind, "schema")
	if err != nil {
		return err
	}
	return validate(schema, a.body)
}

// undocumented holds an answer beside the document against what it may be.
func undocumented(path, kind string, a answer) error {
	if !strings.HasPrefix(path, "/api/v1") || kind == "" {
		return nil
	}
	if kind != api.ProblemType {
		return fmt.Errorf("an undocumented path answers %q", kind)
	}
	return nil
}

func validate(schema *jsonschema.Schema, data []byte) error {
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return err
	}
	return schema.Validate(value)
}

// valueAt returns the value at a path of nested objects.
func valueAt(value any, path ...string) (any, bool) {
	for _, name := range path {
		object, ok := value.(map[string]any)
		if !ok {
			return nil, false
		}
		if value, ok = object[name]; !ok {
			return nil, false
		}
	}
	return value, true
}
