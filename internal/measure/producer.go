package measure

import (
	"sync"
	"time"

	"dec.local/dec/internal/experiment"
)

// blockingSend is the length of a call of the client's Send from which it
// counts as blocked. What is shorter is the work of sending, which the pacer
// must have time for.
const blockingSend = int64(time.Millisecond)

// maxErrors bounds the number of different error texts that are kept.
const maxErrors = 32

// ProducerRecorder records what becomes of one producer's messages. Sent and
// Unsent are for the goroutine that paces, Acked is for any one goroutine at a
// time, Drain for a third. Two locks, held for some 100 ns, keep them apart:
// the pacer never waits for an acknowledgement, and Drain holds each only while
// it swaps histograms for empty ones.
type ProducerRecorder struct {
	window Window

	sendMu   sync.Mutex // protects the following
	sent     sendSide
	sendPair [2]pair // PacerLateness, Backpressure

	ackMu   sync.Mutex // protects the following
	acked   ackSide
	ackPair [2]pair // PublishLatency, PublishService
}

// sendSide is what the pacing goroutine counts.
type sendSide struct {
	interval, measured Counts
	total              uint64 // sequence numbers handed to the client
	missed             int64
	shadow             shadow
}

// ackSide is what the acknowledging goroutines count.
type ackSide struct {
	interval, measured Counts
	set, failed        *IntervalSet // acknowledged, failed
	total              uint64       // acknowledged or failed
	errors             map[string]int64
}

// NewProducerRecorder returns the recorder of one producer. It takes about 3 MB.
func NewProducerRecorder(w Window) *ProducerRecorder {
	return &ProducerRecorder{
		window:   w,
		sent:     sendSide{shadow: shadow{ready: w.Start, returned: w.Start}},
		sendPair: [2]pair{newPair(PacerLateness), newPair(Backpressure)},
		acked:    ackSide{set: &IntervalSet{}, failed: &IntervalSet{}, errors: map[string]int64{}},
		ackPair:  [2]pair{newPair(PublishLatency), newPair(PublishService)},
	}
}

// Send says when a message was due and what kept it, in wall nanoseconds.
type Send struct {
	Intended int64 // by the schedule
	Reached  int64 // the pacer came to it
	Slot     int64 // it had room in max_in_flight: Reached if there was room
	Returned int64 // the client's Send had returned
	Bytes    int   // of the payload
}

// Sent records a message that was handed to the client. When Send returned an
// error, call Acked with it as well. Messages come in the order of their
// intended times.
//
// The time from Intended to Slot is split: how late the pacer would have been
// without ever being blocked, by this message or one before it, is lateness;
// the rest is back-pressure. A call of the client's Send that lasts a
// millisecond or more has blocked the messages behind it.
func (r *ProducerRecorder) Sent(s Send) {
	measured := r.window.measured(s.Intended)
	r.sendMu.Lock()
	defer r.sendMu.Unlock()
	side := &r.sent
	lateness := side.shadow.reach(s.Intended, s.Reached)
	if measured && r.window.Stage(s.Intended+lateness-int64(grace)) == experiment.StageDrain {
		side.missed++
	}
	r.sendPair[0].record(lateness, measured)
	r.sendPair[1].record(s.Slot-s.Intended-lateness, measured)
	work := s.Returned - s.Slot
	if work >= blockingSend {
		work = 0
	}
	side.shadow.leave(work, s.Returned)
	side.total++
	side.interval.Sent++
	side.interval.Bytes += int64(s.Bytes)
	if measured {
		side.measured.Sent++
		side.measured.Bytes += int64(s.Bytes)
	}
}

// grace is how late after the end of the measure stage the pacer may reach the last
// messages: a fraction of a millisecond of lateness is no missed schedule.
const grace = 100 * time.Millisecond

// Unsent records that a message is given up at the present moment: observation ends
// and it was never sent. It counts as missed, too, when the pacer itself and not a
// blocked client took most of the time since it was due.
func (r *ProducerRecorder) Unsent(intended, now int64) {
	measured := r.window.measured(intended)
	r.sendMu.Lock()
	defer r.sendMu.Unlock()
	r.sent.interval.Unsent++
	if measured {
		r.sent.measured.Unsent++
		// The shadow would be this far by now.
		if ready := r.sent.shadow.ready + now - r.sent.shadow.returned; 2*(ready-intended) > now-intended {
			r.sent.missed++
		}
	}
}

