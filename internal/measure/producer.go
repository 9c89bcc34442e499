package measure

import (
	"time"

	"dec.local/dec/internal/experiment"
)

// ShortSend is how long a call of the client's Send may take to count as the work of
// sending, which the pacer must have time for, in nanoseconds. Of a longer one, what
// was not the want of a processor is back-pressure.
const ShortSend = int64(50 * time.Microsecond)

// maxErrors bounds the number of different error texts that are kept.
const maxErrors = 32

// ProducerMeter holds what several producers of an agent have in common: the
// histograms, the counts and the texts of errors. Its memory, about 3.5 MB, does not grow
// with the number of producers. Two locks, one for what is sent and one for what is
// answered, keep pacers and acknowledgements apart.
type ProducerMeter struct {
	sends meter // PacerLateness, Backpressure
	acks  meter // PublishLatency, PublishService

	sent, acked totals           // of the measure stage, each under its meter's lock
	missed      int64            // under that of sends
	errors      map[string]int64 // under that of acks
}

// totals are sums over the measure stage.
type totals struct {
	counts Counts
	hist   [2]*Histogram
}

func newTotals() totals { return totals{hist: [2]*Histogram{NewHistogram(), NewHistogram()}} }

// NewProducerMeter returns a meter of a load.
func NewProducerMeter(w Window) *ProducerMeter {
	return &ProducerMeter{
		sends: newMeter(w, PacerLateness, Backpressure), sent: newTotals(),
		acks: newMeter(w, PublishLatency, PublishService), acked: newTotals(),
		errors: map[string]int64{},
	}
}

// Drain moves what happened up to a second into the interval, and reports whether
// anything is left that happened later.
func (m *ProducerMeter) Drain(through int, into *Interval) (left bool) {
	sends, acks := m.sends.drain(through, into), m.acks.drain(through, into)
	return sends || acks
}

// ProducerRecorder records what becomes of one producer's messages. Sent, Unsent and
// Blocked are for one goroutine at a time, Acked is for any.
type ProducerRecorder struct {
	meter *ProducerMeter

	shadow shadow // of the goroutine that sends
	sent   uint64 // sequence numbers handed to the client; under the meter's lock of sends

	acked, failed *IntervalSet // under the meter's lock of acks
}

// NewProducerRecorder returns the recorder of one producer. It takes less than 1 KB
// until it has recorded something.
func NewProducerRecorder(m *ProducerMeter) *ProducerRecorder {
	start := m.sends.window.Start
	return &ProducerRecorder{
		meter: m, shadow: shadow{ready: start, returned: start},
		acked: &IntervalSet{}, failed: &IntervalSet{},
	}
}

// Send says when a message was due and what kept it, in wall nanoseconds.
type Send struct {
	Intended int64 // by the schedule
	Reached  int64 // the pacer came to it
	Slot     int64 // it had room in max_in_flight: Reached if there was room
	Returned int64 // the client's Send had returned
	// Preempted is for how long of a Send longer than [ShortSend] the pacer's thread
	// was ready and had no processor, in nanoseconds.
	Preempted int64
	// Held is for how long clients of other producers have blocked the pacer since the
	// message was due and the last Send had returned, in nanoseconds: no fault of the
	// pacer either.
	Held  int64
	Bytes int // of the payload
}

// Sent records a message that was handed to the client. When Send returned an
// error, call Acked with it as well. Messages come in the order of their
// intended times.
//
// The time from Intended to Slot is split: how late the pacer would have been
// without ever being blocked, by this message or one before it, is lateness;
// the rest is back-pressure. A call of the client's Send that lasts longer than
// [ShortSend] has blocked the messages behind it, except for the time in which
// the thread had no processor.
func (r *ProducerRecorder) Sent(s Send) {
	lateness := r.shadow.reach(s.Intended, s.Reached)
	if s.Held > 0 {
		lateness = r.shadow.forgive(s.Intended, lateness, s.Held)
	}
	work := s.Returned - s.Slot
	if work > ShortSend {
		work = min(work, s.Preempted)
	}
	r.shadow.leave(work, s.Returned)

	m := r.meter
	m.sends.mu.Lock()
	defer m.sends.mu.Unlock()
	r.sent++
	now := m.sends.at(s.Returned)
	now.counts.Sent++
	now.counts.Bytes += int64(s.Bytes)
	wait := s.Slot - s.Intended - lateness
	now.hist[0].Record(lateness)
	now.hist[1].Record(wait)
	w := m.sends.window
	if !w.measured(s.Intended) {
		return
	}
	m.sent.counts.Sent++
	m.sent.counts.Bytes += int64(s.Bytes)
	m.sent.hist[0].Record(lateness)
	m.sent.hist[1].Record(wait)
	if w.Stage(s.Intended+lateness-int64(grace)) == experiment.StageDrain {
		m.missed++
	}
}

