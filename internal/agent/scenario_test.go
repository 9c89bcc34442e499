//go:build !race

package agent_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"dec.local/dec/internal/agent/agenttest"
	"dec.local/dec/internal/comparison/comparisontest"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
)

// TestWhatAComparisonSaysOfASystem measures runs of a system that is never in trouble, and
// of one that is in some of them, and wants the answer to tell. By the messages that
// came, the second one is faster.
func TestWhatAComparisonSaysOfASystem(t *testing.T) {
	refuse := func(n int64) agenttest.Fault {
		if n%10 < 3 {
			return agenttest.Fault{Refuse: errTest}
		}
		return agenttest.Fault{}
	}
	tests := map[string]struct {
		trouble  func(*agenttest.Options)
		runs     map[int]bool // in trouble; all if nil
		inFlight int
		sentence string // of the verdict
		caveat   string
	}{
		"nothing": {sentence: "nats is faster than kafka at end-to-end p99"},
		"it collapses in two of eight runs": {
			trouble: func(o *agenttest.Options) {
				o.Fault = func(n int64) agenttest.Fault { return agenttest.Fault{Mute: n >= 1490} }
			},
			runs:     map[int]bool{2: true, 5: true},
			sentence: "nats is not ranked: in 2 of 8 runs 20 % of the offered messages could not be sent, and its end-to-end p99 is at least 3",
		},
		"it refuses at once": {
			trouble:  func(o *agenttest.Options) { o.Fault = refuse },
			sentence: "nats is not ranked: in 5 of 5 runs 30 % of the offered messages failed",
		},
		"it takes three quarters of the rate": {
			trouble: func(o *agenttest.Options) { o.Rate = 262.5 }, inFlight: 100_000,
			sentence: "nats is not ranked: in 5 of 5 runs it did not keep up, and was 438 messages behind",
		},
		"it starts with a backlog": {
			trouble: func(o *agenttest.Options) {
				o.Stall, o.Rate = onceAfter(100*time.Millisecond, 1900*time.Millisecond), 700
			}, inFlight: 100_000,
			sentence: "kafka is faster than nats", caveat: "nats started with a backlog: in 5 of 5 runs",
		},
		"it stands still in the warm-up": {
			trouble:  func(o *agenttest.Options) { o.Stall = onceAfter(200*time.Millisecond, 500*time.Millisecond) },
			sentence: "nats is faster than kafka",
		},
		"it stands still over the start of the stage": {
			trouble:  func(o *agenttest.Options) { o.Stall = onceAfter(1750*time.Millisecond, 500*time.Millisecond) },
			sentence: "kafka is faster than nats",
		},
	}
	quiet := func(variant string, i int) agenttest.Options {
		latency := 4*time.Millisecond + time.Duration(i)*50*time.Microsecond
		if variant == "nats" {
			latency /= 2
		}
		return agenttest.Options{Latency: latency}
	}
	good := map[string][]measure.Result{}
	for _, variant := range []string{"kafka", "nats"} {
		for i := range 8 {
			good[variant] = append(good[variant], inVirtualTime(t, quiet(variant, i), 50))
		}
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			e := experiment.Experiment{ID: "e000000001", Plan: comparisontest.Plan(t), State: experiment.Ended}
			if e.Plan.Repeat = 5; tt.runs != nil {
				e.Plan.Repeat = 8
			}
			var runs []experiment.Run
			for i := range e.Plan.Repeat {
				for _, variant := range []string{"kafka", "nats"} {
					result := good[variant][i]
					if o := quiet(variant, i); variant == "nats" && tt.trouble != nil && (tt.runs == nil || tt.runs[i]) {
						tt.trouble(&o)
						result = inVirtualTime(t, o, max(tt.inFlight, 50))
					}
					runs = append(runs, comparisontest.Finished(t, len(runs), variant, measure.Merged{Result: result}))
				}
			}
			found := comparisontest.Compare(t, comparisontest.Set(t, e, runs))
			if !strings.Contains(found.Stats.Sentence, tt.sentence) {
				t.Errorf("verdict = %q, want %q in it", found.Stats.Sentence, tt.sentence)
			}
			if said := fmt.Sprint(found.Caveats); !strings.Contains(said, tt.caveat) {
				t.Errorf("caveats = %s, want %q among them", said, tt.caveat)
			}
		})
	}
}

// inVirtualTime measures one run.
func inVirtualTime(t *testing.T, o agenttest.Options, inFlight int) (result measure.Result) {
	synctest.Test(t, func(t *testing.T) {
		w := workload(func(w *experiment.Workload) {
			w.Load.Rate, w.Load.MaxInFlight = 350, inFlight
			w.Stages = experiment.Stages{
				Warmup: experiment.Duration(2 * time.Second), Measure: experiment.Duration(3 * time.Second), Drain: experiment.Duration(3 * time.Second),
			}
		})
		result, _ = newBench(t, w, o).run()
	})
	return result
}
