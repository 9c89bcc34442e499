package kinesis_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/technology"
	"dec.local/dec/technology/kinesis"
)

// bench is a driver with what it has told.
type bench struct {
	t      *testing.T
	driver technology.Driver

	mu        sync.Mutex // protects the following
	incidents map[experiment.Incident]int
	acks      map[uint64]error
	acked     chan struct{} // one item for each acknowledgement
	received  []technology.Message
	came      chan struct{} // one item for each message
}

// setup is what a test may change of the driver's settings.
type setup struct {
	consumers string // "polling" if empty
	config    string // client_config
	groups    int
	members   int
	workload  experiment.Workload
}

// connect opens a driver of the fake's stream.
func connect(t *testing.T, f *fakeKinesis, s setup) *bench {
	t.Helper()
	if s.consumers == "" {
		s.consumers = "polling"
	}
	return connectTo(t, f.endpoints(s.consumers), s)
}

// connectTo opens a driver of any Kinesis.
func connectTo(t *testing.T, endpoints json.RawMessage, s setup) *bench {
	t.Helper()
	var config map[string]json.RawMessage
	if s.config != "" {
		if err := json.Unmarshal([]byte(s.config), &config); err != nil {
			t.Fatal(err)
		}
	}
	s.workload.Topology.ConsumerGroups, s.workload.Topology.ConsumersPerGroup = s.groups, s.members
	b := &bench{t: t, incidents: map[experiment.Incident]int{}, acks: map[uint64]error{}, acked: make(chan struct{}, 1<<20), came: make(chan struct{}, 1<<20)}
	var err error
	b.driver, err = kinesis.Technology.Open(t.Context(), endpoints, technology.Settings{
		Destination: "orders", ClientConfig: config, Workload: s.workload, OnIncident: b.onIncident,
	})
	if err != nil {
		t.Fatalf("Open() = %v, want no error", err)
	}
	t.Cleanup(func() { shut(t, b.driver) })
	return b
}

// shut closes a driver, producer or consumer.
func shut(t *testing.T, c interface{ Close() error }) {
	t.Helper()
	if err := c.Close(); err != nil {
		t.Errorf("Close() = %v, want no error", err)
	}
}

func (b *bench) onIncident(i experiment.Incident, n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.incidents[i] += n
}

// count returns how often an incident was reported.
func (b *bench) count(i experiment.Incident) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.incidents[i]
}

// producer returns a producer whose acknowledgements are kept.
func (b *bench) producer() technology.Producer {
	b.t.Helper()
	p, err := b.driver.Producer(b.t.Context(), 0, func(token uint64, err error) {
		b.mu.Lock()
		if _, twice := b.acks[token]; twice {
			err = errors.Join(err, fmt.Errorf("acked was called twice for %d", token))
		}
		b.acks[token] = err
		b.mu.Unlock()
		b.acked <- struct{}{}
	})
	if err != nil {
		b.t.Fatalf("Producer() = %v, want no error", err)
	}
	b.t.Cleanup(func() { shut(b.t, p) })
	return p
}

// consumer returns a consumer whose messages are kept.
func (b *bench) consumer(group string, i int) technology.Consumer {
	b.t.Helper()
	c, err := b.driver.Consumer(b.t.Context(), group, i, func(m technology.Message) {
		m.Key, m.Payload = append([]byte(nil), m.Key...), append([]byte(nil), m.Payload...)
		b.mu.Lock()
		b.received = append(b.received, m)
		b.mu.Unlock()
		b.came <- struct{}{}
	})
	if err != nil {
		b.t.Fatalf("Consumer() = %v, want no error", err)
	}
	b.t.Cleanup(func() { shut(b.t, c) })
	return c
}

// wait takes n items.
func (b *bench) wait(from <-chan struct{}, n int, what string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), time.Minute)
	defer cancel()
	for i := range n {
		select {
		case <-from:
		case <-ctx.Done():
			b.t.Fatalf("%d %s came within a minute, want %d", i, what, n)
		}
	}
}

// texts are the payloads that came, by key.
func (b *bench) texts() map[string][]string {
	b.mu.Lock()
	defer b.mu.Unlock()
	found := map[string][]string{}
	for _, m := range b.received {
		found[string(m.Key)] = append(found[string(m.Key)], string(m.Payload))
	}
	return found
}

// send hands one message over.
func send(t testing.TB, p technology.Producer, token int, key, payload string) {
	t.Helper()
	if err := p.Send(t.Context(), uint64(token), technology.Message{Key: []byte(key), Payload: []byte(payload), Partition: technology.AnyPartition}); err != nil {
		t.Fatalf("Send(%d) = %v, want no error", token, err)
	}
}

// flush waits for the end of all messages.
func flush(t testing.TB, p technology.Producer) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := p.Flush(ctx); err != nil {
		t.Fatalf("Flush() = %v, want no error", err)
	}
}
