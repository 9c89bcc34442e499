package agent

import (
	"container/heap"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"dec.local/dec/internal/measure"
	"dec.local/dec/internal/pacing"
)

const (
	// blockedAfter is how long a call of a client's Send may hold up the other
	// producers of its pacer, at most twice this long.
	blockedAfter = time.Millisecond
	// awaySleep is the longest sleep of a pacer while a producer is away, which may
	// come back any time.
	awaySleep = time.Millisecond
)

// errObserved ends the wait for a slot when observation ends.
var errObserved = errors.New("the drain stage has ended")

// pacer sends the messages of several producers at their intended times, on one OS
// thread. A producer that is blocked, for want of a slot or by its client, goes on by
// itself until it has caught up, so that it holds up no other one.
type pacer struct {
	newClock ClockFunc
	anchor   pacing.Anchor
	stop     context.CancelFunc // ends the watch, and the load of this pacer
	due      dueHeap            // of the present thread
	number   int                // of producers
	work     sync.WaitGroup     // threads, the watch, and producers that are away
	err      error              // there was no clock; read when all work has ended
	// turn is odd during a call of Send. Whoever adds one then, the thread that comes
	// back from it or the watch that finds it blocked, decides who goes on.
	turn  atomic.Uint64
	began atomic.Int64             // of the last turn, wall ns
	by    atomic.Pointer[producer] // whose turn it was
	// blocks are those of the present thread, and of the ones before it.
	blocks blocks

	mu   sync.Mutex    // protects the following
	away int           // producers
	back []*producer   // that were away
	home chan struct{} // holds an item when a producer has come back
}

func newPacer(newClock ClockFunc, anchor pacing.Anchor, producers []*producer) *pacer {
	return &pacer{newClock: newClock, anchor: anchor, due: producers, number: len(producers), home: make(chan struct{}, 1)}
}

// pace sends everything, and what is due and unsent when the measure stage ends, in
// order, until the drain stage has ended or ctx is cancelled; what is left then is
// recorded as unsent. It returns when all producers have ended.
func (p *pacer) pace(ctx context.Context) error {
	until := int64(0)
	for _, one := range p.due {
		until = max(until, one.until)
		one.advance()
	}
	heap.Init(&p.due)
	ctx, observed := context.WithTimeoutCause(ctx, time.Duration(until-p.anchor.Now()), errObserved)
	defer observed()
	ctx, p.stop = context.WithCancel(ctx)
	defer p.stop()
	if p.number > 1 {
		p.work.Go(func() { p.watch(ctx) })
	}
	p.work.Go(func() { p.thread(ctx, block{}) })
	p.work.Wait()
	return p.err
}

// thread sends at the intended times until all producers have ended or another thread
// has taken over. It begins because of a block of the one before, if there was one.
func (p *pacer) thread(ctx context.Context, because block) {
	p.blocks.add(because)
	clock, err := p.newClock(p.anchor)
	if err != nil {
		p.err = fmt.Errorf("pacer: %w", err)
		p.stop()
		clock = catchUpClock{p.anchor}
	}
	defer clock.Close()
	for ctx.Err() == nil {
		away := p.adopt()
		if len(p.due) == 0 && away == 0 {
			break
		}
		next, ok := p.await(ctx, clock, away)
		if ok && !p.serve(ctx, clock, next) {
			return
		}
	}
	for p.adopt() > 0 { // those that are away end by themselves
		<-p.home
	}
	for len(p.due) > 0 {
		p.giveUp(heap.Pop(&p.due).(*producer), clock.Now())
	}
	p.stop()
}

// await waits until the next message is due and takes its producer out. It is false when
// there is something else to do first.
func (p *pacer) await(ctx context.Context, clock Clock, away int) (next *producer, ok bool) {
	if len(p.due) == 0 {
		select {
		case <-p.home:
		case <-ctx.Done():
		}
		return nil, false
	}
	at := p.due[0].intended
	if away > 0 {
		at = min(at, clock.Now()+int64(awaySleep))
	}
	if now, err := clock.SleepUntil(ctx, at); err != nil || now < p.due[0].intended {
		return nil, false
	}
	return heap.Pop(&p.due).(*producer), true
}

