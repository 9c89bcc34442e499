package phases_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"dec.local/dec/internal/agent"
	"dec.local/dec/internal/agent/agenttest"
	"dec.local/dec/internal/measure"
	"dec.local/dec/internal/orchestrator"
	"dec.local/dec/internal/pacing"
	"dec.local/dec/internal/rendezvous"
	"dec.local/dec/target"
)

type (
	assigned = orchestrator.Assignment
	measured = measure.Second
)

// agents are the real ones of the run, on a broker in memory.
type agents struct {
	broker *agenttest.Broker
	all    sync.WaitGroup
}

// startAgents starts them, and ends them with the test.
func (f *fixture) startAgents(a assigned) *agents {
	g := &agents{broker: agenttest.New(agenttest.Options{Latency: time.Millisecond})}
	ctx, stop := context.WithCancel(f.t.Context())
	for id := range rendezvous.Shares(a.Plan.Workload) {
		g.all.Go(func() {
			_ = agent.Run(ctx, agent.Options{ // what comes of it, the server tells
				Bucket: f.bucket, Run: run, ID: id, Technologies: g.broker.Technologies, Version: "test", Build: "b1",
				Clock:  func(anchor pacing.Anchor) (agent.Clock, error) { return pacing.Timer{Anchor: anchor}, nil },
				Logger: slog.New(slog.DiscardHandler),
			})
		})
	}
	f.t.Cleanup(func() { stop(); g.all.Wait(); g.broker.Close() })
	return g
}

// loaded is the run of a technology that the agents know.
func loaded(targetName string) assigned {
	a := assignment(targetName)
	a.Variant.Technology = agenttest.Name
	return a
}

// TestALoadIsLedToItsResult leads real agents through a run, in virtual time.
func TestALoadIsLedToItsResult(t *testing.T) {
	for name, wantBrokers := range map[string]bool{"shared": true, "cloud": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var from, until time.Time
				f := newFixture(t)
				usage := func(asked string, a, b time.Time) map[string]target.Usage {
					from, until = a, b
					if asked != run {
						t.Errorf("the usage of %s is asked for, want of %s", asked, run)
					}
					return map[string]target.Usage{
						"broker-0": {CPUSeconds: 1, MaxRSSBytes: 10}, "broker-1": {CPUSeconds: 2, MaxRSSBytes: 20}, "producer-0": {CPUSeconds: 100, MaxRSSBytes: 100},
					}
				}
				f.usage(usage)
				a := loaded(name)
				f.startAgents(a)
				ctx := t.Context()
				if err := f.Workload.Prepare(ctx, a, json.RawMessage(`{"hosts":[]}`)); err != nil {
					t.Fatalf("Prepare() = %v", err)
				}
				if err := f.Workload.Prepare(ctx, a, json.RawMessage(`{"hosts":[]}`)); err != nil {
					t.Fatalf("Prepare() of another server = %v", err)
				}
				if err := f.Workload.Load(ctx, a); err != nil {
					t.Fatalf("Load() = %v", err)
				}
				if len(f.seconds) < 5 || slices.ContainsFunc(f.seconds, func(of string) bool { return of != run+" of e1" }) {
					t.Errorf("seconds of %q, want 5 at least, all of the run", f.seconds)
				}
				if len(f.lost) > 0 {
					t.Errorf("seconds of %q were lost, want none", f.lost)
				}
				data, validity, err := f.Workload.Collect(ctx, a)
				var result measure.Result
				if err != nil || json.Unmarshal(data, &result) != nil {
					t.Fatalf("Collect() = %s, %v", data, err)
				}
				if result.Counts.Received != 300 || !validity.OK || !result.Validity.OK || result.Versions["dec"] != "test" {
					t.Errorf("result = %+v, %+v by %v, want 300 messages and validity", result.Counts, validity, result.Versions)
				}
				brokers := fmt.Sprint(result.CPU.BrokerSeconds != nil && *result.CPU.BrokerSeconds == 3, result.CPU.BrokerRSS != nil && *result.CPU.BrokerRSS == 30)
				if want := fmt.Sprint(wantBrokers, wantBrokers); brokers != want {
					t.Errorf("CPU = %+v, want that of the brokers alone: %v", result.CPU, wantBrokers)
				}
				start, err := rendezvous.LoadStart(ctx, f.bucket, run)
				if err != nil || wantBrokers && (!from.Equal(start.Add(2*time.Second)) || !until.Equal(start.Add(5*time.Second))) {
					t.Errorf("usage from %s until %s of a load that began at %s, %v, want that of the measure stage", from, until, start, err)
				}
			})
		})
	}
}

