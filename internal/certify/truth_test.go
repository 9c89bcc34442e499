package certify

import (
	"testing"
	"time"

	"dec.local/dec/internal/certify/reference"
	"dec.local/dec/internal/measure"
)

// begun is when the loads of these tests start, wall ns.
const begun = int64(1_000_000_000_000)

// message names message seq of the only producer.
func message(seq uint64) reference.Message { return reference.Message{Seq: seq} }

// left is a release of message seq so long after its intended moment; there is one every
// 10 ms.
func left(seq uint64, after time.Duration, failed bool) reference.Release {
	return reference.Release{Message: message(seq), At: begun + int64(seq)*int64(10*time.Millisecond) + int64(after), Failed: failed}
}

// ordinary is the record of a run in which each of n messages was held for a millisecond.
func ordinary(n uint64) (r reference.Record) {
	for seq := range n {
		r.Arrived = append(r.Arrived, message(seq))
		r.Answers = append(r.Answers, left(seq, time.Millisecond, false))
		r.Delivered = append(r.Delivered, left(seq, time.Millisecond, false))
	}
	return r
}

// TestTruthTellsWhatTheBrokerDid offers 100 messages a second: 100 of the warm-up, then
// 200 that are measured.
func TestTruthTellsWhatTheBrokerDid(t *testing.T) {
	w := load(100, time.Second, 2*time.Second, time.Second)
	all := measure.Counts{Offered: 200, Sent: 200, Acked: 200, Received: 200}
	with := func(change func(*measure.Counts)) measure.Counts {
		c := all
		change(&c)
		return c
	}
	drop := func(list []reference.Release, seq uint64) []reference.Release {
		return append(list[:seq:seq], list[seq+1:]...)
	}
	tests := map[string]struct {
		change func(*reference.Record)
		want   measure.Counts
	}{
		"nothing is wrong": {func(*reference.Record) {}, all},
		"a message is lost": {
			func(r *reference.Record) { r.Delivered = drop(r.Delivered, 150) },
			with(func(c *measure.Counts) { c.Received, c.Lost = 199, 1 }),
		},
		"one of the warm-up is lost, which is not measured": {
			func(r *reference.Record) { r.Delivered = drop(r.Delivered, 50) }, all,
		},
		"a message is held": {
			func(r *reference.Record) {
				r.Delivered = drop(r.Delivered, 150)
				r.Held = append(r.Held, message(150))
			},
			with(func(c *measure.Counts) { c.Received, c.Undelivered = 199, 1 }),
		},
		"a damaged message is lost as well": {
			func(r *reference.Record) { r.Delivered[150].Failed = true },
			with(func(c *measure.Counts) { c.Received, c.Corrupt, c.Lost = 199, 1, 1 }),
		},
		"a damaged one of the warm-up: agents cannot tell its stage": {
			func(r *reference.Record) { r.Delivered[50].Failed = true },
			with(func(c *measure.Counts) { c.Corrupt = 1 }),
		},
		"a message comes again": {
			func(r *reference.Record) { r.Delivered = append(r.Delivered, r.Delivered[150]) },
			with(func(c *measure.Counts) { c.Received, c.Duplicates = 201, 1 }),
		},
		"two change places": {
			func(r *reference.Record) {
				r.Delivered[150], r.Delivered[151] = r.Delivered[151], r.Delivered[150]
			},
			with(func(c *measure.Counts) { c.Reordered = 1 }),
		},
		"two of different partitions change places, which is no fault": {
			func(r *reference.Record) {
				for i := range r.Delivered {
					r.Delivered[i].Partition = int32(i % 2)
				}
				r.Delivered[150], r.Delivered[151] = r.Delivered[151], r.Delivered[150]
			},
			all,
		},
		"a message is refused": {
			func(r *reference.Record) {
				r.Answers[150].Failed = true
				r.Delivered = drop(r.Delivered, 150)
			},
			with(func(c *measure.Counts) { c.Acked, c.Failed, c.Received = 199, 1, 199 }),
		},
		"a message is neither answered nor delivered": {
			func(r *reference.Record) {
				r.Answers, r.Delivered = drop(r.Answers, 150), drop(r.Delivered, 150)
			},
			with(func(c *measure.Counts) { c.Acked, c.Unanswered, c.Received = 199, 1, 199 }),
		},
		"the last one never reached the broker": {
			func(r *reference.Record) {
				r.Arrived = r.Arrived[:299]
				r.Answers, r.Delivered = drop(r.Answers, 299), drop(r.Delivered, 299)
			},
			with(func(c *measure.Counts) { c.Sent, c.Unsent, c.Acked, c.Received = 199, 1, 199, 199 }),
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			record := ordinary(300)
			tt.change(&record)
			got, err := tell(w, begun, record)
			if err != nil || got.counts != tt.want {
				t.Errorf("counts = %+v, %v, want %+v", got.counts, err, tt.want)
			}
		})
	}
}

