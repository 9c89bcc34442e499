package guard

import (
	"net/http"
	"strings"
)

// authenticate passes on the calls of known callers, and open ones.
func (g *Guard) authenticate(next http.Handler) http.Handler {
	bySession := g.sessions.LoadAndSave(g.signedIn(next))
	openWrite := g.sessions.LoadAndSave(g.open(next))
	open := g.open(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, scheme, given := bearer(r)
		switch {
		case g.o.Open(r) && (r.Method == http.MethodGet || r.Method == http.MethodHead):
			open.ServeHTTP(w, r)
		case g.o.Open(r):
			of(r.Context()).session = true // it may sign in
			openWrite.ServeHTTP(w, r)
		case given && scheme && g.known(token):
			g.pass(w, r, next, Caller{Subject: Admin, Via: ViaToken}, "token "+token)
		case given:
			g.refuse(w, r, "The token is not valid; it is in the file 'token' in the server's data folder.")
		default:
			of(r.Context()).session = true
			bySession.ServeHTTP(w, r)
		}
	})
}

// signedIn passes on the calls of sessions that were signed in.
func (g *Guard) signedIn(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		subject := g.sessions.GetString(ctx, keySubject)
		if subject == "" || g.sessions.GetString(ctx, keyGeneration) != g.generation() {
			g.refuse(w, r, "Sign in, or send the token as 'Authorization: Bearer …'.")
			return
		}
		g.pass(w, r, next, Caller{Subject: subject, Via: ViaCookie}, "session "+g.sessions.Token(ctx))
	})
}

// open passes on calls that need no caller.
func (g *Guard) open(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if g.within(w, &g.calls, "address "+network(of(r.Context()).remote)) {
			next.ServeHTTP(w, r)
		}
	})
}

// pass passes on the call of a caller within its rate; key tells callers apart.
func (g *Guard) pass(w http.ResponseWriter, r *http.Request, next http.Handler, who Caller, key string) {
	trust(r.Context())
	c := of(r.Context())
	c.caller, c.known = who, true
	w.Header().Set("Cache-Control", "no-store")
	hash := Hash(key)
	if g.within(w, &g.calls, string(hash[:])) {
		next.ServeHTTP(w, r)
	}
}

// refuse answers a call of nobody.
func (g *Guard) refuse(w http.ResponseWriter, r *http.Request, detail string) {
	if !g.within(w, &g.calls, "address "+network(of(r.Context()).remote)) {
		return
	}
	w.Header().Set("WWW-Authenticate", "Bearer")
	problem(w, http.StatusUnauthorized, detail)
}

// bearer returns the token of a request, whether it comes by the right scheme,
// and whether the request has any credentials in its Authorization header.
func bearer(r *http.Request) (token string, scheme, given bool) {
	header := r.Header.Get("Authorization")
	kind, token, _ := strings.Cut(header, " ")
	return strings.TrimSpace(token), strings.EqualFold(kind, "Bearer"), header != ""
}
