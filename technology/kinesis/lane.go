package kinesis

import (
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"dec.local/dec/technology"
)

// record is one message under way. It is used again once its end is known, so
// that sending allocates nothing.
type record struct {
	token   uint64
	data    []byte    // copy of the payload
	key     *string   // partition key
	hash    *string   // explicit hash key; nil leaves the shard to the partition key
	route   *route    // of its key when the order of the key is kept, else nil
	arrived time.Time // when Send was called
	sent    bool      // it was in a request before
	next    *record   // in its queue
}

// size is what Kinesis counts.
func (r *record) size() int { return len(r.data) + len(*r.key) }

// queue is a list of records. Its zero value is empty.
type queue struct {
	first, last *record
	count       int
	bytes       int
}

func (q *queue) pushBack(r *record) {
	r.next = nil
	if q.last == nil {
		q.first = r
	} else {
		q.last.next = r
	}
	q.last = r
	q.count++
	q.bytes += r.size()
}

func (q *queue) pushFront(r *record) {
	r.next = q.first
	q.first = r
	if q.last == nil {
		q.last = r
	}
	q.count++
	q.bytes += r.size()
}

// pop takes the first record off a queue that is not empty.
func (q *queue) pop() *record {
	r := q.first
	if q.first = r.next; q.first == nil {
		q.last = nil
	}
	r.next = nil
	q.count--
	q.bytes -= r.size()
	return r
}

// route is what a lane knows of a key. While a record of the key is in the
// lane's queue or in a request, the others of the key wait here: so no request
// holds two of them, and whichever record Kinesis refuses, no later one of its
// key has been taken.
type route struct {
	partitionKey string
	busy         bool
	waiting      queue
}

// minRoutes is the least number of keys that a lane remembers.
const minRoutes = 4096

// lane holds the records of one shard that wait, in their order.
type lane struct {
	producer *producer
	hash     string   // explicit hash key of the shard
	keyless  []string // partition keys for messages without a key

	taking sync.Mutex    // held by the sender that waits for the next batch
	wake   chan struct{} // of that one; holds one item

	mu     sync.Mutex // protects the following
	ready  queue
	due    time.Time // when the first batch goes out though it is not full
	routes map[string]*route
	sweep  int       // number of routes at which the idle ones are forgotten
	turn   int       // of keyless
	resume time.Time // no request before
	misses int       // requests one after the other of which nothing was taken
	reason error     // why Kinesis refused a request or a record of it, last
	closed bool
}

func newLane(p *producer, hash string, keyless []string) *lane {
	return &lane{producer: p, hash: hash, keyless: keyless, wake: make(chan struct{}, 1), routes: map[string]*route{}, sweep: minRoutes}
}

// push adds the record of a message. It returns false when the lane is closed.
func (l *lane) push(r *record, m technology.Message, encoded string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	l.address(r, m, encoded)
	if r.route != nil {
		if r.route.busy {
			r.route.waiting.pushBack(r)
			return true
		}
		r.route.busy = true
	}
	l.enqueue(r)
	return true
}

// address sets where a record goes. With an explicit partition the order is that
// of the lane, whatever the keys. Called with the mutex held.
func (l *lane) address(r *record, m technology.Message, encoded string) {
	if m.Partition >= 0 || m.Key == nil && len(l.keyless) == 0 {
		r.hash = &l.hash
	}
	switch {
	case m.Key != nil:
		route := l.route(m.Key, encoded)
		r.key = &route.partitionKey
		if l.producer.config.StrictOrder && m.Partition < 0 {
			r.route = route
		}
	case len(l.keyless) == 0:
		r.key = &noKey
	default:
		r.key = &l.keyless[l.turn]
		l.turn = (l.turn + 1) % len(l.keyless)
	}
}

// noKey is a partition key of messages without a key.
var noKey = string(mark) + "0"

