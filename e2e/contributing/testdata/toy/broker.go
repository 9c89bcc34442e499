package toy

import (
	"context"
	"encoding/gob"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"

	"dec.local/dec/technology"
)

// brokerProgram is what the stack single runs.
var brokerProgram = technology.Program{
	Name: "toy-broker",
	Help: "keep messages in memory for the toy's clients, as\nconfigured in " + brokerFile + " in its working folder",
	Run:  runBroker,
}

// brokerFile is where the stack writes what the broker does.
const brokerFile = "toy.json"

// The operations of a request.
const (
	opCreate = "create" // makes the destination, unless it is there
	opSend   = "send"   // appends the message to its partition
	opEnds   = "ends"   // tells where the partitions end
	opFetch  = "fetch"  // waits for messages and returns them
)

// request is what a client asks, response what it gets: one for one, in order.
type request struct {
	Op          string
	Destination string
	Partitions  int         // of opCreate
	Message     message     // of opSend
	From        map[int]int // of opFetch: first offset by partition
	Max         int         // of opFetch: messages at most
}

type response struct {
	Failure  string
	Version  string
	Ends     []int // by partition
	Messages []message
}

type message struct {
	Partition    int
	Key, Payload []byte
}

// broker keeps all messages.
type broker struct {
	delay time.Duration // before a message is acknowledged

	mu           sync.Mutex // protects the following
	destinations map[string][][]message
	changed      chan struct{} // closed at the next message
}

func runBroker(ctx context.Context, log *slog.Logger) error {
	data, err := os.ReadFile(brokerFile)
	if err != nil {
		return fmt.Errorf("read the arguments: %w; %w", err, technology.ErrUsage)
	}
	var config struct {
		Listen  string `json:"listen"`
		DelayMS int    `json:"delay_ms"`
	}
	if err := json.Unmarshal(data, &config); err != nil {
		return fmt.Errorf("read %s: %w", brokerFile, err)
	}
	listener, err := net.Listen("tcp", config.Listen)
	if err != nil {
		return fmt.Errorf("listen as configured in %s: %w", brokerFile, err)
	}
	defer context.AfterFunc(ctx, func() { listener.Close() })()
	b := &broker{
		delay:        time.Duration(config.DelayMS) * time.Millisecond,
		destinations: map[string][][]message{}, changed: make(chan struct{}),
	}
	log.Info("toy-broker listens on " + listener.Addr().String())
	for {
		conn, err := listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		} else if err != nil {
			return fmt.Errorf("accept clients: %w", err)
		}
		go b.serve(conn)
	}
}

// serve answers the requests of one client until it goes.
func (b *broker) serve(conn net.Conn) {
	defer conn.Close()
	in, out := gob.NewDecoder(conn), gob.NewEncoder(conn)
	for {
		var r request
		if in.Decode(&r) != nil || out.Encode(b.answer(r)) != nil {
			return
		}
	}
}

func (b *broker) answer(r request) response {
	if r.Op == opFetch {
		return b.fetch(r)
	}
	if r.Op == opSend {
		time.Sleep(b.delay)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	partitions := b.destinations[r.Destination]
	switch {
	case r.Op == opCreate && partitions == nil:
		b.destinations[r.Destination] = make([][]message, r.Partitions)
	case r.Op == opCreate && len(partitions) != r.Partitions:
		return response{Failure: fmt.Sprintf("it has %d partitions, not %d", len(partitions), r.Partitions)}
	case r.Op == opSend && r.Message.Partition < len(partitions):
		partitions[r.Message.Partition] = append(partitions[r.Message.Partition], r.Message)
		close(b.changed)
		b.changed = make(chan struct{})
	case r.Op == opEnds:
		ends := make([]int, len(partitions))
		for i, messages := range partitions {
			ends[i] = len(messages)
		}
		return response{Ends: ends}
	case r.Op != opCreate:
		return response{Failure: fmt.Sprintf("%s: no such operation or partition", r.Op)}
	}
	return response{Version: version}
}

// fetch waits until there is something from the offsets on.
func (b *broker) fetch(r request) response {
	for {
		b.mu.Lock()
		partitions, changed := b.destinations[r.Destination], b.changed
		var messages []message
		for partition, from := range r.From {
			if partition < len(partitions) {
				found := partitions[partition][from:]
				messages = append(messages, found[:min(len(found), r.Max-len(messages))]...)
			}
		}
		b.mu.Unlock()
		if len(messages) > 0 {
			return response{Messages: messages}
		}
		<-changed
	}
}