// TestTruthIsABoundWhereItIsNotKnown holds the last 40 of 200 messages: what is known of
// the upper quantiles is how long they were awaited.
func TestTruthIsABoundWhereItIsNotKnown(t *testing.T) {
	w := load(100, time.Second, 2*time.Second, time.Second)
	record := ordinary(300)
	record.Delivered = record.Delivered[:260]
	record.Answers[100].At += int64(500 * time.Millisecond)
	record.Answers[101].Failed = true
	is, err := tell(w, begun, record)
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		sample sample
		share  int
		want   time.Duration
		exact  bool
		ok     bool
	}{
		"half have come": {is.e2e, 5000, time.Millisecond, true, true},
		// Rank 190 of 200: 160 came, and the 30th that was awaited waited since 2.71 s.
		"a quantile of those that have not":       {is.e2e, 9500, 1300 * time.Millisecond, false, true},
		"too few beyond it":                       {is.e2e, 9900, 0, false, false},
		"all were answered but one":               {is.publish, 9500, time.Millisecond, true, true},
		"a rank is by what was offered, not came": {is.e2e, 8000, time.Millisecond, true, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			ns, exact, ok := tt.sample.quantile(tt.share)
			if time.Duration(ns) != tt.want || exact != tt.exact || ok != tt.ok {
				t.Errorf("quantile(%d) = %s, %t, %t, want %s, %t, %t", tt.share, time.Duration(ns), exact, ok, tt.want, tt.exact, tt.ok)
			}
		})
	}
	if top := is.publish.values[len(is.publish.values)-1]; top != int64(501*time.Millisecond) || is.publish.never != 1 {
		t.Errorf("publish has up to %s and %d that never come, want 501ms and 1", time.Duration(top), is.publish.never)
	}
}

// TestThePlanSpreadsItsFaults wants each message to have one fault at most, and so many
// of each kind as are told.
func TestThePlanSpreadsItsFaults(t *testing.T) {
	for _, l := range []lengths{wholeLengths, shortLengths} {
		f := faults(l)
		seen, kinds := map[reference.Message]bool{}, map[reference.Kind]int{}
		last := map[uint32]uint64{}
		for _, fault := range f.script.Faults {
			if seen[fault.Message] {
				t.Errorf("message %+v has two faults", fault.Message)
			}
			seen[fault.Message] = true
			kinds[fault.Kind]++
			// Apart by more than what an overtaken message is held.
			if before, known := last[fault.Producer]; known && fault.Seq-before < 11 {
				t.Errorf("faults of producer %d at %d and %d are too close", fault.Producer, before, fault.Seq)
			}
			last[fault.Producer] = fault.Seq
		}
		for kind, n := range injected {
			if kinds[kind] != n {
				t.Errorf("%d messages to %s, want %d", kinds[kind], kind, n)
			}
		}
	}
}