// grace is how late after the end of the measure stage the pacer may reach the last
// messages: a fraction of a millisecond of lateness is no missed schedule.
const grace = 100 * time.Millisecond

// Unsent records that a message is given up at the present moment: observation ends
// and it was never sent. It counts as missed, too, when the pacer itself and not a
// blocked client took most of the time since it was due; for as long as held, clients of
// other producers had blocked the pacer.
func (r *ProducerRecorder) Unsent(intended, now, held int64) {
	// The shadow would be this far by now.
	ready := r.shadow.ready + now - r.shadow.returned - held
	m := r.meter
	m.sends.mu.Lock()
	defer m.sends.mu.Unlock()
	m.sends.at(now).counts.Unsent++
	if !m.sends.window.measured(intended) {
		return
	}
	m.sent.counts.Unsent++
	if 2*(ready-intended) > now-intended {
		m.missed++
	}
}

// Blocked records that the pacer reached a message, waited for room in
// max_in_flight, and gave up because observation ends. Call it before Unsent.
func (r *ProducerRecorder) Blocked(reached, until int64) {
	r.shadow.leave(max(0, reached-r.shadow.returned), until)
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
	m := r.meter
	measured := m.acks.window.measured(a.Intended)
	m.acks.mu.Lock()
	defer m.acks.mu.Unlock()
	now := m.acks.at(a.Now)
	if a.Err != nil {
		r.failed.Add(a.Seq)
		now.counts.Failed++
		if measured {
			m.acked.counts.Failed++
		}
		m.countError(a.Err)
		return
	}
	r.acked.Add(a.Seq)
	latency, service := a.Now-a.Intended, a.Now-a.Sent
	now.counts.Acked++
	now.hist[0].Record(latency)
	now.hist[1].Record(service)
	if measured {
		m.acked.counts.Acked++
		m.acked.hist[0].Record(latency)
		m.acked.hist[1].Record(service)
	}
}

// countError counts a failure under its text.
func (m *ProducerMeter) countError(err error) {
	text := err.Error()
	if _, known := m.errors[text]; !known && len(m.errors) >= maxErrors {
		text = "other errors"
	}
	m.errors[text]++
}

// AddProducer puts the account of one producer into the agent's result, when
// nothing more is recorded. The bounds are the producer's sequence numbers of
// the measure stage; what lies between them was offered.
func (a *AgentResult) AddProducer(index int, r *ProducerRecorder, from, until uint64) {
	r.meter.sends.mu.Lock()
	defer r.meter.sends.mu.Unlock()
	r.meter.acks.mu.Lock()
	defer r.meter.acks.mu.Unlock()
	a.Counts.Offered += int64(until - from)
	if a.Producers == nil {
		a.Producers = map[int]ProducerLog{}
	}
	a.Producers[index] = ProducerLog{Acked: r.acked, Failed: r.failed, MeasureFrom: from, MeasureUntil: until, Sent: r.sent}
}

// AddMeters puts what the producers of an agent have in common into its result, when
// nothing more is recorded.
func (a *AgentResult) AddMeters(meters ...*ProducerMeter) error {
	hist := map[Distribution]*Histogram{}
	for _, m := range meters {
		m.addTo(a, hist)
	}
	var err error
	a.Latencies, err = encodeAll(hist)
	return err
}

func (m *ProducerMeter) addTo(a *AgentResult, hist map[Distribution]*Histogram) {
	m.sends.mu.Lock()
	defer m.sends.mu.Unlock()
	m.acks.mu.Lock()
	defer m.acks.mu.Unlock()
	a.Counts.Add(m.sent.counts)
	a.Counts.Add(m.acked.counts)
	a.Missed += m.missed
	for text, n := range m.errors {
		if a.Errors == nil {
			a.Errors = map[string]int64{}
		}
		a.Errors[text] += n
	}
	m.sent.addTo(hist, m.sends.names)
	m.acked.addTo(hist, m.acks.names)
}

func (t *totals) addTo(hist map[Distribution]*Histogram, names [2]Distribution) {
	for i, name := range names {
		if hist[name] == nil {
			hist[name] = NewHistogram()
		}
		hist[name].Merge(t.hist[i])
	}
}
