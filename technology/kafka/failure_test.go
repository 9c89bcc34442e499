package kafka_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/technology"
	"dec.local/dec/technology/technologytest"
)

// traffic is a producer and a consumer of one topic, and what became of the
// messages.
type traffic struct {
	t         *testing.T
	producer  technology.Producer
	sent      uint64
	incidents counted

	mu      sync.Mutex // protects the following
	acked   map[uint64]error
	came    map[string]int // times, by payload
	changed chan struct{}
}

// start opens a driver on the destination, which gives a message up after some
// time, and sends nothing yet.
func start(t *testing.T, endpoints json.RawMessage, destination string, patience time.Duration, topology experiment.Topology) (*traffic, experiment.Effective) {
	t.Helper()
	tr := &traffic{t: t, acked: map[uint64]error{}, came: map[string]int{}, changed: make(chan struct{})}
	d := openWith(t, endpoints, technology.Settings{
		Destination:  destination,
		ClientConfig: map[string]json.RawMessage{"delivery_timeout_ms": fmt.Append(nil, patience.Milliseconds()), "linger_ms": []byte("0")},
		Workload:     experiment.Workload{Topology: topology},
		OnIncident:   tr.incidents.add,
	})
	effective, err := d.Prepare(t.Context(), topology, 0)
	if err != nil {
		t.Fatalf("Prepare() = %v, want no error", err)
	}
	c, err := d.Consumer(t.Context(), "group", 0, func(m technology.Message) {
		tr.note(func() { tr.came[string(m.Payload)]++ })
	})
	if err != nil {
		t.Fatalf("Consumer() = %v, want no error", err)
	}
	t.Cleanup(func() { c.Close() })
	tr.producer, err = d.Producer(t.Context(), 0, func(token uint64, err error) {
		tr.note(func() {
			if _, twice := tr.acked[token]; twice {
				t.Errorf("acked(%d) was called twice", token)
			}
			tr.acked[token] = err
		})
	})
	if err != nil {
		t.Fatalf("Producer() = %v, want no error", err)
	}
	t.Cleanup(func() { tr.producer.Close() })
	return tr, effective
}

func (tr *traffic) note(change func()) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	change()
	close(tr.changed)
	tr.changed = make(chan struct{})
}

// send sends n messages of some bytes to all partitions in turn and waits for
// the end of each: it returns how many were acknowledged and why others failed.
func (tr *traffic) send(n, size, partitions int) (ok int, failures map[string]int) {
	tr.t.Helper()
	first := tr.sent
	for range n {
		payload := []byte(fmt.Sprintf("%d %s", tr.sent, strings.Repeat("x", size)))
		if err := tr.producer.Send(tr.t.Context(), tr.sent, technology.Message{Payload: payload, Partition: int(tr.sent) % partitions}); err != nil {
			tr.t.Fatalf("Send() = %v, want no error", err)
		}
		tr.sent++
	}
	ctx, cancel := context.WithTimeout(tr.t.Context(), time.Minute)
	defer cancel()
	if err := tr.producer.Flush(ctx); err != nil {
		tr.t.Fatalf("Flush() = %v: not every message found its end, want each acknowledged or failed", err)
	}
	tr.mu.Lock()
	defer tr.mu.Unlock()
	failures = map[string]int{}
	for token := first; token < tr.sent; token++ {
		err, ended := tr.acked[token]
		switch {
		case !ended:
			tr.t.Errorf("acked was not called for %d, although Flush returned", token)
		case err == nil:
			ok++
		default:
			failures[err.Error()]++
		}
	}
	return ok, failures
}

// arrive waits until all acknowledged messages have come, and returns how many.
func (tr *traffic) arrive() int {
	tr.t.Helper()
	limit := time.After(time.Minute)
	for {
		tr.mu.Lock()
		missing, acknowledged := 0, 0
		came := map[uint64]bool{}
		for text := range tr.came {
			var token uint64
			fmt.Sscan(text, &token)
			came[token] = true
		}
		for token, err := range tr.acked {
			if err == nil {
				acknowledged++
				if !came[token] {
					missing++
				}
			}
		}
		changed := tr.changed
		tr.mu.Unlock()
		if missing == 0 {
			return acknowledged
		}
		select {
		case <-changed:
		case <-limit:
			tr.t.Fatalf("%d of %d acknowledged messages did not come", missing, acknowledged)
		}
	}
}