// Blocked records that the pacer reached a message, waited for room in
// max_in_flight, and gave up because observation ends. Call it before Unsent.
func (r *ProducerRecorder) Blocked(reached, until int64) {
	r.sendMu.Lock()
	defer r.sendMu.Unlock()
	r.sent.shadow.leave(max(0, reached-r.sent.shadow.returned), until)
}

// Ack says what became of a message.
type Ack struct {
	Seq      uint64
	Intended int64 // wall ns
	Sent     int64 // wall ns, as in the header
	Now      int64 // wall ns
	Err      error // nil: acknowledged
}

// Acked records the acknowledgement or the failure of a message.
func (r *ProducerRecorder) Acked(a Ack) {
	measured := r.window.measured(a.Intended)
	r.ackMu.Lock()
	defer r.ackMu.Unlock()
	side := &r.acked
	side.total++
	if a.Err != nil {
		side.failed.Add(a.Seq)
		side.fail(a.Err, measured)
		return
	}
	side.set.Add(a.Seq)
	side.interval.Acked++
	if measured {
		side.measured.Acked++
	}
	r.ackPair[0].record(a.Now-a.Intended, measured)
	r.ackPair[1].record(a.Now-a.Sent, measured)
}

// fail counts a failed message under its error's text.
func (s *ackSide) fail(err error, measured bool) {
	s.interval.Failed++
	if measured {
		s.measured.Failed++
	}
	text := err.Error()
	if _, known := s.errors[text]; !known && len(s.errors) >= maxErrors {
		text = "other errors"
	}
	s.errors[text]++
}

// Drain moves what was recorded since the last Drain into the interval.
func (r *ProducerRecorder) Drain(into *Interval) {
	var spare, full [4]halves
	for i := range spare {
		spare[i] = into.halves()
	}
	r.sendMu.Lock()
	sent, total := r.sent.interval, r.sent.total
	r.sent.interval = Counts{}
	for i := range r.sendPair {
		full[i] = r.sendPair[i].swap(spare[i])
	}
	r.sendMu.Unlock()

	r.ackMu.Lock()
	acked, done := r.acked.interval, r.acked.total
	r.acked.interval = Counts{}
	for i := range r.ackPair {
		full[2+i] = r.ackPair[i].swap(spare[2+i])
	}
	r.ackMu.Unlock()

	into.Counts.Add(sent)
	into.Counts.Add(acked)
	into.InFlight += max(0, int64(total)-int64(done))
	for i := range r.sendPair {
		r.sendPair[i].drain(full[i], into)
		r.ackPair[i].drain(full[2+i], into)
	}
}

// AddProducer puts the account of one producer into the agent's result, when
// nothing more is recorded. The bounds are the producer's sequence numbers of
// the measure stage; what lies between them was offered.
func (a *AgentResult) AddProducer(index int, r *ProducerRecorder, from, until uint64) error {
	r.sendMu.Lock()
	defer r.sendMu.Unlock()
	r.ackMu.Lock()
	defer r.ackMu.Unlock()
	a.Counts.Offered += int64(until - from)
	a.Counts.Add(r.sent.measured)
	a.Counts.Add(r.acked.measured)
	a.Missed += r.sent.missed
	if a.Producers == nil {
		a.Producers = map[int]ProducerLog{}
	}
	a.Producers[index] = ProducerLog{Acked: r.acked.set, Failed: r.acked.failed, MeasureFrom: from, MeasureUntil: until, Sent: r.sent.total}
	for text, n := range r.acked.errors {
		if a.Errors == nil {
			a.Errors = map[string]int64{}
		}
		a.Errors[text] += n
	}
	return mergeEncoded(&a.Latencies, append(r.sendPair[:], r.ackPair[:]...))
}

// mergeEncoded merges the measured histograms into encoded ones.
func mergeEncoded(encoded *map[Distribution]string, pairs []pair) error {
	hist := map[Distribution]*Histogram{}
	if err := decodeInto(hist, *encoded); err != nil {
		return err
	}
	for i := range pairs {
		p := &pairs[i]
		if hist[p.name] == nil {
			hist[p.name] = NewHistogram()
		}
		p.total(hist[p.name])
	}
	merged, err := encodeAll(hist)
	*encoded = merged
	return err
}
