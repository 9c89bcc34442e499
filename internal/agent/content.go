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

// maxKeySequences bounds the memory for the sequence numbers of keys of all producers.
// With more keys, a message's number within its key is its number within the producer,
// which ascends as well.
const maxKeySequences = 1 << 20

// pool is the random content that the producers of an agent have in common. It is a pure
// function of the workload.
type pool struct {
	bytes []byte
	sums  []uint32 // of each piece where all messages have one size
}

func newPool(w experiment.Workload) *pool {
	rng := rand.New(rand.NewPCG(uint64(w.Seed), 0x706f6f6c))
	size := sizeOf(w)
	p := &pool{bytes: make([]byte, max(poolBytes, int(size.Max)))}
	for i := range p.bytes {
		p.bytes[i] = byte(rng.Uint32())
	}
	if size.Min == size.Max {
		for at := 0; at+int(size.Min) <= len(p.bytes); at += int(size.Min) {
			p.sums = append(p.sums, measure.BodySum(p.bytes[at:at+int(size.Min)]))
		}
	}
	return p
}

// sizeOf is the size of messages, which are at least as long as the header.
func sizeOf(w experiment.Workload) experiment.Size {
	size := w.Message.Size
	return experiment.Size{Min: max(size.Min, measure.HeaderBytes), Max: max(size.Max, measure.HeaderBytes)}
}

// content makes the messages of one producer: payload size, random bytes, key
// and partition. It is a pure function of the workload, the producer's index
// and the number of calls, so a repeated run sends the same messages. It
// allocates nothing per message.
type content struct {
	rng        *rand.Rand
	message    experiment.Message
	first      uint64 // partition of the first message where they go round
	partitions int
	pool       *pool
	offset     int    // of the next message in the pool
	buffer     []byte // the message: producers write their headers into it
	key        []byte // "k" and room for the number
	keySeqs    []uint64
	seq        uint64
}

// newContent returns the content of one producer.
func newContent(w experiment.Workload, producer int, p *pool) *content {
	// The second word keeps the stream apart from those of other producers and
	// from other uses of the seed.
	rng := rand.New(rand.NewPCG(uint64(w.Seed), 0x6d657373616765<<8|uint64(producer)))
	size := sizeOf(w)
	c := &content{
		rng:        rng,
		message:    experiment.Message{Size: size, Key: w.Message.Key},
		first:      uint64(producer), // or all producers would go from partition to partition together
		partitions: max(w.Topology.Partitions, 1),
		pool:       p,
		buffer:     make([]byte, size.Max),
		key:        append(make([]byte, 0, 32), 'k'),
	}
	if n := len(p.sums); n > 0 { // each producer begins elsewhere
		c.offset = rng.IntN(n) * int(size.Min)
	}
	producers := max(w.Topology.Producers, 1)
	if n := w.Message.Key.Cardinality; w.Message.Key.Kind == experiment.KeyUniform && n <= maxKeySequences/producers {
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
		m.Partition = int((c.first + c.seq) % uint64(c.partitions))
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
	if c.offset+size > len(c.pool.bytes) {
		c.offset = 0
	}
	at := c.offset
	c.offset += size
	p := c.buffer[:copy(c.buffer[:size], c.pool.bytes[at:])]
	if c.pool.sums != nil {
		return p, c.pool.sums[at/size]
	}
	return p, measure.BodySum(p)
}
