// Package technologytest is the conformance suite that every technology's
// driver passes, and starts the stacks that it runs against.
//
// The suite waits for events, never for a length of time: that nothing comes is
// shown by what comes after it, or by a witness that has received everything.
package technologytest

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/technology"
)

// Suite is one system under test.
type Suite struct {
	Technology technology.Technology
	Endpoints  json.RawMessage
	Replicas   int                        // copies of each message in the tests; 1 if zero
	Config     map[string]json.RawMessage // client_config
	Secrets    map[string]json.RawMessage // secret options that the stack was started with
	// Alone is left false when the broker runs inside the test's process: its
	// goroutines can't be told from the driver's, so that leaks are not looked for.
	Alone bool
}

// patience is how long a test waits for anything before it fails.
const patience = time.Minute

// destinations numbers the destinations, so that each test has its own.
var destinations atomic.Int64

// Run runs all tests of the suite, one after another.
func (s Suite) Run(t *testing.T) {
	tests := []struct {
		name string
		run  func(*testing.T, Suite)
	}{
		{"every group receives every message once and in order", everythingArrivesInOrder},
		{"messages without a key arrive once", keylessMessagesArrive},
		{"a key always goes to the same partition", keysStayInTheirPartition},
		{"an explicit partition is honoured", explicitPartition},
		{"a partition that does not exist is refused", noSuchPartition},
		{"consumers without a partition receive nothing", moreConsumersThanPartitions},
		{"the largest message arrives whole", largestMessage},
		{"Send keeps no reference to key and payload", noReferenceKept},
		{"Flush returns after every acknowledgement", ackedBeforeFlushReturns},
		{"several goroutines may send", concurrentSend},
		{"a consumer is positioned when Consumer returns", positioned},
		{"a consumer that comes back starts at the end", positionedAgain},
		{"Pause holds messages back and Resume delivers them once", pauseAndResume},
		{"Close of a paused consumer returns", closeWhilePaused},
		{"a cancelled context ends every call", cancelled},
		{"Close tells the end of what is under way", closeTellsTheEnd},
		{"what the destination holds can be read again", readAgain},
		{"everything may be closed twice", closedTwice},
		{"Prepare tells the guarantees and may be called again", prepareTwice},
		{"an existing destination of another shape is refused", otherShape},
		{"client_config is checked", clientConfig},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if s.Alone {
				checkLeaks(t)
			}
			tt.run(t, s)
		})
	}
}

// fixture is a prepared destination and a driver for it.
type fixture struct {
	t         *testing.T
	ctx       context.Context
	driver    technology.Driver
	workload  experiment.Workload
	effective experiment.Effective

	mu        sync.Mutex                   // protects the following
	incidents map[experiment.Incident]bool // reported
}

// workload is a small one, which a test changes as it likes.
func (s Suite) workload() experiment.Workload {
	return experiment.Workload{
		Topology: experiment.Topology{
			Partitions: 1, Replicas: max(s.Replicas, 1), Producers: 1, ConsumerGroups: 1, ConsumersPerGroup: 1,
			ProducerNodes: 1, ConsumerNodes: 1,
		},
		Load:      experiment.Load{Rate: 1000, MaxInFlight: 1000},
		Message:   experiment.Message{Size: experiment.Size{Min: 64, Max: 1024}},
		Retention: 64 << 20,
		Seed:      42,
	}
}

// prepare opens a driver on a new destination.
func (s Suite) prepare(t *testing.T, w experiment.Workload) *fixture {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	f := &fixture{t: t, ctx: ctx, workload: w, incidents: map[experiment.Incident]bool{}}
	t.Cleanup(f.checkIncidents) // after the driver is closed
	f.driver = s.open(t, ctx, fmt.Sprintf("conformance-%d", destinations.Add(1)), w, f.note)
	var err error
	if f.effective, err = f.driver.Prepare(ctx, w.Topology, w.Retention); err != nil {
		t.Fatalf("Prepare() = %v, want no error", err)
	}
	return f
}

// note takes an incident.
func (f *fixture) note(i experiment.Incident, _ int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.incidents[i] = true
}

// checkIncidents wants only those reported that Prepare says the clients can tell: what is
// not among them is shown as unknown.
func (f *fixture) checkIncidents() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.incidents {
		if !slices.Contains(f.effective.Incidents, i) {
			f.t.Errorf("the clients reported %s, want it among Effective.Incidents, %v", i, f.effective.Incidents)
		}
	}
}

// open opens a driver that is closed at the end of the test.
func (s Suite) open(
	t *testing.T, ctx context.Context, destination string, w experiment.Workload, onIncident func(experiment.Incident, int),
) technology.Driver {
	t.Helper()
	d, err := s.Technology.Open(ctx, s.Endpoints, technology.Settings{
		Destination: destination, ClientConfig: s.Config, Secrets: s.Secrets, Workload: w, OnIncident: onIncident,
	})
	if err != nil {
		t.Fatalf("Open() = %v, want no error", err)
	}
	t.Cleanup(func() { closeOne(t, "driver", d) })
	return d
}

// closeOne closes a driver, producer or consumer.
func closeOne(t *testing.T, what string, c interface{ Close() error }) {
	t.Helper()
	if err := c.Close(); err != nil {
		t.Errorf("Close() of a %s = %v, want no error", what, err)
	}
}

// producer returns producer i and what it acknowledges.
func (f *fixture) producer(i int) (technology.Producer, *acks) {
	f.t.Helper()
	a := newAcks()
	p, err := f.driver.Producer(f.ctx, i, a.add)
	if err != nil {
		f.t.Fatalf("Producer(%d) = %v, want no error", i, err)
	}
	f.t.Cleanup(func() { closeOne(f.t, "producer", p) })
	return p, a
}

// consumer returns consumer i of a group, whose messages go to the inbox.
func (f *fixture) consumer(group string, i int, in *inbox) technology.Consumer {
	f.t.Helper()
	c, err := f.driver.Consumer(f.ctx, group, i, in.receiver())
	if err != nil {
		f.t.Fatalf("Consumer(%s, %d) = %v, want no error", group, i, err)
	}
	f.t.Cleanup(func() { closeOne(f.t, "consumer", c) })
	return c
}

// send hands one message over.
func (f *fixture) send(p technology.Producer, token uint64, partition int, key, payload string) {
	f.t.Helper()
	m := technology.Message{Payload: []byte(payload), Partition: partition}
	if key != "" {
		m.Key = []byte(key)
	}
	if err := p.Send(f.ctx, token, m); err != nil {
		f.t.Fatalf("Send(%d) = %v, want no error", token, err)
	}
}

// flush waits for all acknowledgements.
func (f *fixture) flush(p technology.Producer) {
	f.t.Helper()
	if err := p.Flush(f.ctx); err != nil {
		f.t.Fatalf("Flush() = %v, want no error", err)
	}
}

// payload is a text of one sequence that differs from every other.
func payload(sequence string, n int) string {
	return fmt.Sprintf("%s %d %s", sequence, n, strings.Repeat("x", n%500))
}