// route returns what is known of a key. Called with the mutex held.
func (l *lane) route(key []byte, encoded string) *route {
	if found, ok := l.routes[string(key)]; ok {
		return found
	}
	if len(l.routes) >= l.sweep {
		for key, one := range l.routes {
			if !one.busy {
				delete(l.routes, key)
			}
		}
		l.sweep = max(minRoutes, 2*len(l.routes))
	}
	if encoded == "" {
		encoded = string(key)
	}
	one := &route{partitionKey: encoded}
	l.routes[string(key)] = one
	return one
}

// enqueue adds a record that may be sent. Called with the mutex held.
func (l *lane) enqueue(r *record) {
	due := r.arrived.Add(milliseconds(l.producer.config.LingerMS))
	first := l.ready.count == 0
	sooner := first || due.Before(l.due)
	if sooner {
		l.due = due
	}
	before := l.isFull()
	l.ready.pushBack(r)
	if sooner || l.isFull() && !before {
		l.wakeSender()
	}
}

// isFull reports whether a whole batch waits. Called with the mutex held.
func (l *lane) isFull() bool {
	c := &l.producer.config
	return l.ready.count >= c.BatchMaxRecords || l.ready.bytes >= c.BatchMaxBytes
}

// wakeSender lets the sender that waits check the lane again.
func (l *lane) wakeSender() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// fill moves records that may be sent now into b, and those that are too late.
// When there are none, it returns how long to wait; 0 is until woken. Called
// with the mutex held.
func (l *lane) fill(b *batch, now time.Time) (wait time.Duration) {
	c := &l.producer.config
	if now.Before(l.resume) {
		return l.resume.Sub(now)
	}
	if l.ready.count == 0 {
		return 0
	}
	if now.Before(l.due) && !l.isFull() && l.producer.flushing.Load() == 0 {
		return l.due.Sub(now)
	}
	tooLate := now.Add(-milliseconds(c.DeliveryTimeoutMS))
	for size := 0; l.ready.count > 0 && len(b.records) < c.BatchMaxRecords; {
		next := l.ready.first
		if next.arrived.Before(tooLate) {
			b.late = append(b.late, l.ready.pop())
			l.release(next)
			continue
		}
		if size += next.size(); size > c.BatchMaxBytes {
			break
		}
		b.add(l.ready.pop())
	}
	if l.ready.count > 0 {
		l.due = now // a whole batch had to be left behind
	}
	b.reason = l.reason
	return 0
}

// release lets the next record of a key go, now that the one before has ended.
// Called with the mutex held.
func (l *lane) release(r *record) {
	if r.route == nil {
		return
	}
	if r.route.waiting.count == 0 {
		r.route.busy = false
		return
	}
	l.enqueue(r.route.waiting.pop())
}

// giveBack puts refused records back before all others, in their order. Called
// with the mutex held.
func (l *lane) giveBack(refused []*record) {
	for i := len(refused) - 1; i >= 0; i-- {
		l.ready.pushFront(refused[i])
	}
	if len(refused) > 0 {
		l.due = time.Time{}
		l.wakeSender()
	}
}

// abandon closes the lane and returns all records that wait.
func (l *lane) abandon() []*record {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	var left []*record
	for l.ready.count > 0 {
		left = append(left, l.ready.pop())
	}
	for _, one := range l.routes {
		for one.waiting.count > 0 {
			left = append(left, one.waiting.pop())
		}
	}
	return left
}

// batch is what one sender sends at once. Its parts are used again.
type batch struct {
	records []*record
	entries []types.PutRecordsRequestEntry // one for each record
	late    []*record                      // past their time, not to be sent
	reason  error                          // why the lane's last refused record was refused
}

func (b *batch) add(r *record) {
	b.records = append(b.records, r)
	b.entries = append(b.entries, types.PutRecordsRequestEntry{Data: r.data, PartitionKey: r.key, ExplicitHashKey: r.hash})
}

func (b *batch) reset() {
	clear(b.records)
	clear(b.entries)
	b.records, b.entries, b.late, b.reason = b.records[:0], b.entries[:0], b.late[:0], nil
}
