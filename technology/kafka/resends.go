package kafka

import (
	"encoding/binary"
	"net"
	"sync"

	"github.com/twmb/franz-go/pkg/kmsg"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/technology"
)

// resends counts the messages that one producer's client sends again. franz-go does so by
// itself and tells nobody, so the requests are read on their way out: an idempotent
// producer numbers the messages of a partition, and a number that was sent before is one
// that is sent again. Only those can be told.
type resends struct {
	settings technology.Settings

	mu   sync.Mutex       // protects the following
	next map[sender]int32 // sequence number after the last one sent
}

// sender is what numbers messages: a producer, by Kafka's id and epoch, for a partition.
// There is one topic.
type sender struct {
	id        int64
	epoch     int16
	partition int32
}

// watch returns conn, whose requests are read.
func (r *resends) watch(conn net.Conn) net.Conn { return &watched{conn, r} }

type watched struct {
	net.Conn
	resends *resends
}

// Write implements [net.Conn]. franz-go writes each request at once and whole.
func (w *watched) Write(request []byte) (int, error) {
	w.resends.read(request)
	return w.Conn.Write(request)
}

// Where the fields of a request's header and of a record batch (version 2) begin, from
// https://kafka.apache.org/protocol and https://kafka.apache.org/documentation/#recordbatch.
const (
	requestKey      = 4
	requestVersion  = 6
	requestClientID = 12 // after the correlation id
	batchProducer   = 43
	batchEpoch      = 51
	batchSequence   = 53
	batchCount      = 57
	batchRecords    = 61
)

// read looks into a request. What it does not understand it leaves alone.
func (r *resends) read(request []byte) {
	if len(request) < requestClientID+2 || binary.BigEndian.Uint16(request[requestKey:]) != uint16(kmsg.Produce) {
		return
	}
	produce := kmsg.NewPtrProduceRequest()
	produce.SetVersion(int16(binary.BigEndian.Uint16(request[requestVersion:])))
	body := requestClientID + 2 + max(0, int(int16(binary.BigEndian.Uint16(request[requestClientID:]))))
	if produce.IsFlexible() {
		body++ // no tags
	}
	if body > len(request) || produce.UnsafeReadFrom(request[body:]) != nil {
		return
	}
	again := 0
	r.mu.Lock()
	for _, topic := range produce.Topics {
		for _, p := range topic.Partitions {
			again += r.note(p.Partition, p.Records)
		}
	}
	r.mu.Unlock()
	r.settings.Report(experiment.RetriedSends, again)
}

// note notes a batch and returns how many of its messages were sent before. Called with
// the mutex held.
func (r *resends) note(partition int32, batch []byte) int {
	if len(batch) < batchRecords {
		return 0
	}
	s := sender{
		id: int64(binary.BigEndian.Uint64(batch[batchProducer:])), epoch: int16(binary.BigEndian.Uint16(batch[batchEpoch:])), partition: partition,
	}
	if s.id < 0 {
		return 0 // not idempotent
	}
	first, count := int32(binary.BigEndian.Uint32(batch[batchSequence:])), int32(binary.BigEndian.Uint32(batch[batchCount:]))
	next, known := r.next[s]
	before := min(next-first, count) // they go on at 0 after the largest, far from what is sent again
	if !known || before <= 0 || next-first > maxAgain {
		before = 0
	}
	if before < count {
		r.next[s] = first + count
	}
	return int(before)
}

// maxAgain is more than the messages of a partition that can be under way.
const maxAgain = 1 << 24
