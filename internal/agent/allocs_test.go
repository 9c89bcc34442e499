package agent_test

import (
	"context"
	"testing"
	"time"

	"dec.local/dec/internal/agent"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/technology"
)

// loop is a client that acknowledges and delivers within Send.
type loop struct {
	acked    func(uint64, error)
	received func(technology.Message)
}

func (l loop) Send(_ context.Context, token uint64, m technology.Message) error {
	m.Partition = max(m.Partition, 0)
	l.received(m)
	l.acked(token, nil)
	return nil
}

func (loop) Flush(context.Context) error { return nil }
func (loop) Close() error                { return nil }

func newPath(tb testing.TB, change func(*experiment.Workload)) func() {
	tb.Helper()
	w := workload(change, func(w *experiment.Workload) {
		w.Load.Rate = 1_000_000
		w.Stages.Measure = experiment.Duration(time.Hour)
	})
	path, err := agent.Path(w, func(acked func(uint64, error), received func(technology.Message)) technology.Producer {
		return loop{acked, received}
	})
	if err != nil {
		tb.Fatal(err)
	}
	return path
}

var paths = map[string]func(*experiment.Workload){
	"fixed size without keys": func(w *experiment.Workload) { w.Message.Size = experiment.Size{Min: 1024, Max: 1024} },
	"sizes and keys": func(w *experiment.Workload) {
		w.Message.Size = experiment.Size{Min: 10, Max: 4096}
		w.Message.Key = experiment.Key{Kind: experiment.KeyUniform, Cardinality: 1000}
	},
	"round robin and poisson": func(w *experiment.Workload) {
		w.Topology.Partitions = 7
		w.Message.Key = experiment.Key{Kind: experiment.KeyRoundRobin, Cardinality: 7}
		w.Load.Arrivals = experiment.ArrivalsPoisson
	},
}

func TestNoAllocationPerMessage(t *testing.T) {
	for name, change := range paths {
		t.Run(name, func(t *testing.T) {
			path := newPath(t, change)
			for range 20_000 { // the first of each key, and a whole chunk of the account
				path()
			}
			if got := testing.AllocsPerRun(10_000, path); got != 0 {
				t.Errorf("one message takes %v allocations, want 0", got)
			}
		})
	}
}

func BenchmarkMessage(b *testing.B) {
	for name, change := range paths {
		b.Run(name, func(b *testing.B) {
			path := newPath(b, change)
			b.ReportAllocs()
			for b.Loop() {
				path()
			}
		})
	}
}
