// Package guard decides who may call: it knows tokens, cookies, hosts and limits,
// and nothing of routes or of what DEC does. [Guard.Wrap] goes in front of every
// handler, [Server] and [Limit] below it.
//
// A call is made with the admin token ("Authorization: Bearer …") or with the
// cookie of a session, which begins with the token or with a one-time code.
package guard

import (
	"cmp"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/alexedwards/scs/v2"
)

// Admin is the subject of every caller: there is one token.
const Admin = "admin"

// The ways of a [Caller].
const (
	ViaToken  = "token"
	ViaCookie = "cookie"
)

const sessionLife = 7 * 24 * time.Hour

// Options configures a [Guard]. TokenHashes, Sessions and MaxBody are required.
type Options struct {
	// TokenHashes returns the hashes of the tokens in force; see [Hash]. Sessions
	// end when they change.
	TokenHashes func() [][sha256.Size]byte
	Sessions    scs.CtxStore // sees hashes of session tokens, never the tokens
	MaxBody     int64        // bytes of a request's body above which it is refused
	// Hosts are the names, without port, that Host headers may have beside loopback
	// names, addresses, and the host of PublicURL.
	Hosts     []string
	PublicURL string // such as "https://dec.example.com"; "" if only this machine calls
	// Open reports whether a call needs no token; none if nil. The calls that it
	// opens have no caller, even when they carry a token.
	Open   func(*http.Request) bool
	Logger *slog.Logger     // slog.Default() if nil
	Now    func() time.Time // the time that codes expire by; time.Now if nil
}

// Guard checks calls. Make one with [New].
type Guard struct {
	o        Options
	sessions *scs.SessionManager
	origins  *http.CrossOriginProtection
	hosts    map[string]bool
	https    bool
	codes    codes
	calls    limits // of a caller, or of an address without one
	failures limits // of sign-ins, by address
}

// ErrPublicURL is what the error of [New] matches when PublicURL is none.
var ErrPublicURL = errors.New("must be like https://dec.example.com")

// New returns a guard, or an error when PublicURL is none.
func New(o Options) (*Guard, error) {
	if o.TokenHashes == nil || o.Sessions == nil || o.MaxBody <= 0 {
		return nil, errors.New("a guard needs token hashes, a store of sessions and a limit for bodies")
	}
	o.Logger = cmp.Or(o.Logger, slog.Default())
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Open == nil {
		o.Open = func(*http.Request) bool { return false }
	}
	g := &Guard{o: o, origins: http.NewCrossOriginProtection(), hosts: map[string]bool{}, codes: codes{now: o.Now}}
	for _, host := range o.Hosts {
		g.hosts[strings.ToLower(host)] = true
	}
	if err := g.public(o.PublicURL); err != nil {
		return nil, err
	}
	g.calls = limits{perSecond: 500, burst: 1000} // one token serves many: hundreds of streams come back at once after a restart
	g.failures = limits{perSecond: 1.0 / 6, burst: 10}
	g.sessions = g.newSessions()
	return g, nil
}

// public takes over what the server's public URL says of hosts and origins.
func (g *Guard) public(address string) error {
	if address == "" {
		return nil
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("public URL %q: %w", address, ErrPublicURL)
	}
	g.https = u.Scheme == "https"
	g.hosts[strings.ToLower(u.Hostname())] = true
	if err := g.origins.AddTrustedOrigin(u.Scheme + "://" + u.Host); err != nil {
		return fmt.Errorf("public URL %q: %w: %w", address, ErrPublicURL, err)
	}
	return nil
}

// Wrap returns next behind all checks: host, path, origin, size of the body,
// caller, rate. What is refused gets an RFC 9457 problem. Every answer has
// security headers, which next may replace.
func (g *Guard) Wrap(next http.Handler) http.Handler {
	authenticated := g.authenticate(next)
	return g.recovering(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r = begin(r)
		g.secure(w.Header(), Nonce(r.Context()))
		switch {
		case !g.allowedHost(r.Host):
			problem(w, http.StatusForbidden, "This server does not serve that host name; start it with --public-url, or call it by its address.")
		case !cleanPath(r.URL.Path):
			problem(w, http.StatusNotFound, "Paths with '..' are not allowed.")
		case g.origins.Check(r) != nil:
			problem(w, http.StatusForbidden, "Cross-origin writes are refused.")
		case r.ContentLength > g.o.MaxBody:
			w.Header().Set("Connection", "close") // rather than read the rest
			problem(w, http.StatusRequestEntityTooLarge, TooLarge(g.o.MaxBody))
		default:
			r.Body = http.MaxBytesReader(w, r.Body, g.o.MaxBody)
			authenticated.ServeHTTP(w, r)
		}
	}))
}

// TooLarge is what the answer to a body of more than so many bytes says.
func TooLarge(most int64) string {
	size := fmt.Sprintf("%d bytes", most)
	if most%(1<<20) == 0 {
		size = fmt.Sprintf("%d MiB", most>>20)
	}
	return fmt.Sprintf("The body is larger than %s, the maximum.", size)
}

// known reports whether a token is in force. The time that it takes says nothing
// about the token.
func (g *Guard) known(token string) bool {
	hash, found := Hash(token), 0
	for _, h := range g.o.TokenHashes() {
		found |= subtle.ConstantTimeCompare(hash[:], h[:])
	}
	return found == 1
}

// generation names the set of tokens in force without telling them. Sessions of
// another generation have ended.
func (g *Guard) generation() string {
	all := sha256.New()
	for _, h := range g.o.TokenHashes() {
		all.Write(h[:])
	}
	return hex.EncodeToString(all.Sum(nil)[:8])
}
