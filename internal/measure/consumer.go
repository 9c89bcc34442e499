package measure

import (
	"maps"
	"sync"
)

// ConsumerMeter holds what several consumers of an agent, of any groups, have in
// common: the histograms and the counts of each second, about 1 MB.
type ConsumerMeter struct{ meter }

// NewConsumerMeter returns a meter of a load.
func NewConsumerMeter(w Window) *ConsumerMeter {
	return &ConsumerMeter{newMeter(w, E2ELatency, E2EService)}
}

// Drain moves what happened up to a second into the interval, and reports whether
// anything is left that happened later.
func (m *ConsumerMeter) Drain(through int, into *Interval) (left bool) { return m.drain(through, into) }

// GroupRecorder accounts for what the consumers of one group receive in one agent. Its
// lock is held for some 100 ns per message.
type GroupRecorder struct {
	name   string
	run    uint64
	window Window

	mu      sync.Mutex // protects the following
	sealed  bool       // the account is closed: what still comes is ignored
	log     GroupLog
	tracker *Tracker
	totals  totals // E2ELatency, E2EService
}

// NewGroupRecorder returns the recorder of a group in a run with this [RunHash], which
// watches at most so many orders: see [MaxOrders]. It takes about 0.6 MB.
func NewGroupRecorder(group string, run uint64, w Window, orders int) *GroupRecorder {
	return &GroupRecorder{
		name: group, run: run, window: w, tracker: NewTracker(orders),
		log: GroupLog{Receipts: map[int]int64{}}, totals: newTotals(),
	}
}

// Seal closes the account: messages that still come are ignored.
func (g *GroupRecorder) Seal() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.sealed = true
}

// ConsumerRecorder records what one consumer of a group receives.
type ConsumerRecorder struct {
	group *GroupRecorder
	meter *ConsumerMeter
}

// NewConsumerRecorder returns the recorder of one consumer.
func NewConsumerRecorder(g *GroupRecorder, m *ConsumerMeter) *ConsumerRecorder {
	return &ConsumerRecorder{g, m}
}

// Received verifies and records a payload that arrived from a partition at a
// wall time, and returns what it is.
func (r *ConsumerRecorder) Received(payload []byte, partition int, now int64) Kind {
	h, kind := ParseHeader(payload, r.group.run)
	arrival, sealed := r.group.receive(h, kind, partition, now)
	if sealed {
		return kind
	}
	r.meter.mu.Lock()
	defer r.meter.mu.Unlock()
	second := r.meter.at(now)
	switch {
	case kind == Corrupt:
		second.counts.Corrupt++
		return kind
	case kind == Foreign:
		second.counts.Foreign++
		return kind
	case arrival.Reordered:
		second.counts.Reordered++
	case arrival.Unwatched:
		second.counts.Unwatched++
	}
	second.counts.Received++
	if arrival.Duplicate { // it has its latency already
		second.counts.Duplicates++
		return kind
	}
	second.groups[r.group.name]++
	second.hist[0].Record(now - h.Intended)
	second.hist[1].Record(now - h.Sent)
	return kind
}

// receive accounts for one message, unless the account is sealed.
func (g *GroupRecorder) receive(h Header, kind Kind, partition int, now int64) (arrival Arrival, sealed bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.sealed {
		return arrival, true
	}
	switch kind {
	case Corrupt: // its header can't be trusted, so neither can its stage
		g.log.Corrupt++
	case Foreign:
		g.log.Foreign++
	default:
		arrival = g.receiveIntact(h, partition, now)
	}
	return arrival, false
}

// receiveIntact accounts for a message of this run. Called with the lock held.
func (g *GroupRecorder) receiveIntact(h Header, partition int, now int64) (arrival Arrival) {
	arrival = g.tracker.Receive(h, partition)
	if !g.window.measured(h.Intended) {
		return arrival
	}
	g.log.Receipts[int(h.Producer)]++
	switch {
	case arrival.Duplicate:
		g.log.Duplicates++
		return arrival
	case arrival.Reordered:
		g.log.Reordered++
	case arrival.Unwatched:
		g.log.Unwatched++
	}
	if g.window.measured(now) {
		g.log.InWindow++
	}
	g.totals.hist[0].Record(now - h.Intended)
	g.totals.hist[1].Record(now - h.Sent)
	return arrival
}

// AddGroup puts the account of a group into the agent's result, once it is sealed.
func (a *AgentResult) AddGroup(g *GroupRecorder) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if a.Groups == nil {
		a.Groups = map[string]GroupLog{}
	}
	log := g.log
	log.Receipts, log.Received = maps.Clone(g.log.Receipts), g.tracker.Received()
	var err error
	log.Latencies, err = encodeAll(map[Distribution]*Histogram{E2ELatency: g.totals.hist[0], E2EService: g.totals.hist[1]})
	a.Groups[g.name] = log
	return err
}

// join returns the account of two parts of a group. Messages that both received
// become duplicates; their latencies stay in twice, because nobody knows whose receipt was
// the first.
func (g GroupLog) join(other GroupLog) (GroupLog, error) {
	joined := GroupLog{
		Received:   map[int]*IntervalSet{},
		Receipts:   map[int]int64{},
		Duplicates: g.Duplicates + other.Duplicates,
		Reordered:  g.Reordered + other.Reordered,
		Corrupt:    g.Corrupt + other.Corrupt,
		Foreign:    g.Foreign + other.Foreign,
		Unwatched:  g.Unwatched + other.Unwatched,
		InWindow:   g.InWindow + other.InWindow,
	}
	for _, part := range []GroupLog{g, other} {
		for producer, set := range part.Received {
			if joined.Received[producer] == nil {
				joined.Received[producer] = &IntervalSet{}
			}
			joined.Received[producer].Union(set)
		}
		for producer, n := range part.Receipts {
			joined.Receipts[producer] += n
		}
	}
	hist := map[Distribution]*Histogram{}
	for _, part := range []GroupLog{g, other} {
		if err := decodeInto(hist, part.Latencies); err != nil {
			return GroupLog{}, err
		}
	}
	var err error
	joined.Latencies, err = encodeAll(hist)
	return joined, err
}
