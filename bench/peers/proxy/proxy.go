// Package proxy forwards TCP connections and holds what goes through for a known
// time, so that what a load generator reports can be held against the truth. It
// measures how long it really held each chunk.
package proxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"slices"
	"sync"
	"time"
)

// places is how many goroutines of this program may run at once. One that waits to
// pass a chunk on sleeps in the kernel and keeps its place meanwhile, so that there
// must be more than directions of connections.
const places = 64

// chunkBytes is the most that is read at once.
const chunkBytes = 64 << 10

// Proxy forwards from its address to another one. Each chunk is held for the delay
// in each direction, and longer if it would pass during a stall.
type Proxy struct {
	listener net.Listener
	target   string
	delay    time.Duration
	running  sync.WaitGroup

	mu     sync.Mutex      // protects the following
	from   time.Time       // of the stall
	until  time.Time       // of the stall
	held   []time.Duration // how long each chunk was held that met no stall
	flow   []passed        // to the target, so far
	conns  map[net.Conn]struct{}
	closed bool
}

// Listen starts a proxy on an address of this machine.
func Listen(ctx context.Context, address, target string, delay time.Duration) (*Proxy, error) {
	runtime.GOMAXPROCS(max(runtime.GOMAXPROCS(0), places))
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("start the proxy: %w", err)
	}
	p := &Proxy{listener: listener, target: target, delay: delay, conns: map[net.Conn]struct{}{}}
	p.running.Go(p.accept)
	return p, nil
}

// Address is where clients connect.
func (p *Proxy) Address() string { return p.listener.Addr().String() }

// Stall lets nothing pass from one moment until another. There is one stall in the
// life of a proxy.
func (p *Proxy) Stall(from, until time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.from, p.until = from, until
}

// Held returns how long chunks were really held, a stall apart: the median and the
// longest of 99 in 100. It is zero when nothing went through.
func (p *Proxy) Held() (median, p99 time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.held) == 0 {
		return 0, 0
	}
	held := slices.Sorted(slices.Values(p.held))
	return held[len(held)/2], held[len(held)*99/100]
}

// Close ends all connections.
func (p *Proxy) Close() error {
	err := p.listener.Close()
	p.mu.Lock()
	p.closed = true
	for conn := range p.conns {
		err = errors.Join(err, ignoreClosed(conn.Close()))
	}
	p.mu.Unlock()
	p.running.Wait()
	return err
}

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return // closed
		}
		p.running.Go(func() { p.serve(client) })
	}
}

// serve forwards one connection in both directions until either side ends it.
func (p *Proxy) serve(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		return // the client sees its connection end
	}
	defer server.Close()
	if !p.keep(client, server) {
		return
	}
	defer p.forget(client, server)
	var both sync.WaitGroup
	both.Go(func() { p.forward(server, client, p.count) })
	both.Go(func() { p.forward(client, server, func(int) {}) })
	both.Wait()
}

func (p *Proxy) keep(conns ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	for _, conn := range conns {
		p.conns[conn] = struct{}{}
	}
	return true
}

func (p *Proxy) forget(conns ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, conn := range conns {
		delete(p.conns, conn)
	}
}

// chunk is what was read at once.
type chunk struct {
	data []byte
	read time.Time
}

// forward copies one direction. The reader never waits for the writer, so that a
// stall holds back no more than it must: what is under way in it has no limit.
func (p *Proxy) forward(to, from net.Conn, count func(bytes int)) {
	chunks := newQueue()
	var writing sync.WaitGroup
	writing.Go(func() { p.write(to, chunks, count) })
	for {
		buffer := make([]byte, chunkBytes)
		n, err := from.Read(buffer)
		if n > 0 {
			chunks.put(chunk{buffer[:n:n], time.Now()})
		}
		if err != nil {
			break
		}
	}
	chunks.end()
	writing.Wait()
	if half, ok := to.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite() // the other side may have closed it already
	}
}

// write passes each chunk on when it is due.
func (p *Proxy) write(to io.Writer, chunks *queue, count func(bytes int)) {
	sleeper := newSleeper()
	defer sleeper.close()
	for {
		c, ok := chunks.take()
		if !ok {
			return
		}
		stalled := p.hold(sleeper, c.read)
		if held := time.Since(c.read); !stalled {
			p.note(held)
		}
		if _, err := to.Write(c.data); err != nil {
			return
		}
		count(len(c.data))
	}
}

// hold returns when a chunk that was read at a moment may pass, and whether a stall
// kept it.
func (p *Proxy) hold(s sleeper, read time.Time) (stalled bool) {
	due := read.Add(p.delay)
	for {
		s.until(due)
		p.mu.Lock()
		from, until := p.from, p.until
		p.mu.Unlock()
		now := time.Now()
		if now.Before(from) || !now.Before(until) {
			return stalled
		}
		due, stalled = until, true
	}
}

func (p *Proxy) note(held time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held = append(p.held, held)
}
