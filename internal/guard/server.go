package guard

import (
	"context"
	"io"
	"net"
	"net/http"
	"time"
)

const (
	headerTimeout = 10 * time.Second
	idleTimeout   = 60 * time.Second
	bodyTimeout   = 30 * time.Second // for the whole body of a request
	answerTimeout = 2 * time.Minute  // for an answer, unless its handler sets another deadline
	maxHeader     = 64 << 10         // bytes
)

// Server returns a server of h that no client can hold up: headers, bodies,
// answers and idle connections have deadlines. A handler that answers for longer
// than 2 minutes moves the write deadline on with an [http.ResponseController].
func Server(h http.Handler) *http.Server {
	return &http.Server{
		Handler:           deadlines(h),
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ConnContext:       withConn,
		ConnState:         connState,
	}
}

// deadlines gives every request a deadline for its body and one for its answer.
// They are not the server's ReadTimeout and WriteTimeout because those would end
// long answers: the server notices that a client has gone by reading on.
func deadlines(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		control := http.NewResponseController(w)
		now := time.Now()
		control.SetWriteDeadline(now.Add(answerTimeout)) // fails on recorders in tests alone
		if r.Body != nil && r.Body != http.NoBody {
			control.SetReadDeadline(now.Add(bodyTimeout))
			// The server must see its own body in its own request: it then knows what was
			// not read of it, and lets the answer arrive before it closes the connection.
			r = r.WithContext(r.Context())
			r.Body = &timedBody{ReadCloser: r.Body, control: control}
		}
		next.ServeHTTP(w, r)
	})
}

// timedBody takes the deadline back when the body was read.
type timedBody struct {
	io.ReadCloser
	control *http.ResponseController
}

func (b *timedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err == io.EOF {
		b.control.SetReadDeadline(time.Time{})
	}
	return n, err
}

type connKey struct{}

// withConn lets requests find the connection that they came by.
func withConn(ctx context.Context, c net.Conn) context.Context {
	if c, ok := c.(*conn); ok {
		return context.WithValue(ctx, connKey{}, c)
	}
	return ctx
}

// trust marks the request's connection as one of a known caller.
func trust(ctx context.Context) {
	if c, ok := ctx.Value(connKey{}).(*conn); ok {
		c.owner.move(c, func(c *conn) { c.trusted = true })
	}
}

func connState(c net.Conn, s http.ConnState) {
	if c, ok := c.(*conn); ok && (s == http.StateIdle || s == http.StateActive) {
		c.owner.move(c, func(c *conn) { c.idle = s == http.StateIdle })
	}
}
