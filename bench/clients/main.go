// Command clients measures what many clients cost: it runs DEC's agents with 1,000
// producers and 1,000 consumers, in 50 groups of 20, at 2,000 messages/s against a real
// NATS server, and a bare program that holds the same clients and sends the same load
// without clock, histogram or accounts. It compares peak memory, and the lateness with
// that of one producer and one consumer.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"

	"dec.local/dec/internal/format"
)

// limit is by how much the agents' memory may exceed that of the bare program.
const limit = 100 << 20

// shape is how many clients there are, and what they are given.
type shape struct {
	producers, groups, perGroup, partitions, rate int
	warmup, measure                               time.Duration
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "bare" {
		if err := bare(os.Args[2:]); err != nil {
			fail(err)
		}
		return
	}
	many := shape{partitions: 20}
	flag.IntVar(&many.producers, "producers", 1000, "producers")
	flag.IntVar(&many.groups, "groups", 50, "consumer groups")
	flag.IntVar(&many.perGroup, "consumers", 20, "consumers of each group")
	flag.IntVar(&many.rate, "rate", 2000, "messages per second")
	flag.DurationVar(&many.measure, "measure", 20*time.Second, "measured time")
	tools := flag.String("tools", ".tools", "folder of the installed tools")
	agent := flag.String("agent", "bin/dec-agent", "the agent")
	flag.Parse()
	many.warmup = 10 * time.Second

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ok, err := compare(ctx, *tools, *agent, many)
	if err != nil {
		stop()
		fail(err)
	}
	if !ok {
		os.Exit(1)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "clients:", err)
	os.Exit(1)
}

func compare(ctx context.Context, tools, agent string, many shape) (bool, error) {
	one := many
	one.producers, one.groups, one.perGroup = 1, 1, 1
	fmt.Printf("%d messages/s; %d producers, %d groups of %d consumers\n", many.rate, many.producers, many.groups, many.perGroup)
	fmt.Printf("%-28s  %12s  %12s  %s\n", "", "producers", "consumers", "CPUs; lateness p50, p99; end to end p50, p99; validity")
	var memory [2]map[string]int64
	for i, side := range []struct {
		name string
		run  func(context.Context, *broker, shape) (map[string]int64, string, error)
		of   shape
	}{
		{"bare", bareProcesses, many},
		{"agents", runAgents(agent), many},
		{"agents, one of each", runAgents(agent), one},
	} {
		broker, err := startNATS(ctx, tools)
		if err != nil {
			return false, err
		}
		used, text, err := side.run(ctx, broker, side.of)
		broker.stop()
		if err != nil {
			return false, fmt.Errorf("%s: %w", side.name, err)
		}
		fmt.Printf("%-28s  %12s  %12s  %s\n", side.name, format.Bytes(used["producer"]), format.Bytes(used["consumer"]), text)
		if i < len(memory) {
			memory[i] = used
		}
	}
	more := memory[1]["producer"] + memory[1]["consumer"] - memory[0]["producer"] - memory[0]["consumer"]
	fmt.Printf("agents above the bare program: %s; the limit is %s\n", format.Bytes(more), format.Bytes(limit))
	return more <= limit, nil
}
