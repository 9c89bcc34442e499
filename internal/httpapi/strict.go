package httpapi

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/guard"
)

// bodyTime is the time in which a body must have arrived. The guard bounds its
// size.
const bodyTime = 20 * time.Second

// strict refuses requests that huma would take although the document forbids
// them: queries with unknown, empty, repeated or loosely written parameters,
// text that no database stores, and bodies of another type.
func strict(ctx huma.Context, next func(huma.Context)) {
	r, w := humago.Unwrap(ctx)
	fields := checkQuery(r.URL.RawQuery, ctx.Operation())
	fields = append(fields, checkHeaders(r.Header, ctx.Operation())...)
	if len(fields) > 0 {
		writeProblem(w, invalid(fields...))
		return
	}
	if p := readBody(w, r, ctx.Operation()); p != nil {
		writeProblem(w, p)
		return
	}
	next(ctx)
}

// checkQuery holds a query against the parameters of an operation.
func checkQuery(raw string, op *huma.Operation) []api.FieldError {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return []api.FieldError{{Location: "query", Message: "is not a valid query: " + err.Error()}}
	}
	var fields []api.FieldError
	for _, name := range slices.Sorted(maps.Keys(values)) {
		refuse := func(message string) {
			fields = append(fields, api.FieldError{Location: "query." + strings.ToValidUTF8(name, "�"), Message: message})
		}
		param := findParam(op, "query", name)
		if param == nil {
			refuse(unknownParam(op))
			continue
		}
		list := param.Schema.Type == huma.TypeArray
		if len(values[name]) > 1 && !list {
			refuse("is given more than once; keep one of them")
			continue
		}
		for _, value := range values[name] {
			if message := refuseText(value, param.Schema); message != "" {
				refuse(message)
			}
		}
	}
	return fields
}

func unknownParam(op *huma.Operation) string {
	var known []string
	for _, p := range op.Parameters {
		if p.In == "query" {
			known = append(known, p.Name)
		}
	}
	if len(known) == 0 {
		return "unknown query parameter; this call takes none"
	}
	return "unknown query parameter; known parameters: " + strings.Join(known, ", ")
}

func findParam(op *huma.Operation, in, name string) *huma.Param {
	for _, p := range op.Parameters {
		if p.In == in && p.Name == name {
			return p
		}
	}
	return nil
}

// integer is how JSON writes one; ParseInt takes more.
var integer = regexp.MustCompile(`^(0|-?[1-9][0-9]{0,18})$`)

// refuseText says why a parameter's text is not accepted, or "".
func refuseText(text string, schema *huma.Schema) string {
	switch {
	case text == "":
		return "is empty; omit it"
	case !utf8.ValidString(text):
		return "is not UTF-8 text"
	case strings.ContainsFunc(text, unicode.IsControl):
		return "contains a control character"
	case schema.Type == huma.TypeInteger && !integer.MatchString(text):
		return "is not a whole number"
	case schema.Type == huma.TypeBoolean && text != "true" && text != "false":
		return "is not true or false"
	}
	return ""
}

// checkHeaders holds the headers that an operation knows against its rules for
// texts.
func checkHeaders(header http.Header, op *huma.Operation) []api.FieldError {
	var fields []api.FieldError
	for _, p := range op.Parameters {
		if p.In != "header" {
			continue
		}
		values := header.Values(p.Name)
		message := ""
		if len(values) > 1 {
			message = "is given more than once; keep one of them"
		} else if len(values) == 1 {
			message = refuseText(values[0], p.Schema)
		}
		if message != "" {
			fields = append(fields, api.FieldError{Location: "header." + p.Name, Message: message})
		}
	}
	return fields
}

// readBody reads the whole body, so that what is wrong with it has its own
// status, and puts it back for the handler.
func readBody(w http.ResponseWriter, r *http.Request, op *huma.Operation) *api.Problem {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return nil
	}
	controller := http.NewResponseController(w)
	_ = controller.SetReadDeadline(time.Now().Add(bodyTime)) // a recorder has none
	data, err := io.ReadAll(r.Body)
	_ = controller.SetReadDeadline(time.Time{})
	if err != nil {
		return bodyProblem(err)
	}
	r.Body = io.NopCloser(bytes.NewReader(data))
	if op.RequestBody == nil {
		if len(data) > 0 {
			return invalid(api.FieldError{Location: "body", Message: "this call takes no body"})
		}
		return nil
	}
	if len(data) == 0 {
		if op.SkipValidateBody {
			r.Body = io.NopCloser(strings.NewReader("\n")) // else huma refuses it, before the handler says what is missing
			return nil
		}
		if op.RequestBody.Required {
			return api.NewProblem(http.StatusBadRequest, "The body is empty; this call requires a body.")
		}
		return nil
	}
	if p := checkType(r.Header, op.RequestBody); p != nil {
		return p
	}
	if op.SkipValidateBody {
		return nil // the handler is as strict, and says more
	}
	return checkNulls(data)
}

// checkNulls refuses members that are null, which no body takes: huma lets them
// pass as if they were absent.
func checkNulls(data []byte) *api.Problem {
	var members map[string]any
	if json.Unmarshal(data, &members) != nil {
		return nil // huma says why
	}
	var fields []api.FieldError
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if members[name] == nil {
			fields = append(fields, api.FieldError{Location: "body." + name, Message: "is null; omit it"})
		}
	}
	if len(fields) == 0 {
		return nil
	}
	return invalid(fields...)
}

func bodyProblem(err error) *api.Problem {
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return api.NewProblem(http.StatusRequestEntityTooLarge, guard.TooLarge(tooLarge.Limit))
	}
	if timeout, ok := errors.AsType[interface {
		error
		Timeout() bool
	}](err); ok && timeout.Timeout() {
		return api.NewProblem(http.StatusRequestTimeout, "The body did not arrive in time; send it again.")
	}
	return api.NewProblem(http.StatusBadRequest, "The body could not be read; send it again.")
}

// checkType refuses bodies of a type that the operation does not take. JSON is
// assumed where the caller does not say.
func checkType(header http.Header, body *huma.RequestBody) *api.Problem {
	given := cmp.Or(header.Get("Content-Type"), jsonType)
	known := slices.Sorted(maps.Keys(body.Content))
	kind, params, err := mime.ParseMediaType(given)
	charset := strings.ToLower(cmp.Or(params["charset"], "utf-8"))
	if err != nil || !slices.Contains(known, kind) || charset != "utf-8" {
		return api.NewProblem(http.StatusUnsupportedMediaType, "The body's content type is not supported; send "+strings.Join(known, " or ")+".")
	}
	header.Set("Content-Type", kind)
	return nil
}
