package measure

import (
	"encoding/binary"
	"hash/crc32"
	"hash/fnv"
)

// HeaderBytes is the length of a [Header], the least payload of a message.
const HeaderBytes = 64

// NoKey is the [Header.Key] of a message without a key.
const NoKey = ^uint32(0)

// Header stands at the beginning of each message's payload and accounts for it.
type Header struct {
	Run      uint64 // of [RunHash]
	Producer uint32
	Key      uint32 // number of the key, from 0, or NoKey
	Seq      uint64 // of the producer, from 0 over the whole load phase
	KeySeq   uint64 // of the producer within the key, from 0; Seq without a key
	Intended int64  // intended send time, wall ns
	Sent     int64  // real send time, wall ns
}

// The layout, little endian: magic 0, checksum 4, run 8, producer 16, key 20,
// seq 24, key seq 32, intended 40, sent 48, body's checksum 56, zero 60–63. The
// body is all behind the header. Both checksums are CRC-32C; the first covers the
// header behind it, the body's checksum included, so a body that is sent again
// and again need be summed only once.
const (
	headerMagic = 0x31434544 // "DEC1"
	checked     = 8          // first byte under the checksum
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// RunHash names a run in its messages.
func RunHash(run string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(run))
	return h.Sum64()
}

// BodySum is the checksum of the part of a payload that is behind the header.
func BodySum(payload []byte) uint32 { return crc32.Checksum(payload[HeaderBytes:], castagnoli) }

// Put writes the header into the first [HeaderBytes] of the payload. The payload
// must not be shorter, and body must be its [BodySum].
func (h Header) Put(payload []byte, body uint32) {
	b := payload[:HeaderBytes]
	le := binary.LittleEndian
	le.PutUint32(b[0:], headerMagic)
	le.PutUint64(b[8:], h.Run)
	le.PutUint32(b[16:], h.Producer)
	le.PutUint32(b[20:], h.Key)
	le.PutUint64(b[24:], h.Seq)
	le.PutUint64(b[32:], h.KeySeq)
	le.PutUint64(b[40:], uint64(h.Intended))
	le.PutUint64(b[48:], uint64(h.Sent))
	le.PutUint32(b[56:], body)
	le.PutUint32(b[60:], 0)
	le.PutUint32(b[4:], crc32.Checksum(b[checked:], castagnoli))
}

// Kind says what a received payload is.
type Kind int

// The kinds of received payloads.
const (
	Intact  Kind = iota // a message of this run
	Foreign             // an intact message of another run, or nothing that we ever wrote
	Corrupt             // of this run, but damaged or cut off
)

// ParseHeader verifies a received payload against the run's hash. The header is
// meaningful only when the payload is [Intact], or Foreign from another run.
func ParseHeader(payload []byte, run uint64) (Header, Kind) {
	if len(payload) < HeaderBytes {
		return Header{}, Corrupt // the destination is the run's own, and it sends nothing as short
	}
	b := payload[:HeaderBytes]
	le := binary.LittleEndian
	h := Header{
		Run:      le.Uint64(b[8:]),
		Producer: le.Uint32(b[16:]),
		Key:      le.Uint32(b[20:]),
		Seq:      le.Uint64(b[24:]),
		KeySeq:   le.Uint64(b[32:]),
		Intended: int64(le.Uint64(b[40:])),
		Sent:     int64(le.Uint64(b[48:])),
	}
	magic := le.Uint32(b) == headerMagic
	intact := magic && le.Uint32(b[4:]) == crc32.Checksum(b[checked:], castagnoli) && le.Uint32(b[56:]) == BodySum(payload) &&
		h.Seq < MaxSequence && h.Producer <= maxProducer
	switch {
	case intact && h.Run == run:
		return h, Intact
	case intact, !magic && h.Run != run:
		return h, Foreign
	default:
		return h, Corrupt
	}
}
