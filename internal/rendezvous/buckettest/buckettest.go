// Package buckettest makes buckets for tests: folders, and buckets of an S3
// server that lives in the test's process and that fails as the test wants it to. No
// request leaves the process, so that it works in the virtual time of
// testing/synctest, too.
package buckettest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"dec.local/dec/internal/rendezvous"
)

// Name is the bucket of a [Server].
const Name = "results"

// Keys are credentials that a [Server] takes: it takes any.
const Keys = `{"access_key_id": "AKIATEST", "secret_access_key": "secret"}`

// Faults are what goes wrong with requests to a [Server].
type Faults struct {
	Latency time.Duration // of each answer
	Refused bool          // no connection is made
	Lost    bool          // what is asked for is done, and the answer does not come
	Status  int           // answer with this status, if not 0
	Code    string        // and this code of S3
}

// Server is an S3 server with one bucket. It is a [http.RoundTripper].
type Server struct {
	handler http.Handler
	backend *s3mem.Backend
	calls   atomic.Int64

	mu     sync.Mutex // protects the following
	faults Faults
	each   func(*http.Request) Faults // if not nil, the faults of each request
}

// NewServer returns a server with an empty bucket and no faults.
func NewServer(t testing.TB) *Server {
	t.Helper()
	backend := s3mem.New()
	if err := backend.CreateBucket(Name); err != nil {
		t.Fatal(err)
	}
	return &Server{backend: backend, handler: gofakes3.New(backend, gofakes3.WithTimeSkewLimit(0)).Server()}
}

// URL is the bucket of the server, with this prefix.
func URL(prefix string) string {
	return "s3://" + Name + "/" + prefix + "?region=eu-central-1&endpoint=http://s3.test&path_style=true"
}

// Open opens the server's bucket with a prefix. It is closed when the test ends.
func (s *Server) Open(t testing.TB, prefix string) *rendezvous.Bucket {
	t.Helper()
	b, err := rendezvous.OpenBucketWith(context.Background(), URL(prefix), rendezvous.BucketOptions{Credentials: json.RawMessage(Keys), Transport: s})
	return opened(t, b, err)
}

// Folder opens a bucket that is a folder of the test.
func Folder(t testing.TB) *rendezvous.Bucket {
	t.Helper()
	b, err := rendezvous.OpenBucket(context.Background(), rendezvous.FolderURL(t.TempDir()))
	return opened(t, b, err)
}

func opened(t testing.TB, b *rendezvous.Bucket, err error) *rendezvous.Bucket {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// Set makes all further requests fail so.
func (s *Server) Set(f Faults) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults, s.each = f, nil
}

// SetEach decides on the faults of each request, in the order in which they come.
func (s *Server) SetEach(each func(*http.Request) Faults) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.each = each
}

// RemoveBucket removes the bucket with all its objects.
func (s *Server) RemoveBucket(t testing.TB) {
	t.Helper()
	if err := s.backend.ForceDeleteBucket(Name); err != nil {
		t.Error(err)
	}
}

// Calls is how many requests have come.
func (s *Server) Calls() int64 { return s.calls.Load() }

// RoundTrip implements [http.RoundTripper].
func (s *Server) RoundTrip(r *http.Request) (*http.Response, error) {
	s.calls.Add(1)
	defer func() {
		if r.Body != nil {
			r.Body.Close()
		}
	}()
	s.mu.Lock()
	f := s.faults
	if s.each != nil {
		f = s.each(r)
	}
	s.mu.Unlock()
	if f.Refused {
		at := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 9000}
		return nil, &net.OpError{Op: "dial", Net: "tcp", Addr: at, Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	}
	if f.Latency > 0 {
		timer := time.NewTimer(f.Latency)
		defer timer.Stop()
		select {
		case <-r.Context().Done():
			return nil, r.Context().Err()
		case <-timer.C:
		}
	}
	recorder := httptest.NewRecorder()
	if f.Status != 0 {
		recorder.Header().Set("Content-Type", "application/xml")
		recorder.WriteHeader(f.Status)
		fmt.Fprintf(recorder, "<Error><Code>%s</Code><Message>as the test wants it</Message></Error>", f.Code)
	} else {
		s.handler.ServeHTTP(recorder, incoming(r))
	}
	if f.Lost {
		return nil, &net.OpError{Op: "read", Net: "tcp", Err: io.ErrUnexpectedEOF}
	}
	response := recorder.Result()
	response.Request = r
	return response, nil
}

// incoming is a request as a server gets it.
func incoming(r *http.Request) *http.Request {
	in := r.Clone(r.Context())
	in.RequestURI, in.RemoteAddr = r.URL.RequestURI(), "127.0.0.1:1"
	if in.Host == "" {
		in.Host = r.URL.Host
	}
	if in.Body == nil {
		in.Body = http.NoBody
	}
	if in.ContentLength >= 0 {
		in.Header.Set("Content-Length", strconv.FormatInt(in.ContentLength, 10))
	}
	return in
}
