// Package client calls DEC's HTTP API. Answers that are no success are a
// [*Problem], which carries the path of each refused field; a server that cannot
// be reached for a moment is tried again where that is safe.
package client

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"dec.local/dec/internal/api"
)

// Options says which server is called, and how.
type Options struct {
	URL     string       // of the server, such as http://127.0.0.1:8080; required
	Token   string       // sent with every call
	HTTP    *http.Client // one without a time limit if nil: streams last
	Retries int          // further tries of calls that may be repeated; 3 if zero, none if negative
	Pause   time.Duration
	Silence time.Duration // a stream that says nothing for so long is opened anew; 30 s if zero
}

// Client calls one server. Its methods may be used by several goroutines.
type Client struct {
	base    *url.URL
	token   string
	http    *http.Client
	retries int
	pause   time.Duration // before the first further try, doubled after each
	silence time.Duration
}

// New returns a client of the server at o.URL. It does not call it yet.
func New(o Options) (*Client, error) {
	base, err := url.Parse(o.URL)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, fmt.Errorf("server %q: use an address such as http://127.0.0.1:8080", o.URL)
	}
	if o.HTTP == nil {
		o.HTTP = &http.Client{}
	}
	if o.Retries == 0 {
		o.Retries = 3
	}
	return &Client{base: base, token: o.Token, http: o.HTTP, retries: max(o.Retries, 0),
		pause: cmp.Or(o.Pause, 250*time.Millisecond), silence: cmp.Or(o.Silence, 30*time.Second)}, nil
}

// URL is the address of the server.
func (c *Client) URL() string { return c.base.String() }

// call is one request to the API.
type call struct {
	method string
	path   string // below [api.Prefix]; each part escaped
	query  url.Values
	header http.Header
	body   []byte
	accept string // application/json if empty
}

// repeatable reports whether a second try does nothing that the first has not.
func (r call) repeatable() bool {
	return r.method != http.MethodPost || r.header.Get("Idempotency-Key") != ""
}

// get reads an object.
func get[T any](ctx context.Context, c *Client, path string, query url.Values) (T, error) {
	return decode[T](c.do(ctx, call{method: http.MethodGet, path: path, query: query}))
}

// decode reads the body of an answer as JSON.
func decode[T any](answer *http.Response, err error) (T, error) {
	var v T
	if err != nil {
		return v, err
	}
	defer answer.Body.Close()
	if err := json.NewDecoder(answer.Body).Decode(&v); err != nil {
		return v, fmt.Errorf("%s %s: the response is not the expected JSON: %w", answer.Request.Method, answer.Request.URL.Path, err)
	}
	return v, nil
}

// discard reads nothing of an answer.
func discard(answer *http.Response, err error) error {
	if err != nil {
		return err
	}
	return answer.Body.Close()
}

// do sends a request and returns the answer if it is a success. A server that
// cannot be reached, or asks for patience, is tried again.
func (c *Client) do(ctx context.Context, r call) (*http.Response, error) {
	pause := c.pause
	for try := 0; ; try++ {
		answer, err := c.once(ctx, r)
		if err == nil || try >= c.retries || !r.repeatable() || !transient(err) {
			return answer, err
		}
		if problem, ok := errors.AsType[*Problem](err); ok && problem.RetryAfter > 0 {
			pause = problem.RetryAfter
		}
		if err := sleep(ctx, pause); err != nil {
			return nil, err
		}
		pause *= 2
	}
}

// once sends a request once.
func (c *Client) once(ctx context.Context, r call) (*http.Response, error) {
	target := c.base.JoinPath(api.Prefix, r.path)
	target.RawQuery = r.query.Encode()
	request, err := http.NewRequestWithContext(ctx, r.method, target.String(), bytes.NewReader(r.body))
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", r.method, r.path, err)
	}
	for name, values := range r.header {
		request.Header[name] = values
	}
	request.Header.Set("Accept", cmp.Or(r.accept, "application/json"))
	if c.token != "" {
		request.Header.Set("Authorization", "Bearer "+c.token)
	}
	answer, err := c.http.Do(request)
	if err != nil {
		return nil, &unreachable{server: c.URL(), err: err}
	}
	if answer.StatusCode >= 300 {
		defer answer.Body.Close()
		return nil, readProblem(answer)
	}
	return answer, nil
}

// unreachable says that there was no answer at all.
type unreachable struct {
	server string
	err    error
}

// Error names the server and the reason, without the path of the call.
func (u *unreachable) Error() string {
	reason := u.err
	if wrapped, ok := errors.AsType[*url.Error](reason); ok {
		reason = wrapped.Err
	}
	return fmt.Sprintf("the server %s cannot be reached: %v", u.server, reason)
}

func (u *unreachable) Unwrap() error { return u.err }

// Unreachable reports whether err means that the server did not answer.
func Unreachable(err error) bool {
	_, ok := errors.AsType[*unreachable](err)
	return ok
}

// transient reports whether another try may have another end.
func transient(err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	if problem, ok := errors.AsType[*Problem](err); ok {
		return problem.Status == http.StatusTooManyRequests || problem.Status == http.StatusBadGateway ||
			problem.Status == http.StatusServiceUnavailable || problem.Status == http.StatusGatewayTimeout
	}
	return Unreachable(err)
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}

// below joins an escaped path of an object: below("runs", id, "log").
func below(parts ...string) string {
	escaped := make([]string, len(parts))
	for i, part := range parts {
		escaped[i] = url.PathEscape(part)
	}
	return strings.Join(escaped, "/")
}

// values builds a query from names and values; empty values are left out.
func values(pairs ...string) url.Values {
	query := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			query.Set(pairs[i], pairs[i+1])
		}
	}
	return query
}

// number is n as text, "" for zero.
func number(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// copyTo writes the body of an answer to w.
func copyTo(w io.Writer, answer *http.Response, err error) error {
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if _, err := io.Copy(w, answer.Body); err != nil {
		return fmt.Errorf("read the answer of %s: %w", answer.Request.URL.Path, err)
	}
	return nil
}
