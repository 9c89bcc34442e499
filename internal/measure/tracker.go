package measure

const (
	// maxProducer is the largest number of a producer.
	maxProducer = 1<<31 - 1
	// MaxOrders bounds the memory of all trackers of an agent, some 40 MB: pairs of
	// producer and key, or partition, whose order is watched.
	MaxOrders = 1 << 20
)

// Tracker accounts for the messages that the consumers of a group receive: which
// ones, which again, and which out of order. It is not safe for use by several
// goroutines.
type Tracker struct {
	received map[uint32]*IntervalSet
	orders   map[uint64]uint64 // next sequence number in order, by order
	most     int               // orders
	producer uint32            // of set
	set      *IntervalSet      // the producer's that was seen last
}

// Arrival is what a [Tracker] found out about a message.
type Arrival struct {
	Duplicate bool // the group has received it before
	Reordered bool // not a duplicate, but a later one of its order came first
	Unwatched bool // too many pairs of producer and key: the order of this one isn't checked
}

// NewTracker returns a tracker that has received nothing and watches at most so many
// orders.
func NewTracker(orders int) *Tracker {
	return &Tracker{received: map[uint32]*IntervalSet{}, orders: map[uint64]uint64{}, most: orders}
}

// Receive accounts for one message. Order is a promise per producer and key, or
// per producer and partition where there is no key; sequence numbers ascend in
// both, so a message is out of order when a higher number of the same order was
// received before.
func (t *Tracker) Receive(h Header, partition int) Arrival {
	if t.set == nil || t.producer != h.Producer {
		t.producer, t.set = h.Producer, t.received[h.Producer]
		if t.set == nil {
			t.set = &IntervalSet{}
			t.received[h.Producer] = t.set
		}
	}
	if !t.set.Add(h.Seq) {
		return Arrival{Duplicate: true}
	}
	// Producer, then one bit for "by key", then the key or partition.
	order := uint64(h.Producer)<<33 | uint64(uint32(partition))
	if h.Key != NoKey {
		order = uint64(h.Producer)<<33 | 1<<32 | uint64(h.Key)
	}
	next, known := t.orders[order]
	switch {
	case h.Seq < next:
		return Arrival{Reordered: true}
	case !known && len(t.orders) >= t.most:
		return Arrival{Unwatched: true}
	}
	t.orders[order] = h.Seq + 1
	return Arrival{}
}

// Received returns the received sequence numbers by producer.
func (t *Tracker) Received() map[int]*IntervalSet {
	sets := make(map[int]*IntervalSet, len(t.received))
	for producer, set := range t.received {
		sets[int(producer)] = set
	}
	return sets
}
