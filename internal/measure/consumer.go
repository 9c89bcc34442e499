package measure

import (
	"maps"
	"sync"
)

// ConsumerRecorder records what one consumer of a group receives. Received is
// for one goroutine at a time, Drain for another: one lock, which Drain holds
// only while it swaps histograms for empty ones.
type ConsumerRecorder struct {
	group  string
	run    uint64
	window Window

	mu       sync.Mutex // protects the following
	interval Counts
	fresh    int64 // in this interval, without duplicates
	log      GroupLog
	tracker  *Tracker
	pairs    [2]pair // E2ELatency, E2EService
}

// NewConsumerRecorder returns the recorder of one consumer in a run with this
// [RunHash]. It takes about 1 MB.
func NewConsumerRecorder(group string, run uint64, w Window) *ConsumerRecorder {
	return &ConsumerRecorder{
		group: group, run: run, window: w, tracker: NewTracker(),
		log:   GroupLog{Receipts: map[int]int64{}},
		pairs: [2]pair{newPair(E2ELatency), newPair(E2EService)},
	}
}

// Received verifies and records a payload that arrived from a partition at a
// wall time, and returns what it is.
func (r *ConsumerRecorder) Received(payload []byte, partition int, now int64) Kind {
	h, kind := ParseHeader(payload, r.run)
	r.mu.Lock()
	defer r.mu.Unlock()
	switch kind {
	case Intact:
		r.receive(h, partition, now)
	case Corrupt: // its header can't be trusted, so neither can its stage
		r.interval.Corrupt++
		r.log.Corrupt++
	case Foreign:
		r.log.Foreign++
	}
	return kind
}

func (r *ConsumerRecorder) receive(h Header, partition int, now int64) {
	measured := r.window.measured(h.Intended)
	arrival := r.tracker.Receive(h, partition)
	r.interval.Received++
	if measured {
		r.log.Receipts[int(h.Producer)]++
	}
	switch {
	case arrival.Duplicate:
		r.interval.Duplicates++
		if measured {
			r.log.Duplicates++
		}
		return // it has its latency already
	case arrival.Reordered:
		r.interval.Reordered++
		if measured {
			r.log.Reordered++
		}
	case arrival.Unwatched && measured:
		r.log.Unwatched++
	}
	r.fresh++
	if measured && r.window.measured(now) {
		r.log.InWindow++
	}
	r.pairs[0].record(now-h.Intended, measured)
	r.pairs[1].record(now-h.Sent, measured)
}

// Drain moves what was recorded since the last Drain into the interval.
func (r *ConsumerRecorder) Drain(into *Interval) {
	var full [2]halves
	spare := [2]halves{into.halves(), into.halves()}
	r.mu.Lock()
	counts, fresh := r.interval, r.fresh
	r.interval, r.fresh = Counts{}, 0
	for i := range r.pairs {
		full[i] = r.pairs[i].swap(spare[i])
	}
	r.mu.Unlock()
	into.Counts.Add(counts)
	into.Groups[r.group] += fresh
	for i := range r.pairs {
		r.pairs[i].drain(full[i], into)
	}
}

// AddConsumer puts the account of one consumer into the agent's result, when
// nothing more is recorded.
func (a *AgentResult) AddConsumer(r *ConsumerRecorder) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if a.Groups == nil {
		a.Groups = map[string]GroupLog{}
	}
	log := r.log
	log.Receipts = maps.Clone(r.log.Receipts)
	log.Received = r.tracker.Received()
	if err := mergeEncoded(&log.Latencies, r.pairs[:]); err != nil {
		return err
	}
	joined, err := a.Groups[r.group].join(log)
	if err != nil {
		return err
	}
	a.Groups[r.group] = joined
	return nil
}

// join returns the account of two parts of a group. Messages that both received
// become duplicates.
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
