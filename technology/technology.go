// Package technology is the contract between DEC and the technologies that it
// compares. A technology is one folder below this one: a driver in Go and its
// stacks in HCL.
//
// A driver speaks to a broker and knows nothing of rates, clocks or histograms:
// the agent measures, so all technologies are measured by the same code.
//
// What the comments here promise is what package technologytest demands of every
// driver. [ConfigField] and [DecodeConfig] read a client_config with the messages that
// it expects, [Retry] and [Final] wait for a broker that is starting, and [Gate]
// pauses a consumer.
package technology

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	"dec.local/dec/internal/experiment"
)

// Stacks holds the stacks of all technologies, as <technology>/stacks/<stack>.
//
//go:embed all:*/stacks
var Stacks embed.FS

// Technology is what a folder offers: its name, and how to open a driver.
type Technology struct {
	Name  string // the folder's name
	Title string // for people: "Apache Kafka"
	// ConfigSchema is the JSON Schema of the variant's client_config.
	ConfigSchema json.RawMessage
	// CheckConfig validates a client_config against the workload without any
	// I/O: the server calls it before anything is started. Its error says what
	// to write instead. It also refuses workload fields that this technology
	// can't honour. Paths in an *experiment.Problems are relative to the variant.
	CheckConfig func(clientConfig map[string]json.RawMessage, w experiment.Workload) error
	// Open connects to a broker that may still be starting: it polls until
	// the endpoints answer or ctx ends.
	Open func(ctx context.Context, endpoints json.RawMessage, s Settings) (Driver, error)
	// Programs are what it adds to dec-agent; none for most.
	Programs []Program
	// Cost is what a message costs an agent; zero if nobody has measured it.
	Cost Cost
}

// Cost is the processor time that an agent spends on a message of 1 KiB, its own work
// included, as seen on a small virtual machine at 20,000 messages a second, or near the
// highest rate of a slower technology.
type Cost struct{ Send, Receive time.Duration }

// Settings is what a driver needs beside the endpoints.
type Settings struct {
	Destination  string                     // topic, stream or subject to create and use; a slug
	ClientConfig map[string]json.RawMessage // has passed CheckConfig
	Secrets      map[string]json.RawMessage // secret options of the stack that were given, by name; never in an error or a log
	Workload     experiment.Workload
	// OnIncident is called with incidents of [experiment.Effective] as they happen, by any
	// goroutine; it may be nil: drivers call [Settings.Report].
	OnIncident func(experiment.Incident, int)
	Logger     *slog.Logger // slog.Default() if nil; for what has no caller to return to
}

// Report passes n incidents on to OnIncident. It does not block.
func (s Settings) Report(i experiment.Incident, n int) {
	if s.OnIncident != nil && n > 0 {
		s.OnIncident(i, n)
	}
}

// Driver speaks to one technology. Its methods may be called from several
// goroutines.
type Driver interface {
	// Prepare creates the destination and returns the guarantees that are in
	// force, read back from the broker, with its "version" among the details. As
	// many replicas as the topology asks for are in force, or it fails. Calling it
	// again is not an error, but a destination of another shape is.
	Prepare(ctx context.Context, t experiment.Topology, retention experiment.Bytes) (experiment.Effective, error)
	// Producer returns producer i. The function acked is called once for each
	// token, from any goroutine, and must not block.
	Producer(ctx context.Context, i int, acked func(token uint64, err error)) (Producer, error)
	// Consumer joins consumer i to a group and returns only when positioned:
	// whatever is sent afterwards arrives, and nothing that was sent before the
	// group's first consumer joined. Each message reaches one consumer of each
	// group; a partition is read by one of them at a time, in the order of the
	// partition, and so are the messages of a key. The function received is called
	// for one message at a time per consumer; the message is valid only during the
	// call.
	Consumer(ctx context.Context, group string, i int, received func(Message)) (Consumer, error)
	// Close releases everything; producers and consumers are closed before it.
	// A second call does nothing.
	Close() error
}

// Rereader is a [Driver] that can tell what its destination still holds, so that a
// message that did not arrive in time can be told from one that is lost. A technology
// that deletes messages as they are read cannot.
type Rereader interface {
	// Remaining calls held for every message that the destination holds now: at least
	// once, one at a time, in any order, valid only during the call. Each has its
	// partition: what the oldest one there is tells which others may have been deleted. It
	// reads apart from all groups and disturbs none. expired says that messages were
	// deleted because of the retention. A destination that is gone holds nothing. On an
	// error nothing is known.
	Remaining(ctx context.Context, held func(Message)) (expired bool, err error)
}

// ErrClosed is what a driver, producer or consumer answers once it was closed,
// and what acked is told about messages that were under way then.
var ErrClosed = errors.New("closed")

// Producer sends messages. Its methods may be called from several goroutines.
type Producer interface {
	// Send hands one message over. It never waits for the acknowledgement and
	// keeps no reference to the payload or the key once it has returned. It may
	// block while the client's buffers are full. Once ctx has ended the error is
	// its cause; what was handed over before is not affected. After an error acked
	// is not called for this token.
	Send(ctx context.Context, token uint64, m Message) error
	// Flush returns when every sent message was acknowledged or has failed.
	Flush(ctx context.Context) error
	// Close flushes nothing: acked is told [ErrClosed] of what is under way, and
	// is not called any more once Close has returned. A second call does nothing.
	Close() error
}

// Consumer receives messages until it is closed.
type Consumer interface {
	// Pause stops reading, for backlogs. One message may still be under way to the
	// application. Nothing is redelivered unless it lasts longer than a broker waits
	// for acknowledgements, where the technology has such a time.
	Pause()
	// Resume goes on where Pause stopped.
	Resume()
	// Close stops reading; no message is handed over once it has returned. A
	// second call does nothing.
	Close() error
}

// AnyPartition leaves the choice of the partition to the key, or to the client
// when there is no key.
const AnyPartition = -1

// Message is what is sent and received. Equal keys go to the same partition, whoever
// sends them. A partition that is given goes before the key; one that does not exist is
// an error of Send.
type Message struct {
	Key       []byte // any bytes; none if empty
	Payload   []byte
	Partition int // from 0, or AnyPartition; at a receiver always the real one
}
