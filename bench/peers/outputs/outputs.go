// Package outputs reads what other load generators print. It knows their formats
// and nothing of how they are run.
package outputs

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Quantiles are latencies in milliseconds by name, such as p50 and p99.9.
type Quantiles map[string]float64

// Summary is what a tool tells at its end.
type Summary struct {
	Rate      float64   // messages per second
	Quantiles Quantiles // empty where the tool tells none
}

var (
	perfInterval = regexp.MustCompile(`^(\d+) records sent, [\d.]+ records/sec .* max latency\.$`)
	perfSummary  = regexp.MustCompile(`^\d+ (?:steady state )?records sent, ([\d.]+) records/sec .* max latency, ` +
		`(\d+) ms 50th, (\d+) ms 95th, (\d+) ms 99th, (\d+) ms 99\.9th\.$`)
	natsStats    = regexp.MustCompile(`stats: ([\d,]+) msgs/sec ~ `)
	natsQuantile = regexp.MustCompile(`P([\d.]+): ([\d.,]+)us`)
)

// PerfInterval returns how many records kafka-producer-perf-test sent since its last
// such line. It is false for other lines.
func PerfInterval(line string) (records float64, ok bool) {
	m := perfInterval.FindStringSubmatch(line)
	if m == nil {
		return 0, false
	}
	return number(m[1]), true
}

// PerfSummary reads the end of kafka-producer-perf-test. Where a warm-up was asked
// for, it is what the tool calls the steady state.
func PerfSummary(lines []string) (Summary, error) {
	var found []string
	for _, line := range lines {
		if m := perfSummary.FindStringSubmatch(line); m != nil {
			found = m // the steady state comes last
		}
	}
	if found == nil {
		return Summary{}, missing("kafka-producer-perf-test", "a summary with percentiles", lines)
	}
	return Summary{Rate: number(found[1]), Quantiles: Quantiles{
		"p50": number(found[2]), "p95": number(found[3]), "p99": number(found[4]), "p99.9": number(found[5]),
	}}, nil
}

// ConsumerTotal returns how many records kafka-consumer-perf-test has read so far,
// from a line of its detailed statistics. It is false for other lines.
func ConsumerTotal(line string) (records float64, ok bool) {
	fields := strings.Split(line, ", ")
	if len(fields) != 10 {
		return 0, false
	}
	records, err := strconv.ParseFloat(fields[4], 64)
	return records, err == nil
}

// NATSBench reads the end of nats bench.
func NATSBench(lines []string) (Summary, error) {
	for _, line := range lines {
		m := natsStats.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		s := Summary{Rate: number(m[1]), Quantiles: Quantiles{}}
		for _, q := range natsQuantile.FindAllStringSubmatch(line, -1) {
			s.Quantiles["p"+q[1]] = number(q[2]) / 1000
		}
		return s, nil
	}
	return Summary{}, missing("nats bench", "its stats", lines)
}

// number reads digits with separators; what the patterns match always is a number.
func number(text string) float64 {
	n, _ := strconv.ParseFloat(strings.ReplaceAll(text, ",", ""), 64)
	return n
}

// missing says what a tool did not print, and what it printed last.
func missing(tool, what string, lines []string) error {
	last := lines[max(0, len(lines)-5):]
	return fmt.Errorf("%s did not print %s; its last lines:\n%s", tool, what, strings.Join(last, "\n"))
}
