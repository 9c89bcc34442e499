package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// titles of the systems.
var titles = map[string]string{kafkaSystem: "Kafka", natsSystem: "NATS JetStream"}

// report prints the tables of bench/README.md, and says which figures are missed.
func report(w io.Writer, all []cell, results map[string]outcome) (missed bool) {
	for _, l := range loads {
		for _, system := range []string{kafkaSystem, natsSystem} {
			loadTable(w, l, system, matrix(all, results, l, system))
		}
	}
	missed = goals(w, results)
	truthTable(w, all, results)
	counting := [][]string{{"tool", "what its latencies are of"}}
	for _, t := range truthTools() {
		counting = append(counting, []string{t.title, t.reports})
	}
	table(w, counting)
	return missed
}

// row is what one tool showed over the rounds of a load.
type row struct {
	tool     tool
	outcomes []outcome
}

// matrix collects the outcomes of a load on a system, in the order of the tools.
func matrix(all []cell, results map[string]outcome, l load, system string) (rows []row) {
	for _, t := range tools {
		r := row{tool: t}
		for _, c := range all {
			if o, found := results[c.id()]; found && c.load.name == l.name && c.system == system && c.tool.name == t.name {
				r.outcomes = append(r.outcomes, o)
			}
		}
		if len(r.outcomes) > 0 {
			rows = append(rows, r)
		}
	}
	return rows
}

func loadTable(w io.Writer, l load, system string, rows []row) {
	if len(rows) == 0 {
		return
	}
	rate := "flat out"
	if l.rate > 0 {
		rate = fmt.Sprintf("%s/s", thousands(float64(l.rate)))
	}
	lines := [][]string{{
		fmt.Sprintf("%s, %s, %s", titles[system], bytesText(l.size), rate), "rounds", "sent/s", "received/s", "CPU s per million", "memory, MB",
		"publish p50 / p99, ms", "end to end p50 / p99, ms",
	}}
	for _, r := range rows {
		lines = append(lines, []string{
			r.tool.title, fmt.Sprint(len(r.outcomes)),
			r.spread(func(o outcome) float64 { return o.Sent }), r.spread(func(o outcome) float64 { return o.Received }),
			r.spread(func(o outcome) float64 { return o.PerMillion }), r.spread(func(o outcome) float64 { return o.Memory.Peak / 1e6 }),
			r.latency("publish"), r.latency("end to end"),
		})
	}
	table(w, lines)
	for _, r := range rows {
		noteLines(w, r)
	}
}

// noteLines tells what is to be known of a row beside its figures: each note once,
// and of DEC's agents how their memory went.
func noteLines(w io.Writer, r row) {
	var lines []string
	invalid := 0
	for _, o := range r.outcomes {
		lines = append(lines, o.Notes...)
		if len(o.Invalid) > 0 {
			invalid++
		}
	}
	slices.Sort(lines)
	lines = slices.Compact(lines)
	if invalid > 0 {
		first := slices.IndexFunc(r.outcomes, func(o outcome) bool { return len(o.Invalid) > 0 })
		lines = append(lines, fmt.Sprintf("not valid in %d of %d rounds, such as: %s",
			invalid, len(r.outcomes), strings.Join(r.outcomes[first].Invalid, " ")))
	}
	if r.tool.name == "dec" {
		lines = append(lines, fmt.Sprintf("memory in MB when the measured part began: %s; when it ended: %s; its peak until then: %s",
			r.spread(func(o outcome) float64 { return o.Memory.Early / 1e6 }), r.spread(func(o outcome) float64 { return o.Memory.Late / 1e6 }),
			r.spread(func(o outcome) float64 { return o.Memory.Load / 1e6 })))
	}
	for _, line := range lines {
		fmt.Fprintf(w, "- %s: %s\n", r.tool.title, line)
	}
	if len(lines) > 0 {
		fmt.Fprintln(w)
	}
}

// spread is the median of a figure with its range over the rounds.
func (r row) spread(figure func(outcome) float64) string {
	var values []float64
	for _, o := range r.outcomes {
		values = append(values, figure(o))
	}
	return spread(values)
}

// latency is the p50 and p99 of what a tool calls so, each the median over the rounds.
func (r row) latency(what string) string {
	var texts []string
	for _, quantile := range []string{"p50", "p99"} {
		var values []float64
		atLeast := ""
		for _, o := range r.outcomes {
			for _, told := range o.Reported {
				value, ok := told.Quantiles[quantile]
				if ok && strings.HasPrefix(told.What, what) {
					values = append(values, value)
					if told.AtLeast[quantile] {
						atLeast = "≥ "
					}
				}
			}
		}
		if len(values) == 0 {
			return "–"
		}
		texts = append(texts, atLeast+digits(median(values)))
	}
	return strings.Join(texts, " / ")
}

// table writes a table of markdown, its first line as the head.
func table(w io.Writer, lines [][]string) {
	for i, line := range lines {
		fmt.Fprintf(w, "| %s |\n", strings.Join(line, " | "))
		if i == 0 {
			fmt.Fprintf(w, "|%s\n", strings.Repeat("---|", len(line)))
		}
	}
	fmt.Fprintln(w)
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	if n == 0 {
		return 0
	}
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// spread is a median with its range, which is left out where there is but one value.
func spread(values []float64) string {
	if len(values) < 2 {
		return digits(median(values))
	}
	return fmt.Sprintf("%s (%s–%s)", digits(median(values)), digits(slices.Min(values)), digits(slices.Max(values)))
}

// digits writes a number with about three digits.
func digits(v float64) string {
	switch {
	case v >= 1000:
		return thousands(v)
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

func thousands(v float64) string {
	text := fmt.Sprintf("%.0f", v)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

func bytesText(n int) string {
	if n >= 1<<10 {
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d B", n)
}
