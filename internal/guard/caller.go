package guard

import (
	"context"
	"crypto/rand"
	"net"
	"net/http"
)

// Caller is who makes a call.
type Caller struct {
	Subject string // [Admin]
	Via     string // [ViaToken] or [ViaCookie]
}

// call is what the guard knows of the request at hand.
type call struct {
	nonce   string
	remote  string // address, without port
	caller  Caller
	known   bool // caller is set
	session bool // the context has a session, perhaps an empty one
}

type callKey struct{}

// begin returns r with a call in its context.
func begin(r *http.Request) *http.Request {
	remote, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		remote = r.RemoteAddr
	}
	c := &call{nonce: rand.Text(), remote: remote}
	return r.WithContext(context.WithValue(r.Context(), callKey{}, c))
}

// of returns the call of a context; an empty one outside [Guard.Wrap].
func of(ctx context.Context) *call {
	if c, ok := ctx.Value(callKey{}).(*call); ok {
		return c
	}
	return &call{}
}

// Who returns the caller, or false for a call that needed none.
func Who(ctx context.Context) (Caller, bool) {
	c := of(ctx)
	return c.caller, c.known
}

// Nonce returns what the answer's Content-Security-Policy lets style elements
// carry as their nonce. It is different in each answer.
func Nonce(ctx context.Context) string { return of(ctx).nonce }
