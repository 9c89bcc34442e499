package agent

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
	"dec.local/dec/internal/pacing"
	"dec.local/dec/technology"
)

// errObserved ends the wait for a slot when observation ends.
var errObserved = errors.New("the drain stage has ended")

// producer sends one producer's share of the workload.
type producer struct {
	index    int
	run      uint64 // of measure.RunHash
	anchor   pacing.Anchor
	newClock ClockFunc
	schedule *pacing.Schedule // for the pacer
	offered  *pacing.Schedule // for the snapshots, which are taken on another goroutine
	content  *content
	slots    *slots
	client   technology.Producer
	recorder *measure.ProducerRecorder // set before the first message is sent
	start    int64                     // of the load phase, wall ns
	until    int64                     // observation ends and nothing more is handed to the client, wall ns
	paced    atomic.Bool               // the pacer has ended

	sealing sync.RWMutex // protects the following; acknowledgements only read it
	sealed  bool         // the account is closed
}

func newProducer(w experiment.Workload, index int, run uint64, o Options, anchor pacing.Anchor) (*producer, error) {
	schedule, err := pacing.New(w, index)
	if err != nil {
		return nil, err
	}
	offered, err := pacing.New(w, index)
	if err != nil {
		return nil, err
	}
	return &producer{
		index:    index,
		run:      run,
		anchor:   anchor,
		newClock: o.Clock,
		schedule: schedule,
		offered:  offered,
		content:  newContent(w, index),
		slots:    newSlots(max(w.Load.MaxInFlight, 1)),
	}, nil
}

// begin sets the start of the load, and how long its drain stage lasts.
func (p *producer) begin(window measure.Window, drain time.Duration) {
	p.recorder = measure.NewProducerRecorder(window)
	p.start = window.Start
	p.until = p.start + int64(p.schedule.End()+drain)
}

// pace sends the producer's messages at their intended times, on a thread of
// its own. What is due and unsent when the measure stage ends is still sent, in
// order, until the drain stage has ended or ctx is cancelled; what is left then is
// recorded as unsent.
func (p *producer) pace(ctx context.Context) error {
	defer p.paced.Store(true)
	clock, err := p.newClock(p.anchor)
	if err != nil {
		return fmt.Errorf("pacer of producer %d: %w", p.index, err)
	}
	defer clock.Close()
	ctx, cancel := context.WithTimeoutCause(ctx, time.Duration(p.until-clock.Now()), errObserved)
	defer cancel()
	for {
		offset, ok := p.schedule.Next()
		if !ok {
			return nil
		}
		intended := p.start + int64(offset)
		reached, err := clock.SleepUntil(ctx, intended)
		if err == nil && reached < p.until {
			err = p.send(ctx, clock, intended, reached)
		}
		if err != nil || reached >= p.until {
			p.giveUp(intended, clock.Now())
			return nil
		}
	}
}

// send hands one message to the client as soon as a slot is free. An error says
// that the load is over and the message was not sent.
func (p *producer) send(ctx context.Context, clock Clock, intended, reached int64) error {
	at := reached
	id, ok := p.slots.tryAcquire()
	if !ok {
		var err error
		id, err = p.slots.acquire(ctx)
		at = clock.Now()
		if err != nil {
			p.recorder.Blocked(reached, at)
			return err
		}
	}
	m, h, sum := p.content.next()
	h.Run, h.Producer, h.Intended, h.Sent = p.run, uint32(p.index), intended, at
	h.Put(m.Payload, sum)
	token := p.slots.take(id, h.Seq, intended, at)
	err := p.client.Send(ctx, token, m)
	returned := clock.Now()
	if err != nil && ctx.Err() != nil {
		p.slots.answer(token)
		p.recorder.Blocked(reached, returned)
		return context.Cause(ctx)
	}
	p.recorder.Sent(measure.Send{Intended: intended, Reached: reached, Slot: at, Returned: returned, Bytes: len(m.Payload)})
	if err != nil {
		p.acked(token, err)
	}
	return nil
}

// giveUp records the message due at intended, and all after it, as unsent. A
// load that was stopped before the end of its measure stage has no account, so
// there is nothing to record.
func (p *producer) giveUp(intended, now int64) {
	if now < p.start+int64(p.schedule.End()) {
		return
	}
	for {
		p.recorder.Unsent(intended, now)
		offset, ok := p.schedule.Next()
		if !ok {
			return
		}
		intended = p.start + int64(offset)
	}
}

// acked takes the client's answer to one message.
func (p *producer) acked(token uint64, err error) {
	now := p.anchor.Now()
	p.sealing.RLock()
	defer p.sealing.RUnlock()
	if p.sealed {
		return
	}
	seq, intended, sent, ok := p.slots.answer(token)
	if !ok {
		// A second answer to one message. It is counted, and makes the run
		// not valid; its times are gone.
		intended, sent = now, now
	}
	p.recorder.Acked(measure.Ack{Seq: seq, Intended: intended, Sent: sent, Now: now, Err: err})
}

// idle reports whether the producer sends no more and awaits nothing.
func (p *producer) idle() bool {
	return p.paced.Load() && len(p.slots.free) == cap(p.slots.free)
}

// seal closes the account: answers that still come are ignored.
func (p *producer) seal() {
	p.sealing.Lock()
	defer p.sealing.Unlock()
	p.sealed = true
}
