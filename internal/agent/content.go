package agent

import (
	"math/rand/v2"
	"strconv"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
	"dec.local/dec/technology"
)

// poolBytes is how much random content a producer cycles through. It is larger
// than the window of the usual compressors and than a client's batch, so that
// messages can't be compressed against each other.
const poolBytes = 1 << 20

// maxKeySequences bounds the memory for the sequence numbers of keys. With more
// keys, a message's number within its key is its number within the producer,
// which ascends as well.
const maxKeySequences = 1 << 20

// content makes the messages of one producer: payload size, random bytes, key
// and partition. It is a pure function of the workload, the producer's index
// and the number of calls, so a repeated run sends the same messages. It
// allocates nothing per message.
type content struct {
	rng        *rand.Rand
	message    experiment.Message
	partitions int
	pool       []byte
	offset     int
	sums       []uint32 // of each piece of the pool where all have one size
	key        []byte   // "k" and room for the number
	keySeqs    []uint64
	seq        uint64
}

// newContent returns the content of one producer. Payloads are at least as long
// as the header.
func newContent(w experiment.Workload, producer int) *content {
	// The second word keeps the stream apart from those of other producers and
	// from other uses of the seed.
	rng := rand.New(rand.NewPCG(uint64(w.Seed), 0x6d657373616765<<8|uint64(producer)))
	size := w.Message.Size
	size.Min, size.Max = max(size.Min, measure.HeaderBytes), max(size.Max, measure.HeaderBytes)
	c := &content{
		rng:        rng,
		message:    experiment.Message{Size: size, Key: w.Message.Key},
		partitions: max(w.Topology.Partitions, 1),
		pool:       make([]byte, max(poolBytes, int(size.Max))),
		key:        append(make([]byte, 0, 32), 'k'),
	}
	for i := range c.pool {
		c.pool[i] = byte(rng.Uint32())
	}
	if size.Min == size.Max {
		for at := 0; at+int(size.Min) <= len(c.pool); at += int(size.Min) {
			c.sums = append(c.sums, measure.BodySum(c.pool[at:at+int(size.Min)]))
		}
	}
	if n := w.Message.Key.Cardinality; w.Message.Key.Kind == experiment.KeyUniform && n <= maxKeySequences {
		c.keySeqs = make([]uint64, max(n, 1))
	}
	return c
}

// next returns the next message, the header that says what it is, and the
// checksum of the payload's body; run, producer and times are the caller's. Key
// and payload are valid until the next call, and the caller puts the header into
// the payload's first bytes.
func (c *content) next() (technology.Message, measure.Header, uint32) {
	payload, sum := c.payload()
	m := technology.Message{Payload: payload, Partition: technology.AnyPartition}
	h := measure.Header{Seq: c.seq, KeySeq: c.seq, Key: measure.NoKey}
	switch c.message.Key.Kind {
	case experiment.KeyRoundRobin:
		m.Partition = int(c.seq % uint64(c.partitions))
	case experiment.KeyUniform:
		n := c.rng.Uint64N(uint64(max(c.message.Key.Cardinality, 1)))
		m.Key, h.Key = strconv.AppendUint(c.key, n, 10), uint32(n)
		if c.keySeqs != nil {
			h.KeySeq = c.keySeqs[n]
			c.keySeqs[n]++
		}
	}
	c.seq++
	return m, h, sum
}

// payload returns the next piece of the pool and the checksum of its body.
func (c *content) payload() ([]byte, uint32) {
	size := int(c.message.Size.Min)
	if spread := c.message.Size.Max - c.message.Size.Min; spread > 0 {
		size += int(c.rng.Uint64N(uint64(spread) + 1))
	}
	if c.offset+size > len(c.pool) {
		c.offset = 0
	}
	p := c.pool[c.offset : c.offset+size : c.offset+size]
	at := c.offset
	c.offset += size
	if c.sums != nil {
		return p, c.sums[at/size]
	}
	return p, measure.BodySum(p)
}
