package agent

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
	"dec.local/dec/internal/pacing"
	"dec.local/dec/technology"
)

// producer sends one producer's share of the workload.
type producer struct {
	index    int
	run      uint64 // of measure.RunHash
	anchor   pacing.Anchor
	schedule *pacing.Schedule // for the pacer
	offered  *pacing.Schedule // for the snapshots, which are taken on another goroutine
	content  *content
	slots    *slots
	client   technology.Producer
	recorder *measure.ProducerRecorder // set before the first message is sent
	start    int64                     // of the load phase, wall ns
	until    int64                     // observation ends and nothing more is handed to the client, wall ns
	intended int64                     // when the next message is due, wall ns
	returned int64                     // the last call of Send had, wall ns
	held     int64                     // for how long others have blocked the pacer since both, ns
	blocked  block                     // by the last call of Send, where it was long
	paced    atomic.Bool               // nothing more is sent

	sealing sync.RWMutex // protects the following; acknowledgements only read it
	sealed  bool         // the account is closed
}

func newProducer(w experiment.Workload, index int, run uint64, pool *pool, anchor pacing.Anchor) (*producer, error) {
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
		schedule: schedule,
		offered:  offered,
		content:  newContent(w, index, pool),
		slots:    newSlots(max(w.Load.MaxInFlight, 1)),
	}, nil
}

// begin sets the start of the load, and how long its drain stage lasts.
func (p *producer) begin(meter *measure.ProducerMeter, window measure.Window, drain time.Duration) {
	p.recorder = measure.NewProducerRecorder(meter)
	p.start = window.Start
	p.until = p.start + int64(p.schedule.End()+drain)
}

// advance goes on to the next message. It is false after the last.
func (p *producer) advance() bool {
	offset, ok := p.schedule.Next()
	if !ok {
		p.paced.Store(true)
		return false
	}
	p.intended = p.start + int64(offset)
	return true
}

// send hands the message that is due to the client as soon as a slot is free. An error
// says that the load is over and the message was not sent.
func (p *producer) send(ctx context.Context, clock Clock, reached int64) error {
	at := reached
	p.blocked = block{}
	id, ok := p.slots.tryAcquire()
	if !ok {
		var err error
		id, err = p.slots.acquire(ctx)
		clock.Preempted() // it counts from here on
		at = clock.Now()
		if err != nil {
			p.recorder.Blocked(reached, at)
			return err
		}
	}
	if ok && reached-p.intended > measure.ShortSend { // what made the pacer late is told as that
		clock.Preempted()
	}
	m, h, sum := p.content.next()
	h.Run, h.Producer, h.Intended, h.Sent = p.run, uint32(p.index), p.intended, at
	h.Put(m.Payload, sum)
	token := p.slots.take(id, h.Seq, p.intended, at)
	err := p.client.Send(ctx, token, m)
	returned := clock.Now()
	p.returned = returned
	if err != nil && ctx.Err() != nil {
		p.slots.answer(token)
		p.recorder.Blocked(reached, returned)
		return context.Cause(ctx)
	}
	sent := measure.Send{Intended: p.intended, Reached: reached, Slot: at, Returned: returned, Bytes: len(m.Payload), Held: p.held}
	if returned-at > measure.ShortSend {
		sent.Preempted = clock.Preempted()
		p.blocked = block{from: at, until: returned - min(sent.Preempted, returned-at)}
	}
	p.recorder.Sent(sent)
	if err != nil {
		p.acked(token, err)
	}
	return nil
}

// giveUp records the message that is due, and all after it, as unsent. A load that was
// stopped before the end of its measure stage has no account, so there is nothing to
// record.
func (p *producer) giveUp(now int64, held func(since int64) int64) {
	if now < p.start+int64(p.schedule.End()) {
		p.paced.Store(true)
		return
	}
	for more := true; more; more = p.advance() {
		p.recorder.Unsent(p.intended, now, held(p.intended))
	}
}

// acked takes the client's answer to one message.
func (p *producer) acked(token uint64, err error) {
	now := p.anchor.Now()
	p.sealing.RLock()
	defer p.sealing.RUnlock()
	if p.sealed || now >= p.until {
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
	return p.paced.Load() && p.slots.empty()
}

// seal closes the account: answers that still come are ignored.
func (p *producer) seal() {
	p.sealing.Lock()
	defer p.sealing.Unlock()
	p.sealed = true
}
