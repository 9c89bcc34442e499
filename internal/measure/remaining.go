package measure

// Remaining is what the system under test still held after the drain, by producer.
type Remaining struct {
	Held    map[int]*IntervalSet `json:"held"`
	Expired bool                 `json:"expired"` // its retention had deleted messages
	// Oldest is the first sequence number of a producer from which on no partition can
	// have lost one to the retention, which deletes the oldest: each holds one as old. A
	// producer is missing where that is not known.
	Oldest map[int]uint64 `json:"oldest,omitempty"`

	first map[lane]uint64 // the lowest sequence number held
}

// lane is what one producer sent to one partition.
type lane struct{ producer, partition int }

// Hold notes a payload that a partition of the system under test holds, of the run with
// this [RunHash]. Call Close after the last one.
func (r *Remaining) Hold(partition int, payload []byte, run uint64) {
	h, kind := ParseHeader(payload, run)
	if kind != Intact {
		return
	}
	if r.Held == nil {
		r.Held, r.first = map[int]*IntervalSet{}, map[lane]uint64{}
	}
	of := lane{int(h.Producer), partition}
	held := r.Held[of.producer]
	if held == nil {
		held = &IntervalSet{}
		r.Held[of.producer] = held
	}
	held.Add(h.Seq)
	if first, known := r.first[of]; !known || h.Seq < first {
		r.first[of] = h.Seq
	}
}

// Close notes from where on nothing expired, of a system with that many partitions.
func (r *Remaining) Close(partitions int) {
	if !r.Expired {
		return
	}
	r.Oldest = map[int]uint64{}
	found := map[int]int{}
	for of, first := range r.first {
		found[of.producer]++
		r.Oldest[of.producer] = max(r.Oldest[of.producer], first)
	}
	for producer, n := range found {
		if n < partitions { // of the others nobody knows how far they were deleted
			delete(r.Oldest, producer)
		}
	}
}

// safeFrom is the first of a producer's messages that the retention cannot have
// deleted: from there on, what is gone is truly lost. Messages that were under way at
// once may have come in another order.
func (r *Remaining) safeFrom(producer int, underWay uint64) uint64 {
	if !r.Expired {
		return 0
	}
	if oldest, known := r.Oldest[producer]; known {
		return oldest + underWay
	}
	return MaxSequence
}
