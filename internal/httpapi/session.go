package httpapi

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/guard"
)

const sessionPath = "/session"

// Open reports whether a call needs no token: health, the page's files, and the
// sign-in itself. It is for [guard.Options].
func Open(r *http.Request) bool {
	switch {
	case r.URL.Path == api.Prefix+sessionPath:
		return r.Method == http.MethodPost
	case r.URL.Path == "/metrics", r.URL.Path == "/api", strings.HasPrefix(r.URL.Path, "/api/"):
		return false
	}
	return r.Method == http.MethodGet || r.Method == http.MethodHead
}

// sessionRoutes sign browsers in and out.
type sessionRoutes struct {
	guard            *guard.Guard
	version, install string // of this server
}

func (s sessionRoutes) add(a *registrar) {
	op := call(http.MethodPost, sessionPath, "create-session", "operation", "Sign in a browser")
	op.Description = "Exchanges the token, or a one-time code that the server prints at its start, for a cookie."
	op.Security = []map[string][]string{{}} // anybody may try
	op.Metadata = map[string]any{auditAction: "session.create"}
	register(a, op, s.create)

	op = call(http.MethodGet, sessionPath, "get-session", "operation", "Get the current session")
	register(a, op, s.get)

	op = call(http.MethodDelete, sessionPath, "delete-session", "operation", "Sign out")
	op.Metadata = map[string]any{auditAction: "session.delete"}
	register(a, op, s.delete)
}

// signIn is the body of a sign-in: one of the two.
type signIn struct {
	Code  string `json:"code,omitempty" minLength:"1" maxLength:"256" doc:"One-time code."`
	Token string `json:"token,omitempty" minLength:"1" maxLength:"256" doc:"Token."`
}

// TransformSchema says that exactly one of the two is given.
func (signIn) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	s.MinProperties, s.MaxProperties = new(1), new(1)
	return s
}

type signInInput struct{ Body signIn }

type sessionOutput struct{ Body api.Session }

func (s sessionRoutes) create(ctx context.Context, in *signInInput) (*sessionOutput, error) {
	err := s.guard.SignIn(ctx, in.Body.Code, in.Body.Token)
	switch {
	case errors.Is(err, guard.ErrSignIn):
		return nil, api.NewProblem(http.StatusUnauthorized, err.Error())
	case errors.Is(err, guard.ErrTooMany):
		return nil, api.NewProblem(http.StatusTooManyRequests, err.Error())
	case err != nil:
		return nil, err
	}
	return s.get(ctx, nil)
}

func (s sessionRoutes) get(ctx context.Context, _ *struct{}) (*sessionOutput, error) {
	who, _ := guard.Who(ctx)
	return &sessionOutput{api.Session{
		Subject: who.Subject, Roles: []string{guard.Admin}, Via: who.Via, Version: s.version, Install: s.install,
	}}, nil
}

func (s sessionRoutes) delete(ctx context.Context, _ *struct{}) (*struct{}, error) {
	return nil, s.guard.SignOut(ctx)
}
