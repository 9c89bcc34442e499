package guard

import (
	"container/list"
	"net"
	"sync"
)

// Limit returns a listener with at most n connections open. Above that the
// oldest connection by which no known caller has called yet gives way to the new
// one, else the one of a known caller that is idle for longest; when all serve
// known callers, the new one is refused. The server must be one of [Server].
func Limit(l net.Listener, n int) net.Listener {
	return &listener{Listener: l, max: n, open: map[*conn]struct{}{}, untrusted: list.New(), idle: list.New()}
}

type listener struct {
	net.Listener
	max int

	mu        sync.Mutex // protects what follows, and the connections' fields
	open      map[*conn]struct{}
	untrusted *list.List // of *conn: no known caller has used it; oldest first
	idle      *list.List // of *conn: a known caller has, and it is idle; longest first
}

// conn is a connection of a [listener].
type conn struct {
	net.Conn
	owner   *listener
	trusted bool          // a known caller uses it
	idle    bool          // it waits for a request
	in      *list.List    // the list of owner that it is in; nil if none
	place   *list.Element // in that list
}

// Accept returns the next connection, when need be at the cost of another.
func (l *listener) Accept() (net.Conn, error) {
	for {
		inner, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		c := &conn{Conn: inner, owner: l}
		evicted := l.admit(c)
		if evicted != nil {
			evicted.Close()
		}
		if evicted != c {
			return c, nil
		}
	}
}

// admit adds a connection, and returns the one that is evicted: none, another, or
// the new one itself.
func (l *listener) admit(c *conn) (evicted *conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.open) >= l.max {
		oldest := l.untrusted.Front()
		if oldest == nil {
			oldest = l.idle.Front()
		}
		if oldest == nil {
			return c
		}
		evicted = oldest.Value.(*conn)
		l.remove(evicted)
	}
	l.open[c] = struct{}{}
	l.place(c)
	return evicted
}

// move changes a connection and puts it where it belongs then.
func (l *listener) move(c *conn, change func(*conn)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change(c)
	if _, open := l.open[c]; open {
		l.place(c)
	}
}

// place puts a connection into its list, at the end if it was in another. The
// caller holds l.mu.
func (l *listener) place(c *conn) {
	var to *list.List
	switch {
	case !c.trusted:
		to = l.untrusted
	case c.idle:
		to = l.idle
	}
	if c.in == to {
		return
	}
	if c.in != nil {
		c.in.Remove(c.place)
	}
	if c.in = to; to != nil {
		c.place = to.PushBack(c)
	}
}

// remove forgets a connection. The caller holds l.mu.
func (l *listener) remove(c *conn) {
	delete(l.open, c)
	if c.in != nil {
		c.in.Remove(c.place)
		c.in = nil
	}
}

// CloseWrite tells the client that the answer has ended, before the connection is
// closed.
func (c *conn) CloseWrite() error {
	if inner, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return inner.CloseWrite()
	}
	return nil
}

// Close closes the connection and makes room for another.
func (c *conn) Close() error {
	c.owner.mu.Lock()
	c.owner.remove(c)
	c.owner.mu.Unlock()
	return c.Conn.Close()
}
