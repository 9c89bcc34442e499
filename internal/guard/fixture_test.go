package guard_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2/memstore"

	"dec.local/dec/internal/guard"
)

const token = "0123456789abcdef0123456789abcdef"

// store is a store of sessions in memory.
type store struct{ *memstore.MemStore }

func (s store) DeleteCtx(_ context.Context, token string) error { return s.Delete(token) }
func (s store) FindCtx(_ context.Context, token string) ([]byte, bool, error) {
	return s.Find(token)
}
func (s store) CommitCtx(_ context.Context, token string, b []byte, expiry time.Time) error {
	return s.Commit(token, b, expiry)
}

// fixture is a guarded server, on a loopback port if it was started.
type fixture struct {
	*httptest.Server
	guard    *guard.Guard
	handler  http.Handler
	sessions store
	log      *syncBuffer

	mu     sync.Mutex // protects what follows
	tokens []string
	now    time.Time
}

// newFixture starts a server with the calls of [guarded].
func newFixture(t *testing.T, change func(*guard.Options)) *fixture {
	t.Helper()
	f := guarded(t, change)
	f.Server = httptest.NewUnstartedServer(nil)
	f.Config = guard.Server(f.handler)
	f.Start()
	t.Cleanup(f.Close)
	return f
}

// guarded returns a guarded handler: GET /who tells the caller, POST and DELETE
// /session sign in and out, POST /read reads its body, GET /open needs no token.
// maxBody is the limit of the guards under test, in bytes.
const maxBody = 1 << 20

func guarded(t *testing.T, change func(*guard.Options)) *fixture {
	t.Helper()
	f := &fixture{
		sessions: store{memstore.NewWithCleanupInterval(0)}, log: &syncBuffer{},
		tokens: []string{token}, now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	o := guard.Options{
		TokenHashes: f.hashes,
		Sessions:    f.sessions,
		MaxBody:     maxBody,
		Logger:      slog.New(slog.NewTextHandler(f.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Now:         func() time.Time { f.mu.Lock(); defer f.mu.Unlock(); return f.now },
		Open: func(r *http.Request) bool {
			return r.URL.Path == "/open" || r.Method == http.MethodPost && r.URL.Path == "/session"
		},
	}
	if change != nil {
		change(&o)
	}
	g, err := guard.New(o)
	if err != nil {
		t.Fatal(err)
	}
	f.guard = g
	f.handler = g.Wrap(routes(g))
	return f
}

func (f *fixture) hashes() (all [][32]byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, t := range f.tokens {
		all = append(all, guard.Hash(t))
	}
	return all
}

func (f *fixture) change(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

func routes(g *guard.Guard) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /who", func(w http.ResponseWriter, r *http.Request) {
		who, known := guard.Who(r.Context())
		json.NewEncoder(w).Encode(map[string]any{"subject": who.Subject, "via": who.Via, "known": known, "nonce": guard.Nonce(r.Context())})
	})
	mux.HandleFunc("GET /open", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /panic", func(http.ResponseWriter, *http.Request) { panic("oh no") })
	mux.HandleFunc("POST /read", func(w http.ResponseWriter, r *http.Request) {
		_, err := io.Copy(io.Discard, r.Body)
		if _, large := errors.AsType[*http.MaxBytesError](err); large {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
		} else if err != nil {
			w.WriteHeader(http.StatusRequestTimeout)
		}
	})
	mux.HandleFunc("POST /session", func(w http.ResponseWriter, r *http.Request) {
		var body struct{ Code, Token string }
		json.NewDecoder(r.Body).Decode(&body)
		switch err := g.SignIn(r.Context(), body.Code, body.Token); {
		case errors.Is(err, guard.ErrTooMany):
			w.WriteHeader(http.StatusTooManyRequests)
		case errors.Is(err, guard.ErrSignIn):
			w.WriteHeader(http.StatusUnauthorized)
		case err != nil:
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
	mux.HandleFunc("DELETE /session", func(w http.ResponseWriter, r *http.Request) {
		if err := g.SignOut(r.Context()); err != nil {
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
	return mux
}

// request makes a request and returns the answer with its body read.
func (f *fixture) request(t *testing.T, c *http.Client, method, path, body string, change func(*http.Request)) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, f.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(r)
	}
	res, err := c.Do(r)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return res, string(text)
}

// browser returns a client with cookies of its own.
func (f *fixture) browser(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Jar: jar, Transport: f.Client().Transport}
}

func withToken(token string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }
}

// wantStatus also wants a problem where it is an error of the guard.
func wantStatus(t *testing.T, res *http.Response, body string, want int) {
	t.Helper()
	if res.StatusCode != want {
		t.Errorf("%s %s = %s %s, want %d", res.Request.Method, res.Request.URL.Path, res.Status, body, want)
	}
	if res.Header.Get("Content-Type") != "application/problem+json" {
		return
	}
	var p struct {
		Title, Detail string
		Status        int
	}
	if err := json.Unmarshal([]byte(body), &p); err != nil || p.Status != want || p.Title == "" || p.Detail == "" {
		t.Errorf("problem %s (%v), want title, status %d and detail", body, err, want)
	}
}

// syncBuffer is a buffer that several goroutines may write to.
type syncBuffer struct {
	mu  sync.Mutex // protects buf
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
