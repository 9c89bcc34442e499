package agent_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"dec.local/dec/internal/agent/agenttest"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
	"dec.local/dec/internal/rendezvous"
)

func TestLogTellsTheSelfCheckAsANumber(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, workload(func(*experiment.Workload) {}), agenttest.Options{})
		var log bytes.Buffer
		b.log = slog.NewTextHandler(&log, nil)
		b.startAll(t.Context())
		if err := b.server().AwaitReady(t.Context()); err != nil {
			t.Error(err)
		}
		if err := b.server().Stop(t.Context(), "the test is over"); err != nil {
			t.Error(err)
		}
		b.wg.Wait()
		if !regexp.MustCompile(`msg=ready .*self_check_p99_ns=\d+\b`).Match(log.Bytes()) || strings.Contains(log.String(), "=0x") {
			t.Errorf("the log of the agents has no number of the self-check:\n%s", log.String())
		}
	})
}

func TestRunRefusesWeakerGuaranteesThanRequired(t *testing.T) {
	weak := experiment.Effective{ProducerAck: "leader", Durability: "page_cache", Replicas: 1}
	tests := map[string]struct {
		require experiment.Require
		want    string // part of AwaitReady's error; "" is none
	}{
		"nothing is required":              {experiment.Require{}, ""},
		"as much is required":              {experiment.Require{ProducerAck: "leader", Durability: "page_cache", Replicas: 1}, ""},
		"less is required":                 {experiment.Require{ProducerAck: "none", Durability: "memory"}, ""},
		"all must acknowledge":             {experiment.Require{ProducerAck: "all"}, `producer_ack "all" is required, but the stack provides "leader"`},
		"on disk before acknowledgement":   {experiment.Require{Durability: "fsync_before_ack"}, `durability "fsync_before_ack" is required, but the stack provides "page_cache"`},
		"more replicas, and all is missed": {experiment.Require{ProducerAck: "all", Replicas: 3}, "3 replicas are required, but the stack provides 1"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := workload(func(w *experiment.Workload) { w.Require = tt.require })
				b := newBench(t, w, agenttest.Options{Effective: weak})
				b.startAll(t.Context())
				err := b.server().AwaitReady(t.Context())
				if tt.want != "" {
					if err == nil || !strings.Contains(err.Error(), tt.want) {
						t.Errorf("AwaitReady() = %v, want %q", err, tt.want)
					}
				} else if err != nil {
					t.Errorf("AwaitReady() = %v, want no error", err)
				} else if want, _ := json.Marshal(weak); string(b.prepared().Effective) != string(want) {
					t.Errorf("guarantees %s, want %s", b.prepared().Effective, want)
				}
				if err := b.server().Stop(t.Context(), "the test is over"); err != nil {
					t.Error(err)
				}
				b.wg.Wait()
				for id, err := range b.errors {
					if err != nil {
						t.Errorf("Run() of %s = %v, want nil: it has done its part", id, err)
					}
				}
			})
		})
	}
}

func TestRunTellsTheServerWhyItGivesUp(t *testing.T) {
	tests := map[string]struct {
		broker agenttest.Options
		plan   func(*rendezvous.Plan)
		want   string
	}{
		"the destination can't be made": {agenttest.Options{PrepareErr: errTest}, nil, "agent producer-0 gave up: prepare the destination \"dec\": no space left"},
		"a consumer can't join its group": {
			agenttest.Options{JoinErr: errTest},
			func(p *rendezvous.Plan) {
				p.Workload.Topology.ConsumersPerGroup = 2
				p.Agents = rendezvous.Shares(p.Workload)
			},
			"open consumer 1 of group-0: no space left",
		},
		"no such technology": {agenttest.Options{}, func(p *rendezvous.Plan) { p.Technology = "pigeon" }, `no technology "pigeon"`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, workload(), tt.broker)
				if tt.plan != nil {
					tt.plan(&b.plan)
				}
				ctx, cancel := context.WithCancel(t.Context())
				b.startAll(ctx)
				err := b.server().AwaitReady(t.Context())
				if err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("AwaitReady() = %v, want %q", err, tt.want)
				}
				cancel()
				b.wg.Wait()
				if b.errors["producer-0"] == nil && b.errors["consumer-0"] == nil {
					t.Error("Run() of both agents = nil, want an error")
				}
			})
		})
	}
}

func TestFollowFailsWhenAnAgentIsStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, workload(), agenttest.Options{})
		consumer, stopConsumer := context.WithCancelCause(t.Context())
		producer, stopProducer := context.WithCancel(t.Context())
		server := b.server()
		if err := server.WritePlan(t.Context(), b.plan); err != nil {
			t.Fatal(err)
		}
		b.start(producer, "producer-0")
		b.start(consumer, "consumer-0")
		b.begin(t.Context(), server)
		err := server.Follow(t.Context(), func(s measure.Second) {
			if s.Second == 1 {
				stopConsumer(errors.New("terminated"))
			}
		})
		if want := "agent consumer-0 gave up: stopped: terminated"; err == nil || err.Error() != want {
			t.Errorf("Follow() = %v, want %q", err, want)
		}
		stopProducer()
		b.wg.Wait()
		if b.errors["consumer-0"] == nil {
			t.Error("Run() of consumer-0 = nil, want an error")
		}
		if _, _, err := server.Collect(t.Context(), nil); err == nil {
			t.Error("Collect() = nil error, want one")
		}
	})
}

func TestFollowFailsWhenAnAgentFallsSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// consumer-0 says hello and is never heard of again.
		w := workload(func(w *experiment.Workload) { w.Stages.Drain = experiment.Duration(time.Minute) })
		b := newBench(t, w, agenttest.Options{})
		producer, stopProducer := context.WithCancel(t.Context())
		server := b.server()
		if err := server.WritePlan(t.Context(), b.plan); err != nil {
			t.Fatal(err)
		}
		b.start(producer, "producer-0")
		folder := rendezvous.NewFolder(b.bucket, b.plan.Run)
		if err := folder.Put(t.Context(), rendezvous.HelloObject("consumer-0"), rendezvous.Hello{}); err != nil {
			t.Fatal(err)
		}
		b.begin(t.Context(), server)
		started := time.Now()
		err := server.Follow(t.Context(), func(measure.Second) {})
		if err == nil || !strings.Contains(err.Error(), "agent consumer-0 has made no progress for 15s") {
			t.Errorf("Follow() = %v, want an error about consumer-0", err)
		}
		if took := time.Since(started); took > 17*time.Second {
			t.Errorf("Follow() took %s, want 15 s from the start of the load", took)
		}
		if _, _, err := server.Collect(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "no result from consumer-0, producer-0 within 15s") {
			t.Errorf("Collect() = %v, want an error about both agents", err)
		}
		stopProducer()
	})
}

func TestAPauseOfTheServerIsNoSilenceOfAgents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, workload(func(w *experiment.Workload) { w.Stages.Measure = experiment.Duration(time.Minute) }), agenttest.Options{})
		server := b.server()
		b.startAll(t.Context())
		b.begin(t.Context(), server)
		var seconds []int
		err := server.Follow(t.Context(), func(s measure.Second) {
			if seconds = append(seconds, s.Second); s.Second == 1 {
				time.Sleep(20 * time.Second) // longer than an agent may be silent
			}
		})
		if err != nil {
			t.Errorf("Follow() = %v, want no error: the agents have gone on", err)
		}
		for i, second := range seconds {
			if i != second {
				t.Fatalf("Follow() told of the seconds %v, want each once, in order", seconds)
			}
		}
		b.wg.Wait()
	})
}

func TestRunGoesOnWithoutItsServer(t *testing.T) {
	want := func(t *testing.T) (counts measure.Counts) {
		synctest.Test(t, func(t *testing.T) {
			result, _ := newBench(t, workload(), agenttest.Options{}).run()
			counts = result.Counts
		})
		return counts
	}(t)
	tests := map[string]struct {
		away time.Duration // from second 1 on
	}{
		"it comes back in the middle of the load": {away: 500 * time.Millisecond},
		"it comes back when all is over":          {away: time.Hour},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, workload(), agenttest.Options{})
				b.startAll(t.Context())
				first := b.server()
				b.begin(t.Context(), first)
				ctx, die := context.WithCancel(t.Context())
				if err := first.Follow(ctx, func(s measure.Second) { die() }); !errors.Is(err, context.Canceled) {
					t.Fatalf("Follow() = %v, want %v", err, context.Canceled)
				}
				<-time.After(tt.away)

				// The second server does everything again.
				second := b.server()
				if err := second.WritePlan(t.Context(), b.plan); err != nil {
					t.Errorf("WritePlan() again = %v", err)
				}
				b.begin(t.Context(), second)
				var seconds []int
				if err := second.Follow(t.Context(), func(s measure.Second) { seconds = append(seconds, s.Second) }); err != nil {
					t.Errorf("Follow() = %v", err)
				}
				if len(seconds) < 3 || seconds[0] != 0 {
					t.Errorf("Follow() again gave the seconds %v, want all from 0 on", seconds)
				}
				got, _, err := second.Collect(t.Context(), nil)
				if err != nil {
					t.Fatalf("Collect() = %v", err)
				}
				if diff := cmp.Diff(want, got.Counts); diff != "" {
					t.Errorf("Counts (-want +got):\n%s", diff)
				}
				again, _, err := b.server().Collect(t.Context(), nil)
				if err != nil {
					t.Fatalf("Collect() again = %v", err)
				}
				if diff := cmp.Diff(got, again); diff != "" {
					t.Errorf("Collect() again (-first +second):\n%s", diff)
				}
			})
		})
	}
}

func TestRunEndsWhenNothingComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, workload(), agenttest.Options{})
		started := time.Now()
		b.start(t.Context(), "producer-0")
		b.wg.Wait()
		if err := b.errors["producer-0"]; err == nil || !strings.Contains(err.Error(), "no plan arrived within 30m0s") {
			t.Errorf("Run() without a server = %v, want an error that says so", err)
		}
		if took := time.Since(started); took > 31*time.Minute {
			t.Errorf("Run() without a server took %s, want 30 min", took)
		}
	})
}

// What was measured until a stop is no result, for whoever follows the load next.
func TestAStoppedLoadIsNoResult(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, workload(), agenttest.Options{})
		b.startAll(t.Context())
		server := b.server()
		b.begin(t.Context(), server)
		err := server.Follow(t.Context(), func(measure.Second) {
			if err := server.Stop(t.Context(), "a broker died"); err != nil {
				t.Error(err)
			}
		})
		again := b.server().Follow(t.Context(), func(measure.Second) {})
		for _, err := range []error{err, again} {
			if err == nil || !strings.Contains(err.Error(), "a broker died") {
				t.Errorf("Follow() of a stopped load = %v, want the reason", err)
			}
		}
		b.wg.Wait()
		for id, err := range b.errors {
			if err != nil {
				t.Errorf("Run() of %s = %v, want no error after a stop", id, err)
			}
		}
	})
}
