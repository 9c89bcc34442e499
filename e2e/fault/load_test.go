// Package fault proves that DEC finds what goes wrong between an agent and a
// broker. A proxy on the wire loses, repeats or damages a message of a real
// broker; the accounts of the run must tell exactly that and nothing else.
package fault

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"dec.local/dec/internal/agent"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
	"dec.local/dec/internal/planspec"
	"dec.local/dec/internal/rendezvous"
	"dec.local/dec/technology"
	"dec.local/dec/technology/all"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The load of the tests with a proxy: 200 messages of the warm-up, then those
// that count.
const (
	load = `{
		"load": {"rate": 200},
		"message": {"size": "1KiB"},
		"stages": {"warmup": "1s", "measure": "3s", "drain": "2s"},
		"retention_bytes": "64MiB"
	}`
	offered      = 600
	messageBytes = 1024
	targetSeq    = 500 // sequence number of the message with which a proxy interferes, in the middle of the measure stage
)

// run is one run of the load against a broker.
type run struct {
	id        string
	variant   string // JSON
	workload  string // JSON; load if empty
	endpoints json.RawMessage
	onSecond  func(measure.Second) // told of each second; nobody if nil
}

// outcome is what a run's accounts tell.
type outcome struct {
	Counts  measure.Counts
	Lost    []uint64 // sequence numbers that were acknowledged and never received, of any stage
	Foreign int64    // messages of other runs
}

// exactly completes counts of the received messages with those of a producer
// to which nothing happened.
func exactly(received measure.Counts) measure.Counts {
	received.Offered, received.Sent, received.Acked = offered, offered, offered
	received.Bytes = offered * messageBytes
	return received
}

func (o outcome) check(t *testing.T, want outcome) {
	t.Helper()
	if diff := gocmp.Diff(want, o); diff != "" {
		t.Errorf("the run's accounts (-want +got):\n%s", diff)
	}
}

// offer does the whole run with one agent that produces and one that consumes.
func (r run) offer(ctx context.Context, t *testing.T) outcome {
	t.Helper()
	folder, result, err := r.measure(ctx, t)
	if err != nil {
		t.Fatalf("measure() = %v, want no error", err)
	}
	return account(ctx, t, folder, result.Counts)
}

// measure does the whole run and returns where its objects are, and its result.
// The error is that of the server's side, when the load had begun.
func (r run) measure(ctx context.Context, t *testing.T) (rendezvous.Folder, measure.Result, error) {
	t.Helper()
	ctx, cancel := context.WithTimeoutCause(ctx, 6*time.Minute, errors.New("the run takes more than 6 minutes"))
	t.Cleanup(cancel)
	plan := r.plan(t)
	bucket, err := rendezvous.OpenBucket(ctx, "file://"+t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	logger := slog.New(slog.NewTextHandler(t.Output(), nil))
	server := rendezvous.New(rendezvous.Options{Bucket: bucket, Run: r.id, Logger: logger})
	shares := rendezvous.Shares(plan.Workload)
	var agents sync.WaitGroup
	t.Cleanup(func() {
		cancel()
		agents.Wait()
		bucket.Close()
	})
	err = server.WritePlan(ctx, rendezvous.Plan{
		Run: r.id, Destination: "dec-" + r.id, Endpoints: r.endpoints,
		Technology: plan.Variants[0].Technology, ClientConfig: plan.Variants[0].ClientConfig,
		Workload: plan.Workload, Agents: shares,
	})
	if err != nil {
		t.Fatal(err)
	}
	for id := range shares {
		agents.Go(func() {
			o := agent.Options{Bucket: bucket, Run: r.id, ID: id, Technologies: lookup, Version: "test", Logger: logger}
			if err := agent.Run(ctx, o); err != nil {
				t.Errorf("Run() of %s = %v, want no error", id, err)
			}
		})
	}
	result, err := r.follow(ctx, t, server)
	agents.Wait()
	return rendezvous.NewFolder(bucket, r.id), result, err
}

// plan is an experiment of the run's workload and variant.
func (r run) plan(t *testing.T) experiment.Plan {
	t.Helper()
	plan, err := planspec.Decode(fmt.Appendf(nil, `{"workload": %s, "variants": [%s]}`, cmp.Or(r.workload, load), r.variant))
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// follow is the server's side of a run.
func (r run) follow(ctx context.Context, t *testing.T, server *rendezvous.Coordinator) (measure.Result, error) {
	t.Helper()
	if err := server.AwaitReady(ctx); err != nil {
		t.Fatalf("AwaitReady() = %v, want no error", err)
	}
	if _, err := server.Begin(ctx, time.Second); err != nil {
		t.Fatalf("Begin() = %v, want no error", err)
	}
	err := server.Follow(ctx, func(s measure.Second) {
		if r.onSecond != nil {
			r.onSecond(s)
		}
	})
	if err != nil {
		return measure.Result{}, err
	}
	result, _, err := server.Collect(ctx, nil)
	return result, err
}

// account adds to the counts which messages they are about.
func account(ctx context.Context, t *testing.T, folder rendezvous.Folder, counts measure.Counts) outcome {
	t.Helper()
	producer, consumer := results(ctx, t, folder)
	group := consumer.Groups["group-0"]
	o := outcome{Counts: counts, Foreign: group.Foreign}
	for from, until := range producer.Producers[0].Acked.Subtract(group.Received[0]).Runs() {
		for seq := from; seq < until; seq++ {
			o.Lost = append(o.Lost, seq)
		}
	}
	return o
}

// results are what both agents wrote at their end.
func results(ctx context.Context, t *testing.T, folder rendezvous.Folder) (producer, consumer measure.AgentResult) {
	t.Helper()
	if err := folder.Get(ctx, rendezvous.AgentResultObject("producer-0"), &producer); err != nil {
		t.Fatal(err)
	}
	if err := folder.Get(ctx, rendezvous.AgentResultObject("consumer-0"), &consumer); err != nil {
		t.Fatal(err)
	}
	return producer, consumer
}

func lookup(name string) (technology.Technology, bool) {
	for _, t := range all.Technologies() {
		if t.Name == name {
			return t, true
		}
	}
	return technology.Technology{}, false
}
