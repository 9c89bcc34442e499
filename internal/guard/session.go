package guard

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/alexedwards/scs/v2"
)

// The keys of a session's values.
const (
	keySubject    = "subject"
	keyGeneration = "generation"
)

// The reasons why a sign-in fails.
var (
	ErrSignIn = errors.New("the code or token is not valid: a code works once, within 10 minutes; use the newest one that the server printed, " +
		"or the token in DATA/token")
	ErrTooMany = errors.New("too many failed sign-ins from this address: try again in a minute")
)

func (g *Guard) newSessions() *scs.SessionManager {
	s := scs.New()
	s.Store = g.o.Sessions
	s.HashTokenInStore = true
	s.Lifetime = sessionLife
	// Cookies are kept by host whatever the port, and several servers may be on one
	// machine, each with a token of its own.
	s.Cookie.Name = "dec_" + g.generation()
	s.Cookie.SameSite = http.SameSiteStrictMode
	s.Cookie.HttpOnly = true
	if g.https {
		s.Cookie.Secure = true
		s.Cookie.Name = "__Host-" + s.Cookie.Name
	}
	s.ErrorFunc = func(w http.ResponseWriter, r *http.Request, err error) {
		if r.Context().Err() == nil {
			g.o.Logger.Error("cannot load or save a session", "error", err)
		}
		problem(w, http.StatusServiceUnavailable, "Sessions cannot be read now; try again.")
	}
	return s
}

// SignIn makes the session of an open call that of the admin: its answer will
// carry the cookie. Either the one-time code or the token is given, the other is
// "". The error is [ErrSignIn], [ErrTooMany], or why the session could not be
// made.
func (g *Guard) SignIn(ctx context.Context, code, token string) error {
	c := of(ctx)
	if !c.session {
		return errors.New("sign in: the request has no session; its route must be open, and a write")
	}
	if !g.valid(code, token) {
		if !g.failures.allow(network(c.remote)) {
			return ErrTooMany
		}
		g.o.Logger.Warn("a sign-in failed", "remote", c.remote)
		return ErrSignIn
	}
	if err := g.sessions.RenewToken(ctx); err != nil { // the old token is no longer valid
		return fmt.Errorf("sign in: %w", err)
	}
	g.sessions.Put(ctx, keySubject, Admin)
	g.sessions.Put(ctx, keyGeneration, g.generation())
	c.caller, c.known = Caller{Subject: Admin, Via: ViaCookie}, true
	return nil
}

func (g *Guard) valid(code, token string) bool {
	switch {
	case (code == "") == (token == ""):
		return false
	case code != "":
		return g.codes.use(code)
	default:
		return g.known(token)
	}
}

// SignOut ends the session of the call; a call by token has none, and nothing
// happens.
func (g *Guard) SignOut(ctx context.Context) error {
	if !of(ctx).session {
		return nil
	}
	if err := g.sessions.Destroy(ctx); err != nil {
		return fmt.Errorf("sign out: %w", err)
	}
	return nil
}

// NewCode returns a code that signs one browser in within 10 minutes.
func (g *Guard) NewCode() string { return g.codes.add() }
