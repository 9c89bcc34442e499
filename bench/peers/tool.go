package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// tool is a load generator.
type tool struct {
	name    string // as --only names it
	title   string
	systems []string
	// reports is where its latencies begin and how fine they are; empty if it tells none.
	reports string
	run     func(ctx context.Context, p programs, j job) (outcome, error)
}

var tools = []tool{
	{"dec", "DEC's agents", []string{kafkaSystem, natsSystem},
		"each message from its intended time to the acknowledgement, and to its receipt; 1 µs", runDEC},
	{"bare", "bare loop", []string{kafkaSystem, natsSystem}, "", runBare},
	{"perf", "kafka-\\*-perf-test", []string{kafkaSystem}, "each message from its real send to the acknowledgement; 1 ms", runPerf},
	{"nats-bench", "nats bench", []string{natsSystem},
		"a batch of 500 messages from its first real send to its last acknowledgement, less the pauses of its pacing", runNATSBench},
	{"omb", "OpenMessaging Benchmark", []string{kafkaSystem},
		"publish: each message from its real send to the acknowledgement; end to end: from the record's time to its receipt, " +
			"two clocks of 1 ms, without those of 0", runOMB},
}

// programs is where the programs of the tools are.
type programs struct {
	self  string // this program
	agent string // dec-agent
	nats  string // nats bench
	perf  string // class path of Kafka's tools
	omb   string // folder in which the OpenMessaging Benchmark was built; "" where there is none
}

// job is what a tool has to do.
type job struct {
	system          *system
	load            load
	address         string // where clients connect
	destination     string
	dir             string // for logs and files
	warmup, measure time.Duration
	linger          time.Duration // of producers that have batches
	inFlight        int           // messages under way at most, of the tools that can be told
	expect          float64       // messages per second that the tool may reach flat out
	// begins is told when the measured part begins, maybe before it does.
	begins func(time.Time)
}

// records is how many messages make up a time, for tools that are given a number.
func (j job) records(length time.Duration) int {
	rate := float64(j.load.rate)
	if rate == 0 {
		rate = j.expect
	}
	return max(1, int(rate*length.Seconds()))
}

// pair is a producing and a consuming process. The latter begins first.
type pair struct{ producer, consumer *process }

// kill ends what still runs.
func (p pair) kill() {
	for _, process := range []*process{p.producer, p.consumer} {
		if process != nil {
			process.kill()
		}
	}
}

// findPrograms returns where the programs of the chosen tools are, and installs
// those that come from package registries.
func findPrograms(o options) (programs, error) {
	var p programs
	var err error
	if p.self, err = os.Executable(); err != nil {
		return p, err
	}
	if p.agent, err = filepath.Abs(o.agent); err != nil {
		return p, err
	}
	if _, err := os.Stat(p.agent); err != nil && o.chosen("dec") {
		return p, fmt.Errorf("there is no %s: run make build", o.agent)
	}
	folder, err := filepath.Abs(filepath.Join(o.tools, "peers"))
	if err != nil {
		return p, err
	}
	if o.chosen("perf") || o.chosen("nats-bench") || o.chosen("nats-bench-sync") {
		if err := install(folder); err != nil {
			return p, err
		}
	}
	p.nats = filepath.Join(folder, "nats")
	home, err := installed(filepath.Join(o.tools, "artifacts", "kafka", "*"))
	if err != nil {
		return p, fmt.Errorf("%w: run make setup", err)
	}
	p.perf = strings.Join([]string{filepath.Join(home, "lib", "*"), filepath.Join(folder, "kafka-tools.jar")}, string(os.PathListSeparator))
	if o.omb != "" {
		if p.omb, err = ombFolder(o.omb); err != nil {
			return p, err
		}
	}
	return p, nil
}
