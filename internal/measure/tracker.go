package measure

import "slices"

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
	senders map[uint32]*sender
	keys    map[uint64]uint64 // next sequence number in order, by producer and key
	orders  int               // that are watched
	most    int               // orders
	last    *sender           // whose message came last
	number  uint32            // of last
}

// sender is what was received of one producer.
type sender struct {
	received IntervalSet
	next     []uint64 // sequence number in order, by partition; 0 before the first message
}

// maxPartition bounds the numbers that partitions are watched by.
const maxPartition = 1 << 16

// Arrival is what a [Tracker] found out about a message.
type Arrival struct {
	Duplicate bool // the group has received it before
	Reordered bool // not a duplicate, but a later one of its order came first
	Unwatched bool // too many pairs of producer and key: the order of this one isn't checked
}

// NewTracker returns a tracker that has received nothing and watches at most so many
// orders.
func NewTracker(orders int) *Tracker {
	return &Tracker{senders: map[uint32]*sender{}, keys: map[uint64]uint64{}, most: orders}
}

// Receive accounts for one message. Order is a promise per producer and key, or
// per producer and partition where there is no key; sequence numbers ascend in
// both, so a message is out of order when a higher number of the same order was
// received before.
func (t *Tracker) Receive(h Header, partition int) Arrival {
	from := t.sender(h.Producer)
	if !from.received.Add(h.Seq) {
		return Arrival{Duplicate: true}
	}
	next, watched := t.next(from, h, partition)
	switch {
	case !watched:
		return Arrival{Unwatched: true}
	case h.Seq < next:
		return Arrival{Reordered: true}
	case h.Key != NoKey:
		t.keys[orderOf(h)] = h.Seq + 1
	default:
		from.next[partition] = h.Seq + 1
	}
	return Arrival{}
}

func (t *Tracker) sender(producer uint32) *sender {
	if t.last != nil && t.number == producer {
		return t.last
	}
	from := t.senders[producer]
	if from == nil {
		from = &sender{}
		t.senders[producer] = from
	}
	t.last, t.number = from, producer
	return from
}

// next returns the next sequence number of a message's order, 0 before its first; false
// where there are too many orders to watch this one.
func (t *Tracker) next(from *sender, h Header, partition int) (next uint64, watched bool) {
	if h.Key != NoKey {
		next, known := t.keys[orderOf(h)]
		if !known && t.orders >= t.most {
			return 0, false
		}
		if !known {
			t.orders++
		}
		return next, true
	}
	if partition < 0 || partition >= maxPartition {
		return 0, false
	}
	if more := partition + 1 - len(from.next); more > 0 {
		if t.orders+more > t.most {
			return 0, false
		}
		t.orders += more
		from.next = slices.Grow(from.next, more)[:partition+1]
	}
	return from.next[partition], true
}

func orderOf(h Header) uint64 { return uint64(h.Producer)<<32 | uint64(h.Key) }

// Received returns the received sequence numbers by producer.
func (t *Tracker) Received() map[int]*IntervalSet {
	sets := make(map[int]*IntervalSet, len(t.senders))
	for producer, from := range t.senders {
		sets[int(producer)] = &from.received
	}
	return sets
}