func TestOneBrokerOfThreeIsLost(t *testing.T) {
	for name, signal := range map[string]syscall.Signal{"stopped": syscall.SIGTERM, "killed": syscall.SIGKILL} {
		t.Run(name, func(t *testing.T) {
			cluster := run(t, map[string]any{"brokers": 3, "replicas": 3, "min_insync_replicas": 2}, func(_ string, s *technologytest.Service) {
				// What takes the controllers 9 s by default: to notice that a broker is gone.
				s.Files["server.properties"] += "broker.session.timeout.ms=3000\nbroker.heartbeat.interval.ms=500\n"
			})
			// The workload says one copy, the stack's option three.
			topology := experiment.Topology{Partitions: 3, Replicas: 1}
			two, effective := start(t, cluster.Endpoints, "two", time.Minute, topology)
			if n := effective.Value(experiment.WaitedFor); effective.Replicas != 3 || effective.MinInSync != 2 || n != "3" {
				t.Errorf("Prepare() = %d replicas, %d in sync and %s waited for, want 3, 2 and 3", effective.Replicas, effective.MinInSync, n)
			}
			three, _ := start(t, cluster.Endpoints, "three", 5*time.Second, topology)
			wantAllInSync(t, cluster.Endpoints, "three")
			two.send(300, 100, 3)
			three.send(300, 100, 3)
			// Before the loss: while too few copies are in sync, a new leader may
			// not know how far they were, and shows nobody what comes after.
			if n := three.arrive(); n != 300 {
				t.Errorf("%d messages were acknowledged by three of three brokers, want 300", n)
			}

			two.sendWhile(func() {
				cluster.Signal(t, "broker-2", signal)
				<-cluster.Exited("broker-2")
			})
			if ok, failures := two.send(300, 100, 3); ok != 300 {
				t.Errorf("with two of three brokers and two copies needed, %d of 300 were acknowledged, the others: %v", ok, failures)
			}
			_, failures := three.send(3, 100, 3)
			if len(failures) == 0 || !strings.Contains(strings.Join(slices.Collect(maps.Keys(failures)), "\n"), "NOT_ENOUGH_REPLICAS") {
				t.Errorf("with two of three brokers and three copies needed, the failures are %v, want NOT_ENOUGH_REPLICAS", failures)
			}
			if n := two.arrive(); n < 630 {
				t.Errorf("%d messages were acknowledged and came, want all of at least 630", n)
			}
			if n := two.incidents.of(experiment.RetriedSends); n == 0 {
				t.Error("the client of a lost broker reported no message that it sent again, want some")
			}
			if signal == syscall.SIGKILL && two.incidents.of(experiment.Reconnects) == 0 { // one that is asked to stop hands its partitions over first
				t.Error("the clients of a killed broker reported no reconnect, want some")
			}
		})
	}
}

// sendWhile sends, and wants every message acknowledged, until disturb returns.
func (tr *traffic) sendWhile(disturb func()) {
	tr.t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		disturb()
	}()
	for ended := false; !ended; {
		if ok, failures := tr.send(30, 100, 3); ok != 30 {
			tr.t.Fatalf("while a broker of three is lost, %d of 30 were acknowledged, the others: %v", ok, failures)
		}
		select {
		case <-done:
			ended = true
		default:
		}
	}
}

// wantAllInSync lets a topic acknowledge only what all its three copies have.
func wantAllInSync(t *testing.T, endpoints json.RawMessage, topic string) {
	t.Helper()
	admin := kadm.NewClient(client(t, endpoints))
	responses, err := admin.AlterTopicConfigs(t.Context(), []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "min.insync.replicas", Value: kadm.StringPtr("3")}}, topic)
	if err != nil || responses[0].Err != nil {
		t.Fatalf("set min.insync.replicas of %s: %v, %v", topic, responses, err)
	}
}

func TestFullDisk(t *testing.T) {
	t.Parallel()
	cluster := run(t, nil, func(_ string, s *technologytest.Service) {
		const onSmallDisk = `mkdir data && mount -t tmpfs -o size=40m none data ||
			{ echo "no tmpfs without root: this test needs user namespaces (sysctl kernel.unprivileged_userns_clone=1, user.max_user_namespaces > 0)"; exit 1; }
			exec "$@"`
		s.Command = append([]string{"/usr/bin/unshare", "--user", "--map-root-user", "--mount", "--", "/bin/sh", "-c", onSmallDisk, "small-disk"}, s.Command...)
	})
	tr, _ := start(t, cluster.Endpoints, "full", 5*time.Second, experiment.Topology{Partitions: 1, Replicas: 1})
	failures := map[string]int{}
	for len(failures) == 0 {
		if tr.sent > 1000 {
			t.Fatalf("%d messages of 100 kB fit on a disk of 40 MB", tr.sent)
		}
		_, failures = tr.send(5, 100_000, 1)
		if len(failures) == 0 {
			tr.arrive()
		}
	}
	t.Logf("after %d messages: %v", tr.sent, failures)
	for reason := range failures {
		if !strings.Contains(reason, "KAFKA_STORAGE_ERROR") && !strings.Contains(reason, "connect") {
			t.Errorf("a message failed with %q, want the broker's reason or that it is gone", reason)
		}
	}
}