// usage sets what the shared place says of services.
func (f *fixture) usage(u func(string, time.Time, time.Time) map[string]target.Usage) {
	*f.shared.usage = u
}

func TestThePlanOfAgentsSaysWhatTheyNeed(t *testing.T) {
	f := newFixture(t)
	a := assignment("shared")
	a.Variant.ClientConfig = map[string]json.RawMessage{"linger": json.RawMessage(`"5ms"`)}
	ctx, cancel := context.WithCancelCause(t.Context())
	gone := errors.New("no agent comes")
	folder := rendezvous.NewFolder(f.bucket, run)
	go func() { // once the agents are told, nobody waits for them
		for ctx.Err() == nil {
			if err := folder.Get(ctx, rendezvous.PlanObject, new(rendezvous.Plan)); err == nil {
				cancel(gone)
			}
		}
	}()
	if err := f.Workload.Prepare(ctx, a, json.RawMessage(`{"hosts":["a"]}`)); !errors.Is(err, gone) {
		t.Errorf("Prepare() = %v, want %v", err, gone)
	}
	var got rendezvous.Plan
	if err := folder.Get(t.Context(), rendezvous.PlanObject, &got); err != nil {
		t.Fatal(err)
	}
	if got.Run != run || got.Technology != "toy" || got.Destination != "dec-"+run || string(got.Endpoints) != `{"hosts":["a"]}` ||
		string(got.ClientConfig["linger"]) != `"5ms"` || got.Workload.Load.Rate != 100 || len(got.Agents) != 2 {
		t.Errorf("plan = %+v, want that of the run", got)
	}
}

// TestALoadThatFailsGivesUpItsSeconds stops it from outside: another server may have
// the run by then.
func TestALoadThatFailsGivesUpItsSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		a := loaded("shared")
		f.startAgents(a)
		if err := f.Workload.Prepare(t.Context(), a, json.RawMessage(`{}`)); err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(3500*time.Millisecond, func() {
			if err := f.Workload.Stop(t.Context(), a, "a broker has ended"); err != nil {
				t.Errorf("Stop() = %v", err)
			}
		})
		if err := f.Workload.Load(t.Context(), a); err == nil || !strings.Contains(err.Error(), "a broker has ended") {
			t.Errorf("Load() = %v, want why it was stopped", err)
		}
		if !slices.Equal(f.lost, []string{run}) {
			t.Errorf("seconds of %q were lost, want those of the run", f.lost)
		}
	})
}

// TestResultsNeedATarget collects a run whose target this server does not have: the
// one that prepared it did.
func TestResultsNeedATarget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		a := loaded("shared")
		f.startAgents(a)
		ctx := t.Context()
		if err := errors.Join(f.Workload.Prepare(ctx, a, json.RawMessage(`{}`)), f.Workload.Load(ctx, a)); err != nil {
			t.Fatal(err)
		}
		a.Plan.Target = "gone"
		if _, _, err := f.Workload.Collect(ctx, a); err == nil || !strings.Contains(err.Error(), `target "gone"`) {
			t.Errorf("Collect() = %v, want an error that names the target", err)
		}
	})
}
