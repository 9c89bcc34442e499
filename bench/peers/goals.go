package main

import (
	"fmt"
	"io"
)

// goal is a figure that DEC's agents are to keep.
type goal struct {
	text     string
	load     string
	system   string
	against  string // the tool that they are compared with; "" for none
	figure   func(outcome) float64
	most     float64 // of the figure, or of its ratio to the other tool's
	atLeast  bool    // most is the least
	decimals int
}

func cost(o outcome) float64    { return o.PerMillion }
func rate(o outcome) float64    { return min(o.Sent, o.Received) }
func largest(o outcome) float64 { return o.Memory.Peak / 1e6 }

// wanted are all goals.
func wanted() []goal {
	all := []goal{
		{text: "CPU per message at 10,000/s, to that of the OpenMessaging Benchmark", load: "1KiB-10000", system: kafkaSystem, against: "omb",
			figure: cost, most: 1.0 / 3, decimals: 2},
		{text: "CPU per message flat out, to that of the OpenMessaging Benchmark", load: "1KiB-flat", system: kafkaSystem, against: "omb",
			figure: cost, most: 1, decimals: 2},
		{text: "rate flat out, to that of the OpenMessaging Benchmark", load: "1KiB-flat", system: kafkaSystem, against: "omb",
			figure: rate, most: 1, atLeast: true, decimals: 2},
	}
	for _, system := range []string{kafkaSystem, natsSystem} {
		all = append(all, goal{text: "CPU per message flat out, to that of the bare loop, " + titles[system], load: "1KiB-flat", system: system,
			against: "bare", figure: cost, most: 1.25, decimals: 2})
	}
	for _, system := range []string{kafkaSystem, natsSystem} {
		for _, l := range loads {
			all = append(all, goal{text: fmt.Sprintf("memory of both agents in MB, %s %s", titles[system], l.name), load: l.name, system: system,
				figure: largest, most: 150})
		}
	}
	return all
}

// goals prints what became of the goals.
func goals(w io.Writer, results map[string]outcome) (missed bool) {
	lines := [][]string{{"DEC's agents", "median (range) over rounds", "goal", ""}}
	for _, g := range wanted() {
		values := g.values(results)
		if len(values) == 0 {
			lines = append(lines, []string{g.text, "not measured", g.limit(), ""})
			continue
		}
		verdict := "met"
		if !g.met(median(values)) {
			verdict, missed = "**missed**", true
		}
		lines = append(lines, []string{g.text, spread(values), g.limit(), verdict})
	}
	table(w, lines)
	return missed
}

func (g goal) met(value float64) bool {
	if g.atLeast {
		return value > g.most
	}
	return value <= g.most
}

func (g goal) limit() string {
	if g.atLeast {
		return fmt.Sprintf("> %.*f", g.decimals, g.most)
	}
	return fmt.Sprintf("≤ %.*f", g.decimals, g.most)
}

// values are the figure in each round, or its ratio to the other tool's in the same
// round.
func (g goal) values(results map[string]outcome) (values []float64) {
	for round := 1; ; round++ {
		ours, found := results[fmt.Sprintf("%s.%d.%s.dec", g.load, round, g.system)]
		if !found && round > mostRounds {
			return values
		}
		theirs, there := results[fmt.Sprintf("%s.%d.%s.%s", g.load, round, g.system, g.against)]
		switch {
		case !found:
		case g.against == "":
			values = append(values, g.figure(ours))
		case there && g.figure(theirs) > 0:
			values = append(values, g.figure(ours)/g.figure(theirs))
		}
	}
}

// mostRounds is at least the number of rounds of any load.
const mostRounds = 10
