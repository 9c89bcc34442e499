package reference

import (
	"context"
	"slices"
	"sync"
	"time"

	"dec.local/dec/internal/measure"
	"dec.local/dec/internal/pacing"
)

// run is what the broker has of one run.
type run struct {
	hash    uint64
	script  Script
	faults  map[Message]Kind
	inOrder bool // messages leave in the order in which they come
	anchor  pacing.Anchor
	wake    chan struct{} // tells the worker of a message when there was none
	ended   chan struct{} // closed by the worker at its end

	mu        sync.Mutex // protects the following
	start     int64      // of the load, wall ns; 0 before it is known
	arrived   []Message
	waiting   queue
	consumers []*link // by index; nil where none is connected
	held      []item
	spare     [][]byte // buffers that are free

	answers, delivered []Release // of the worker, until it has ended
}

func newRun(name string, s Script) *run {
	r := &run{
		hash:    measure.RunHash(name),
		script:  s,
		faults:  make(map[Message]Kind, len(s.Faults)),
		inOrder: s.Delay.Sigma == 0,
		anchor:  pacing.NewAnchor(),
		wake:    make(chan struct{}, 1),
		ended:   make(chan struct{}),
	}
	for _, f := range s.Faults {
		r.faults[f.Message] = f.Kind
		r.inOrder = r.inOrder && f.Kind != Overtake
	}
	return r
}

// begin tells when the load starts, which the script counts from.
func (r *run) begin(start int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.start = start
}

// buffer returns one for a message.
func (r *run) buffer() []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := len(r.spare)
	if n == 0 {
		return nil
	}
	buf := r.spare[n-1]
	r.spare = r.spare[:n-1]
	return buf
}

// accept takes a message. It is false for one that is not intact or not of the run: that
// is the end of its connection.
func (r *run) accept(i item) bool {
	now := r.anchor.Now()
	h, kind := measure.ParseHeader(i.payload, r.hash)
	if kind != measure.Intact {
		return false
	}
	i.Message = Message{h.Producer, h.Seq}
	i.kind = r.faults[i.Message]
	i.due = now + int64(r.script.Delay.of(i.Message))
	if i.kind == Overtake {
		i.due += int64(overtaken)
	}
	r.mu.Lock()
	i.n = uint64(len(r.arrived))
	r.arrived = append(r.arrived, i.Message)
	r.waiting.add(i)
	first := len(r.waiting) == 1
	r.mu.Unlock()
	if first {
		select {
		case r.wake <- struct{}{}:
		default:
		}
	}
	return true
}

// glance is how often a worker looks at what waits while messages do not leave in the
// order in which they come: a later one may be due before the one it waits for.
const glance = 200 * time.Microsecond

// work lets messages leave when they are due, until ctx ends.
func (r *run) work(ctx context.Context, newClock func(pacing.Anchor) (Clock, error)) error {
	clock, err := newClock(r.anchor)
	if err != nil {
		return err
	}
	defer clock.Close()
	d := &dispatcher{run: r, clock: clock}
	for ctx.Err() == nil {
		due, ok := r.next()
		if !ok {
			select {
			case <-r.wake:
			case <-ctx.Done():
			}
			continue
		}
		if now := clock.Now(); !r.inOrder {
			due = min(due, now+int64(glance))
		}
		at, err := clock.SleepUntil(ctx, due)
		if err != nil {
			break
		}
		if until := r.standsStill(at); until > at {
			_, _ = clock.SleepUntil(ctx, until) // an error ends the loop
			continue
		}
		d.dispatch(at)
	}
	return nil
}

// next is when the next message is due; false when there is none.
func (r *run) next() (due int64, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.waiting) == 0 {
		return 0, false
	}
	return r.waiting[0].due, true
}

// standsStill is the end of the stall at a moment; 0 if there is none.
func (r *run) standsStill(at int64) int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.start == 0 {
		return 0
	}
	for _, s := range r.script.Stalls {
		if from := r.start + int64(s.From); at >= from && at < from+int64(s.For) {
			return from + int64(s.For)
		}
	}
	return 0
}

// stopped reports whether the consumers get nothing more. The caller holds r.mu.
func (r *run) stopped(at int64) bool {
	return r.script.Stops > 0 && r.start > 0 && at >= r.start+int64(r.script.Stops)
}

// record is the truth, when the worker has ended.
func (r *run) record() *Record {
	r.mu.Lock()
	defer r.mu.Unlock()
	record := &Record{Arrived: slices.Clone(r.arrived), Answers: r.answers, Delivered: r.delivered}
	for _, i := range r.held {
		record.Held = append(record.Held, i.Message)
	}
	return record
}
