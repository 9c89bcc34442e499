package e2e

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"dec.local/dec/internal/mototest"
)

// storage is a real S3 server, moto, as a process of its own, with one bucket.
// Between it and everybody else stands a gate, by which the test can take it away.
type storage struct {
	t     *testing.T
	moto  string // address behind the gate
	gate  string // address that everybody knows
	error atomic.Pointer[string]

	mu     sync.Mutex // protects the following
	server *http.Server
}

// newStorage starts one with an empty bucket, which ends with the test.
func newStorage(t *testing.T) *storage {
	t.Helper()
	s := &storage{t: t, moto: strings.TrimPrefix(mototest.Start(t), "http://")}
	s.open("127.0.0.1:0")
	t.Cleanup(s.shut)
	s.ask("PUT", "/results")
	return s
}

// url is the bucket with a prefix, as --bucket takes it.
func (s *storage) url(prefix string) string {
	return "s3://results/" + prefix + "?region=us-east-1&path_style=true&endpoint=http://" + s.gate
}

// ask makes a request of moto itself, which asks for no credentials.
func (s *storage) ask(method, path string) {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), method, "http://"+s.moto+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer answer.Body.Close()
	if body, err := io.ReadAll(answer.Body); err != nil || answer.StatusCode != http.StatusOK {
		s.t.Fatalf("%s %s = %s %s (%v)", method, path, answer.Status, body, err)
	}
}

// open opens the gate.
func (s *storage) open(address string) {
	s.t.Helper()
	listener, err := net.Listen("tcp", address)
	if err != nil {
		s.t.Error(err)
		return
	}
	s.gate = listener.Addr().String()
	forward := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: s.moto})
	forward.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) }
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if code := s.error.Load(); code != nil {
			w.Header().Set("Content-Type", "application/xml")
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprintf(w, "<Error><Code>%s</Code><Message>by the gate</Message></Error>", *code)
			return
		}
		forward.ServeHTTP(w, r)
	})}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.server = server
	go func() { _ = server.Serve(listener) }() // ends when the gate is shut
}

// shut closes the gate: connections break, new ones are refused.
func (s *storage) shut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.server.Close()
}

// refuse answers every request from now on with this code.
func (s *storage) refuse(code string) { s.error.Store(&code) }

// removeBucket removes the bucket with all that is in it.
func (s *storage) removeBucket() { s.ask("POST", "/moto-api/reset") }

// keys is the environment of who may use the bucket.
func keys(secret string) []string {
	return []string{"AWS_ACCESS_KEY_ID=AKIADECTEST", "AWS_SECRET_ACCESS_KEY=" + secret, "AWS_SESSION_TOKEN=token" + strings.ToLower(secret)}
}
