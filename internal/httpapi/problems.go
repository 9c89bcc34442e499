package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/experiment"
)

// huma has only package-level hooks for these.
func init() {
	huma.NewError = func(status int, message string, errs ...error) huma.StatusError {
		fields := fieldErrors(errs)
		if len(fields) > 0 {
			message = summary(fields)
		}
		return api.NewProblem(status, message, fields...)
	}
	huma.ValidateStrictCasing = true
	huma.DefaultArrayNullable = false
}

// fieldErrors turns huma's findings into ours. Values of a body are left out:
// they may be secrets.
func fieldErrors(errs []error) []api.FieldError {
	var fields []api.FieldError
	for _, err := range errs {
		detailer, ok := err.(huma.ErrorDetailer)
		if !ok {
			if err != nil {
				fields = append(fields, api.FieldError{Message: err.Error()})
			}
			continue
		}
		d := detailer.ErrorDetail()
		field := api.FieldError{Location: d.Location, Message: d.Message}
		if d.Location != "body" && !strings.HasPrefix(d.Location, "body.") {
			field.Value = d.Value
		}
		fields = append(fields, field)
	}
	return fields
}

// problem turns an error of a handler into the answer that tells it. It is the
// one place that knows which error has which status.
func (a *registrar) problem(ctx context.Context, err error) error {
	if p, ok := errors.AsType[*api.Problem](err); ok {
		return p
	}
	if faults, ok := errors.AsType[*experiment.Problems](err); ok {
		return refusedPlan(faults)
	}
	if refusal, ok := errors.AsType[*experiment.Refusal](err); ok {
		return api.NewProblem(http.StatusConflict, refusal.Error())
	}
	switch {
	case errors.Is(err, experiment.ErrNotFound):
		return api.NewProblem(http.StatusNotFound, err.Error())
	case errors.Is(err, experiment.ErrNotEnded):
		return api.NewProblem(http.StatusConflict, err.Error())
	case errors.Is(err, experiment.ErrUnavailable):
		return api.NewProblem(http.StatusServiceUnavailable, err.Error())
	case errors.Is(err, experiment.ErrBusy):
		return api.NewProblem(http.StatusConflict, err.Error()+"; cancel the experiment, wait until it has been destroyed, then try again")
	case errors.Is(err, experiment.ErrKeyReused):
		return invalid(api.FieldError{Location: "header." + keyHeader, Message: err.Error() + "; use a new key for a new request"})
	case errors.Is(err, experiment.ErrCursor):
		return invalid(api.FieldError{Location: "query.cursor", Message: err.Error()})
	}
	if ctx.Err() == nil { // else the caller has gone, and nobody reads the answer
		a.log.ErrorContext(ctx, "a request failed", slog.String("operation", operationOf(ctx)), slog.Any("error", err))
	}
	return api.NewProblem(http.StatusInternalServerError, "Internal error; the server's log has the reason.")
}

// invalid is the problem of a request with wrong fields.
func invalid(fields ...api.FieldError) *api.Problem {
	return api.NewProblem(http.StatusUnprocessableEntity, summary(fields), fields...)
}

// summary tells what is wrong with fields in one line.
func summary(fields []api.FieldError) string {
	parts := make([]string, len(fields))
	for i, field := range fields {
		parts[i] = strings.TrimPrefix(field.Location+": "+field.Message, ": ")
	}
	return strings.Join(parts, "; ")
}

// refusedPlan tells all faults of a plan.
func refusedPlan(faults *experiment.Problems) *api.Problem {
	var fields []api.FieldError
	for _, fault := range *faults {
		location := "body"
		if fault.Path != "" {
			location += "." + fault.Path
		}
		fields = append(fields, api.FieldError{Location: location, Message: fault.Message})
	}
	return api.NewProblem(http.StatusUnprocessableEntity, "The plan was refused: "+strings.ReplaceAll(faults.Error(), "\n", "; "), fields...)
}

// writeProblem answers outside of huma.
func writeProblem(w http.ResponseWriter, p *api.Problem) {
	data, err := json.Marshal(p)
	if err != nil { // a value of a query is text, so this does not happen
		http.Error(w, p.Detail, p.Status)
		return
	}
	w.Header().Set("Content-Type", api.ProblemType)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(p.Status)
	_, _ = w.Write(data) // the caller may have gone
}
