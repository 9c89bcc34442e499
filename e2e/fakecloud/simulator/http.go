package simulator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"dec.local/dec/e2e/fakecloud/cloud"
)

// maxBody is how many bytes a call may have.
const maxBody = 64 << 20

// call is a call while it is answered.
type call struct {
	request *http.Request
	entry   cloud.Entry       // as the log has it
	faults  []cloud.FaultName // that have happened to it
	body    cloud.Creation    // of a create
}

// routes are all calls. Life is the context of everything that goes on after a
// call has ended.
func (s *simulator) routes(life context.Context) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("POST /v1/objects", s.handle(cloud.ActionCreate, func(c *call) (int, any, error) { return s.create(life, c) }))
	mux.Handle("GET /v1/operations/{id}", s.handle(cloud.ActionRead, s.operation))
	mux.Handle("GET /v1/objects", s.handle(cloud.ActionList, func(*call) (int, any, error) { return http.StatusOK, s.list(), nil }))
	mux.Handle("GET /v1/objects/{id}", s.handle(cloud.ActionRead, s.read))
	mux.Handle("GET /v1/objects/{id}/usage", s.handle(cloud.ActionRead, s.usage))
	mux.Handle("GET /v1/objects/{id}/logs", s.handle(cloud.ActionRead, s.logs))
	mux.Handle("GET /v1/objects/{id}/logs/{name}", s.handle(cloud.ActionRead, s.logEnd))
	mux.Handle("DELETE /v1/objects/{id}", s.handle(cloud.ActionDelete, func(c *call) (int, any, error) { return s.delete(life, c) }))
	mux.Handle("POST /v1/sessions", s.handle(cloud.ActionSession, s.session))
	mux.HandleFunc("PUT /v1/faults", s.setFaults)
	return mux
}

// handle serves one kind of call: who calls, what is said of it in the log, which
// faults meet it, and the answer.
func (s *simulator) handle(action cloud.Action, answer func(*call) (int, any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c := &call{request: r, entry: cloud.Entry{Event: cloud.EventCall, Action: action, Caller: cloud.CallerOf(r)}}
		err := s.subject(c)
		issued, keyErr := s.authenticate(c)
		n, logErr := s.log.write(c.entry)
		c.entry.N = n
		if err = errors.Join(err, keyErr, logErr); err == nil {
			err = s.refusal(c, issued)
		}
		var status int
		var content any
		if err == nil {
			status, content, err = answer(c)
		}
		s.respond(w, c, status, content, err)
	}
}

// respond answers and writes it down, before the caller can know it.
func (s *simulator) respond(w http.ResponseWriter, c *call, status int, content any, err error) {
	var refused *cloud.Error
	if err != nil {
		var ok bool
		if refused, ok = errors.AsType[*cloud.Error](err); !ok {
			refused = &cloud.Error{Status: http.StatusInternalServerError, Code: cloud.CodeInternal, Message: err.Error()}
		}
		status, content = refused.Status, refused
	}
	_, _ = s.log.write(c.answer(status, refused)) // a full disk shows in the caller's next call
	writeJSON(w, status, content)
}

func writeJSON(w http.ResponseWriter, status int, content any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(content) // a caller that has gone
}

// statuses are those of the codes.
var statuses = map[cloud.Code]int{
	cloud.CodeNotFound: http.StatusNotFound, cloud.CodeInvalid: http.StatusBadRequest, cloud.CodeThrottling: http.StatusTooManyRequests,
	cloud.CodeDependency: http.StatusConflict, cloud.CodeDenied: http.StatusForbidden, cloud.CodeExpired: http.StatusForbidden,
	cloud.CodeInternal: http.StatusInternalServerError,
}

// refuse is an error that refuses a call.
func refuse(code cloud.Code, format string, args ...any) error {
	return &cloud.Error{Status: statuses[code], Code: code, Message: fmt.Sprintf(format, args...)}
}

// subject finds out what a call is about.
func (s *simulator) subject(c *call) error {
	if c.entry.Action == cloud.ActionCreate {
		if err := decode(c.request, &c.body); err != nil {
			return err
		}
		c.entry.Kind, c.entry.Name, c.entry.Tags = c.body.Kind, c.body.Name, c.body.Tags
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	id := c.request.PathValue("id")
	r := s.records[id]
	if r == nil {
		r = s.byOperation(id)
	}
	if r != nil {
		c.entry.Kind, c.entry.ID, c.entry.Name, c.entry.Tags = r.Kind, r.ID, r.Name, r.Tags
	} else {
		c.entry.ID = id
	}
	return nil
}

func decode(r *http.Request, into any) error {
	data, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	if err == nil {
		err = json.Unmarshal(data, into)
	}
	if err != nil {
		return refuse(cloud.CodeInvalid, "the body is not what it must be: %v", err)
	}
	return nil
}

// refusals are the faults that refuse a call, and with what.
var refusals = []struct {
	fault   cloud.FaultName
	code    cloud.Code
	message string
}{
	{cloud.Throttle, cloud.CodeThrottling, "rate exceeded"},
	{cloud.Denied, cloud.CodeDenied, "the credential may not do this"},
	{cloud.Dependency, cloud.CodeDependency, "the object has a dependent object"},
	{cloud.Fail, cloud.CodeInternal, "an internal error occurred, try again later"},
}

// refusal is the error of a call that a fault refuses, or whose credential has
// expired.
func (s *simulator) refusal(c *call, issued time.Time) error {
	if age, on := s.faults.standing(cloud.Expire, c.entry.Action, c.entry.Kind, c.entry.Name); on && !issued.IsZero() && time.Since(issued) >= age {
		c.faults = append(c.faults, cloud.Expire)
		return refuse(cloud.CodeExpired, "the security token included in the request is expired")
	}
	for _, r := range refusals {
		if r.fault == cloud.Dependency && c.entry.Action != cloud.ActionDelete {
			continue
		}
		if _, injected := s.faults.inject(r.fault, c); injected {
			return refuse(r.code, "%s", r.message)
		}
	}
	return nil
}

// setFaults serves the administrator.
func (s *simulator) setFaults(w http.ResponseWriter, r *http.Request) {
	if bearer(r) != s.endpoint.Admin {
		writeJSON(w, http.StatusForbidden, &cloud.Error{Code: cloud.CodeDenied, Message: "faults are the administrator's"})
		return
	}
	var f cloud.Faults
	err := decode(r, &f)
	if err == nil {
		err = f.Validate()
	}
	if err != nil {
		writeJSON(w, http.StatusBadRequest, &cloud.Error{Code: cloud.CodeInvalid, Message: err.Error()})
		return
	}
	s.faults.replace(f)
	writeJSON(w, http.StatusOK, f)
}