// serve sends one message of a producer that is due. It is false when another thread has
// taken over meanwhile.
func (p *pacer) serve(ctx context.Context, clock Clock, next *producer) bool {
	reached := clock.Now()
	if reached >= next.until {
		p.giveUp(next, reached)
		return true
	}
	next.held = 0
	if late := reached - next.intended; late > measure.ShortSend {
		next.held = p.blocks.heldUp(next, max(next.intended, next.returned), reached)
	}
	if p.number == 1 { // it holds up no other
		p.keep(next, next.send(ctx, clock, reached))
		return true
	}
	if !next.slots.available() {
		p.leave()
		p.work.Go(func() { p.catchUp(ctx, catchUpClock{p.anchor}, next) })
		return true
	}
	p.began.Store(reached)
	p.by.Store(next)
	turn := p.turn.Add(1)
	err := next.send(ctx, clock, reached)
	switch {
	case p.turn.CompareAndSwap(turn, turn+1):
		p.blocks.add(block{next, next.blocked.from, next.blocked.until})
		p.keep(next, err)
		return true
	case err != nil:
		p.comeBack(next)
	case next.advance():
		p.catchUp(ctx, clock, next)
	default:
		p.comeBack(nil)
	}
	return false
}

// giveUp records what a producer has not sent as unsent.
func (p *pacer) giveUp(one *producer, now int64) {
	one.giveUp(now, func(since int64) int64 { return p.blocks.heldUp(one, max(since, one.returned), now) })
}

// keep puts a producer back that has sent a message, or could not because the load is
// over.
func (p *pacer) keep(one *producer, err error) {
	if err == nil && !one.advance() {
		return
	}
	heap.Push(&p.due, one)
}

// watch lets another thread take over when the present one is blocked by a client.
func (p *pacer) watch(ctx context.Context) {
	ticker := time.NewTicker(blockedAfter)
	defer ticker.Stop()
	for last := uint64(0); ; {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		turn := p.turn.Load()
		if turn%2 == 1 && turn == last {
			p.leave()
			because := block{p.by.Load(), p.began.Load(), p.anchor.Now()}
			if p.turn.CompareAndSwap(turn, turn+1) {
				p.work.Go(func() { p.thread(ctx, because) })
			} else {
				p.comeBack(nil) // it never was away, but the thread may have seen it so
			}
		}
		last = turn
	}
}

// catchUp sends what a blocked producer owes, and gives it back when it is in time again.
func (p *pacer) catchUp(ctx context.Context, clock Clock, one *producer) {
	for {
		reached := clock.Now()
		one.held = 0
		if one.intended > reached || reached >= one.until || one.send(ctx, clock, reached) != nil {
			p.comeBack(one)
			return
		}
		if !one.advance() {
			p.comeBack(nil)
			return
		}
	}
}

// comeBack gives a producer back that was away; nil if there is none to go on with.
func (p *pacer) comeBack(one *producer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.away--
	if one != nil {
		p.back = append(p.back, one)
	}
	select {
	case p.home <- struct{}{}:
	default:
	}
}

func (p *pacer) leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.away++
}

// adopt takes in the producers that have come back, and returns how many are away.
func (p *pacer) adopt() (away int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, one := range p.back {
		heap.Push(&p.due, one)
	}
	p.back = p.back[:0]
	return p.away
}

// catchUpClock is that of a producer which catches up: it never waits for a moment. How
// long it had no processor is not known, and counts as back-pressure.
type catchUpClock struct{ pacing.Anchor }

func (catchUpClock) SleepUntil(ctx context.Context, _ int64) (int64, error) {
	panic("a producer that catches up waits for nothing")
}
func (catchUpClock) Preempted() int64 { return 0 }
func (catchUpClock) Close()           {}

// dueHeap orders producers by when their next message is due.
type dueHeap []*producer

func (h dueHeap) Len() int           { return len(h) }
func (h dueHeap) Less(i, j int) bool { return h[i].intended < h[j].intended }
func (h dueHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *dueHeap) Push(x any)        { *h = append(*h, x.(*producer)) }
func (h *dueHeap) Pop() any {
	last := len(*h) - 1
	x := (*h)[last]
	*h = (*h)[:last]
	return x
}
