package main

import (
	"fmt"
	"slices"
	"time"
)

// cell is one measurement.
type cell struct {
	load   load
	truth  *truthCase // nil in the matrix
	system string
	tool   tool
	round  int // from 1
}

// id names the file of its result.
func (c cell) id() string {
	return fmt.Sprintf("%s.%d.%s.%s", c.load.name, c.round, c.system, c.tool.name)
}

// truthTools are the tools that tell latencies, in both of its ways for nats bench.
func truthTools() (all []tool) {
	for _, t := range tools {
		if t.reports != "" {
			all = append(all, t)
		}
		if t.name == "nats-bench" {
			t.name, t.title, t.run = "nats-bench-sync", t.title+", synchronous", runNATSBenchSync
			t.reports = "each message from its real send to the acknowledgement, one at a time"
			all = append(all, t)
		}
	}
	return all
}

// times are how long the parts of a cell last.
type times struct{ warmup, measure time.Duration }

// times returns the parts of a cell; seconds is 0 in a true run.
func (c cell) times(seconds int) times {
	t := times{7 * time.Second, 10 * time.Second}
	if c.truth != nil {
		t.measure = c.truth.measure
	}
	if seconds == 0 {
		return t
	}
	t.measure = time.Duration(seconds) * time.Second
	if c.truth != nil {
		t.measure = max(t.measure, 3*c.truth.stall)
	}
	if t.measure < t.warmup {
		t.warmup = 2 * time.Second
	}
	return t
}

// estimate is about how long a cell takes in all.
func (c cell) estimate(seconds int) time.Duration {
	t := c.times(seconds)
	if c.tool.name == "omb" {
		if t.warmup < ombLeastWarmup {
			return 75 * time.Second
		}
		return 135 * time.Second
	}
	return 6*time.Second + t.warmup + t.measure
}

// cells lists what the options ask for. The tools of a load take turns, and which
// one begins changes with the round.
func cells(o options) (all []cell) {
	for _, l := range loads {
		all = append(all, rounds(o, l, nil, tools)...)
	}
	for i := range truthCases {
		all = append(all, rounds(o, truthCases[i].load, &truthCases[i], truthTools())...)
	}
	return all
}

func rounds(o options, l load, truth *truthCase, tools []tool) (all []cell) {
	if !o.asked(l.name) {
		return nil
	}
	var turn []cell
	for _, t := range tools {
		if !o.chosen(t.name) || t.name == "omb" && !l.omb {
			continue
		}
		for _, system := range t.systems {
			turn = append(turn, cell{load: l, truth: truth, system: system, tool: t})
		}
	}
	for round := range roundsOf(o, truth, l) {
		for i := range turn {
			c := turn[(i+round)%len(turn)]
			c.round = round + 1
			all = append(all, c)
		}
	}
	return all
}

// roundsOf is how many rounds a load has; a case of the proxy has one.
func roundsOf(o options, truth *truthCase, l load) int {
	if o.rounds > 0 && truth == nil {
		return o.rounds
	}
	return l.rounds
}

// loadNames are all that --loads takes.
func loadNames() (names []string) {
	for _, l := range loads {
		names = append(names, l.name)
	}
	for _, c := range truthCases {
		names = append(names, c.load.name)
	}
	return names
}

// toolNames are all that --only takes.
func toolNames() (names []string) {
	for _, t := range slices.Concat(tools, truthTools()) {
		if !slices.Contains(names, t.name) {
			names = append(names, t.name)
		}
	}
	return names
}
