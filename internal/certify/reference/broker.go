package reference

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"

	"dec.local/dec/internal/pacing"
)

// Clock waits for points in time, in wall nanoseconds: a [pacing.Thread].
type Clock interface {
	Now() int64
	SleepUntil(ctx context.Context, at int64) (now int64, err error)
	Close()
}

// Broker serves any number of runs at once, each by its own script.
type Broker struct {
	newClock func(pacing.Anchor) (Clock, error)

	mu   sync.Mutex // protects the following
	runs map[string]*run
}

// New returns a broker without runs.
func New() *Broker {
	return &Broker{
		newClock: func(a pacing.Anchor) (Clock, error) { return pacing.Lock(a) },
		runs:     map[string]*run{},
	}
}

// Serve takes connections until ctx ends, and returns when all are closed.
func (b *Broker) Serve(ctx context.Context, l net.Listener) error {
	var connections sync.WaitGroup
	defer connections.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	context.AfterFunc(ctx, func() { _ = l.Close() })
	for {
		c, err := l.Accept()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reference broker: %w", err)
		}
		connections.Go(func() {
			unwatch := context.AfterFunc(ctx, func() { _ = c.Close() })
			defer unwatch()
			defer c.Close()
			b.serve(ctx, newLink(c)) // an error is the client's: it finds its connection closed
		})
	}
}

// serve does what the first frame of a connection says.
func (b *Broker) serve(ctx context.Context, l *link) {
	var h hello
	if l.readJSON(&h) != nil {
		return
	}
	if h.Role == roleControl {
		b.control(ctx, l, h.Run)
		return
	}
	b.mu.Lock()
	r := b.runs[h.Run]
	b.mu.Unlock()
	if r == nil {
		return
	}
	switch h.Role {
	case roleProducer:
		r.produce(l)
	case roleConsumer:
		r.consume(l, h.Index)
	case roleReader:
		r.read(l)
	}
}

// control opens a run and closes it, at the latest with the connection.
func (b *Broker) control(ctx context.Context, l *link, name string) {
	var r *run
	failed := make(chan error, 1) // of the run's worker
	ctx, cancel := context.WithCancel(ctx)
	defer func() {
		cancel()
		if r != nil {
			b.mu.Lock()
			delete(b.runs, name)
			b.mu.Unlock()
			<-r.ended
		}
	}()
	for {
		var asked request
		if l.readJSON(&asked) != nil {
			return
		}
		var told answer
		switch {
		case asked.Script != nil && r == nil:
			r = newRun(name, *asked.Script)
			b.mu.Lock()
			b.runs[name] = r
			b.mu.Unlock()
			working := r
			go func() {
				defer close(working.ended)
				failed <- working.work(ctx, b.newClock)
			}()
		case r == nil:
			told.Error = "the run is not open"
		case asked.Start != 0:
			r.begin(asked.Start)
		case asked.End:
			cancel()
			<-r.ended
			if err := <-failed; err != nil {
				told.Error = err.Error()
			} else {
				told.Record = r.record()
			}
			failed <- nil
		}
		if l.writeJSON(told) != nil {
			return
		}
	}
}

// produce takes the messages of a producer until its connection ends.
func (r *run) produce(l *link) {
	for {
		buf, err := l.read(r.buffer())
		if err != nil || len(buf) < 12 || len(buf) > most {
			return
		}
		i := item{
			to:        l,
			token:     binary.LittleEndian.Uint64(buf),
			partition: int32(binary.LittleEndian.Uint32(buf[8:])),
			buf:       buf,
			payload:   buf[12:],
		}
		if !r.accept(i) {
			return
		}
	}
}

// consume adds a consumer until its connection ends.
func (r *run) consume(l *link, index int) {
	r.mu.Lock()
	for len(r.consumers) <= index {
		r.consumers = append(r.consumers, nil)
	}
	r.consumers[index] = l
	r.mu.Unlock()
	if _, err := l.Write(frame(nil, 0)); err == nil {
		_, _ = io.Copy(io.Discard, l)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.consumers[index] = nil
}

// read sends all that is held.
func (r *run) read(l *link) {
	r.mu.Lock()
	held := slices.Clone(r.held)
	r.mu.Unlock()
	for _, i := range held {
		if _, err := l.Write(appendDelivery(nil, i)); err != nil {
			return
		}
	}
}

func appendDelivery(to []byte, i item) []byte {
	to = frame(to, 4+len(i.payload))
	to = binary.LittleEndian.AppendUint32(to, uint32(i.partition))
	return append(to, i.payload...)
}
