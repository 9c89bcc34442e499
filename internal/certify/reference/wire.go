package reference

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
)

// Each frame is its length in four bytes and that many bytes. The first one of a
// connection is a hello; what follows depends on its role:
//
//	producer  to the broker: token 8, partition 4, payload; from it: token 8, why it was refused
//	consumer  from the broker: an empty frame once it is positioned, then partition 4, payload
//	reader    from the broker: partition 4, payload of each message that it holds; then it closes
//	control   to the broker: a request; from it: an answer. Both are JSON
//
// Numbers are little endian.

// role is what a connection is for.
type role string

const (
	roleProducer role = "producer"
	roleConsumer role = "consumer"
	roleReader   role = "reader"
	roleControl  role = "control"
)

// hello begins a connection.
type hello struct {
	Role  role   `json:"role"`
	Run   string `json:"run"`
	Index int    `json:"index,omitempty"` // of the consumer
}

// request is what the control connection asks for.
type request struct {
	Script *Script `json:"script,omitempty"` // open the run
	Start  int64   `json:"start,omitempty"`  // the load starts then, wall ns
	End    bool    `json:"end,omitempty"`    // tell the record and forget the run
}

// answer is what comes back.
type answer struct {
	Error  string  `json:"error,omitempty"`
	Record *Record `json:"record,omitempty"`
}

const (
	headerBytes = 4
	maxFrame    = 64 << 20      // a record; messages are smaller
	buffered    = 64 << 10      // of a connection's reader
	most        = maxFrame >> 6 // of a message
)

// link is one end of a connection.
type link struct {
	net.Conn
	in *bufio.Reader
}

func newLink(c net.Conn) *link { return &link{c, bufio.NewReaderSize(c, buffered)} }

// read returns the next frame, in buf if it has room.
func (l *link) read(buf []byte) ([]byte, error) {
	var head [headerBytes]byte
	if _, err := io.ReadFull(l.in, head[:]); err != nil {
		return nil, err
	}
	n := int(binary.LittleEndian.Uint32(head[:]))
	if n > maxFrame {
		return nil, fmt.Errorf("a frame of %d bytes", n)
	}
	if cap(buf) < n {
		buf = make([]byte, n)
	}
	_, err := io.ReadFull(l.in, buf[:n])
	return buf[:n], err
}

// frame appends the head of a frame with n bytes.
func frame(to []byte, n int) []byte { return binary.LittleEndian.AppendUint32(to, uint32(n)) }

// writeJSON sends v as one frame.
func (l *link) writeJSON(v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = l.Write(append(frame(nil, len(data)), data...))
	return err
}

// readJSON reads one frame into v.
func (l *link) readJSON(v any) error {
	data, err := l.read(nil)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, v)
}
