package agent_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"dec.local/dec/internal/agent"
	"dec.local/dec/internal/agent/agenttest"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
	"dec.local/dec/internal/pacing"
	"dec.local/dec/internal/rendezvous"
	"dec.local/dec/internal/rendezvous/buckettest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// workload is a load of 1,000 messages a second for 2 s after a warm-up of 1 s.
func workload(change ...func(*experiment.Workload)) experiment.Workload {
	w := experiment.Workload{
		Topology: experiment.Topology{
			Partitions: 1, Replicas: 1, Producers: 1, ConsumerGroups: 1, ConsumersPerGroup: 1, ProducerNodes: 1, ConsumerNodes: 1,
		},
		Load:    experiment.Load{Rate: 1000, Arrivals: experiment.ArrivalsUniform, MaxInFlight: 10_000},
		Message: experiment.Message{Size: experiment.Size{Min: 100, Max: 100}, Key: experiment.Key{Kind: experiment.KeyNone}},
		Stages: experiment.Stages{
			Warmup:  experiment.Duration(time.Second),
			Measure: experiment.Duration(2 * time.Second),
			Drain:   experiment.Duration(10 * time.Second),
		},
		Seed: 42,
	}
	for _, f := range change {
		f(&w)
	}
	return w
}

// timer is the clock of virtual time.
func timer(a pacing.Anchor) (agent.Clock, error) { return pacing.Timer{Anchor: a}, nil }

// bench is one run in a bucket of its own: agents that can be started, and the
// server's side.
type bench struct {
	t      *testing.T
	bucket *rendezvous.Bucket
	plan   rendezvous.Plan
	broker *agenttest.Broker
	clock  agent.ClockFunc
	log    slog.Handler // of the agents

	wg sync.WaitGroup

	mu     sync.Mutex // protects the following
	errors map[string]error
}

func newBench(t *testing.T, w experiment.Workload, o agenttest.Options) *bench {
	t.Helper()
	return newBenchIn(t, buckettest.Folder(t), w, o)
}

func newBenchIn(t *testing.T, bucket *rendezvous.Bucket, w experiment.Workload, o agenttest.Options) *bench {
	t.Helper()
	b := &bench{
		t: t, bucket: bucket, broker: agenttest.New(o), clock: timer, log: slog.DiscardHandler,
		errors: make(map[string]error),
		plan: rendezvous.Plan{
			Run: "r123456789", Technology: agenttest.Name, Destination: "dec",
			Endpoints: json.RawMessage(`{}`), Workload: w, Agents: rendezvous.Shares(w),
		},
	}
	t.Cleanup(func() {
		b.wg.Wait()
		b.broker.Close()
	})
	return b
}

// server returns a new server for the run.
func (b *bench) server() *rendezvous.Coordinator {
	return rendezvous.New(rendezvous.Options{
		Bucket: b.bucket, Run: b.plan.Run, Logger: slog.New(slog.DiscardHandler),
	})
}

// start starts an agent.
func (b *bench) start(ctx context.Context, id string) {
	b.wg.Go(func() {
		err := agent.Run(ctx, agent.Options{
			Bucket: b.bucket, Run: b.plan.Run, ID: id, Clock: b.clock,
			Technologies: b.broker.Technologies, Version: "test", Logger: slog.New(b.log),
		})
		b.mu.Lock()
		defer b.mu.Unlock()
		b.errors[id] = err
	})
}

// startAll writes the plan and starts every agent of it.
func (b *bench) startAll(ctx context.Context) {
	b.t.Helper()
	if err := b.server().WritePlan(ctx, b.plan); err != nil {
		b.t.Fatal(err)
	}
	for _, id := range slices.Sorted(maps.Keys(b.plan.Agents)) {
		b.start(ctx, id)
	}
}

// prepared is what the leader has prepared.
func (b *bench) prepared() (p rendezvous.Prepared) {
	b.t.Helper()
	if err := rendezvous.NewFolder(b.bucket, b.plan.Run).Get(b.t.Context(), rendezvous.PreparedObject, &p); err != nil {
		b.t.Fatal(err)
	}
	return p
}

// begin starts the load as soon as all agents are ready.
func (b *bench) begin(ctx context.Context, server *rendezvous.Coordinator) {
	b.t.Helper()
	if err := server.AwaitReady(ctx); err != nil {
		b.t.Fatalf("AwaitReady() = %v", err)
	}
	if _, err := server.Begin(ctx, time.Second); err != nil {
		b.t.Fatalf("Begin() = %v", err)
	}
}

// run does the whole run and returns its result and the seconds as they came.
func (b *bench) run() (measure.Result, []measure.Second) {
	b.t.Helper()
	ctx := b.t.Context()
	b.startAll(ctx)
	server := b.server()
	b.begin(ctx, server)
	var seconds []measure.Second
	if err := server.Follow(ctx, func(s measure.Second) { seconds = append(seconds, s) }); err != nil {
		b.t.Fatalf("Follow() = %v", err)
	}
	result, _, err := server.Collect(ctx, nil)
	if err != nil {
		b.t.Fatalf("Collect() = %v", err)
	}
	b.wg.Wait()
	for id, err := range b.errors {
		if err != nil {
			b.t.Errorf("Run() of %s = %v, want nil", id, err)
		}
	}
	return result, seconds
}

var errTest = errors.New("no space left")
