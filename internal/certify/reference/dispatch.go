package reference

import (
	"cmp"
	"container/heap"
	"encoding/binary"
	"slices"
)

// together is how many messages are written at once at most: all of them have the
// moment before that as their release.
const together = 32

// dispatcher writes what is due. It is its worker's alone.
type dispatcher struct {
	run     *run
	clock   Clock
	batch   []item
	parcels []parcel // deliveries, then answers
}

// parcel is what is written to one connection at once.
type parcel struct {
	to       *link
	data     []byte
	releases []Release
}

// dispatch lets some messages leave that are due at a moment.
func (d *dispatcher) dispatch(at int64) {
	r := d.run
	r.mu.Lock()
	d.batch = d.batch[:0]
	for len(d.batch) < together && len(r.waiting) > 0 && r.waiting[0].due <= at {
		d.batch = append(d.batch, r.waiting.take())
	}
	d.parcels = d.parcels[:0]
	for i := range d.batch {
		d.deliver(&d.batch[i], at)
	}
	deliveries := len(d.parcels)
	for i := range d.batch {
		d.answer(&d.batch[i], deliveries)
	}
	r.mu.Unlock()

	for n := range d.parcels {
		p := &d.parcels[n]
		if at == 0 {
			at = d.clock.Now()
		}
		for i := range p.releases {
			p.releases[i].At = at
		}
		if n < deliveries {
			r.delivered = append(r.delivered, p.releases...)
		} else {
			r.answers = append(r.answers, p.releases...)
		}
		_, _ = p.to.Write(p.data) // whoever has gone gets nothing
		at = 0
	}

	r.mu.Lock()
	defer r.mu.Unlock()
	for _, i := range d.batch {
		if i.buf != nil {
			r.spare = append(r.spare, i.buf)
		}
	}
}

// deliver packs a message for its consumer, or holds it.
func (d *dispatcher) deliver(i *item, at int64) {
	r := d.run
	switch i.kind {
	case Lose, Refuse, Mute:
		return
	}
	var to *link
	if n := len(r.consumers); n > 0 {
		to = r.consumers[int(i.partition)%n]
	}
	if to == nil || r.stopped(at) {
		r.held = append(r.held, *i)
		i.buf = nil // it is not free
		return
	}
	release := Release{Message: i.Message, Partition: i.partition, Failed: i.kind == Corrupt}
	times := 1
	if i.kind == Duplicate {
		times = 2
	}
	p := d.parcel(0, to)
	for range times {
		p.releases = append(p.releases, release)
		p.data = appendDelivery(p.data, *i)
	}
	if i.kind == Corrupt {
		payload := p.data[len(p.data)-len(i.payload):]
		payload[i.Seq%uint64(len(payload))] ^= 0xff // in the header or behind it
	}
}

// answer packs the answer to a message for its producer, behind the deliveries.
func (d *dispatcher) answer(i *item, deliveries int) {
	if i.kind == Mute {
		return
	}
	p := d.parcel(deliveries, i.to)
	text := ""
	if i.kind == Refuse {
		text = refused
	}
	p.releases = append(p.releases, Release{Message: i.Message, Partition: i.partition, Failed: i.kind == Refuse})
	p.data = frame(p.data, 8+len(text))
	p.data = binary.LittleEndian.AppendUint64(p.data, i.token)
	p.data = append(p.data, text...)
}

// refused is why a message is refused.
const refused = "refused as the script says"

// parcel returns the one for a connection among those from an index on.
func (d *dispatcher) parcel(from int, to *link) *parcel {
	if i := slices.IndexFunc(d.parcels[from:], func(p parcel) bool { return p.to == to }); i >= 0 {
		return &d.parcels[from+i]
	}
	n := len(d.parcels)
	if n < cap(d.parcels) { // with the memory of an earlier one
		d.parcels = d.parcels[:n+1]
		p := &d.parcels[n]
		p.to, p.data, p.releases = to, p.data[:0], p.releases[:0]
		return p
	}
	d.parcels = append(d.parcels, parcel{to: to})
	return &d.parcels[n]
}

// item is a message that the broker has.
type item struct {
	Message
	to        *link // its producer
	token     uint64
	partition int32
	buf       []byte // which the payload is a part of
	payload   []byte
	kind      Kind   // of its fault
	due       int64  // wall ns
	n         uint64 // of arrivals
}

// queue is a heap of messages by moment, then by arrival.
type queue []item

func (q *queue) add(i item) { heap.Push(q, i) }
func (q *queue) take() item { return heap.Pop(q).(item) }

// Len, Less, Swap, Push and Pop implement [heap.Interface].
func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(q[i].due, q[j].due), cmp.Compare(q[i].n, q[j].n)) < 0
}
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)   { *q = append(*q, x.(item)) }
func (q *queue) Pop() any {
	last := len(*q) - 1
	x := (*q)[last]
	(*q)[last] = item{}
	*q = (*q)[:last]
	return x
}
