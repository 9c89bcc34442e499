package kafka_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dec.local/dec/technology/technologytest"
)

// addresses are those of n brokers.
func addresses(n int) map[string][]technologytest.Address {
	var nodes []technologytest.Address
	for i := range n {
		nodes = append(nodes, technologytest.Address{Host: "127.0.0.1", Ports: map[string]int{"client": 20001 + i, "controller": 20101 + i}})
	}
	return map[string][]technologytest.Address{"broker": nodes}
}

func TestStack(t *testing.T) {
	tests := map[string]struct {
		options   map[string]any
		brokers   int
		endpoints string
		config    map[string]string // of the last broker
		absent    []string
	}{
		"defaults are Kafka's own": {
			brokers:   1,
			endpoints: `{"bootstrap":["127.0.0.1:20001"]}`,
			config: map[string]string{
				"node.id": "1", "controller.quorum.voters": "1@127.0.0.1:20101", "min.insync.replicas": "1",
				"listeners":                        "CLIENT://127.0.0.1:20001,CONTROLLER://127.0.0.1:20101",
				"offsets.topic.replication.factor": "1", "num.io.threads": "8", "num.network.threads": "3",
			},
			absent: []string{"log.flush.interval.messages", "log.flush.interval.ms", "log.flush.scheduler.interval.ms"},
		},
		"three brokers vote and keep three copies of Kafka's own topics": {
			options: map[string]any{"brokers": 3, "min_insync_replicas": 2, "flush_messages": 1, "flush_ms": 250},
			brokers: 3, endpoints: `{"bootstrap":["127.0.0.1:20001","127.0.0.1:20002","127.0.0.1:20003"]}`,
			config: map[string]string{
				"node.id": "3", "controller.quorum.voters": "1@127.0.0.1:20101,2@127.0.0.1:20102,3@127.0.0.1:20103",
				"min.insync.replicas": "2", "offsets.topic.replication.factor": "3", "transaction.state.log.replication.factor": "3",
				"log.flush.interval.messages": "1", "log.flush.interval.ms": "250", "log.flush.scheduler.interval.ms": "250",
			},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			stack, err := technologytest.Evaluate(t, "kafka", "kraft", tt.options, addresses(tt.brokers))
			if err != nil {
				t.Fatalf("Evaluate() = %v, want no error", err)
			}
			want := map[string]technologytest.Group{"broker": {Count: tt.brokers, Ports: []string{"client", "controller"}}}
			if diff := cmp.Diff(want, stack.Groups); diff != "" {
				t.Errorf("groups (-want +got):\n%s", diff)
			}
			if got := string(stack.Endpoints); got != tt.endpoints {
				t.Errorf("endpoints = %s, want %s", got, tt.endpoints)
			}
			if len(stack.Services) != tt.brokers {
				t.Fatalf("%d services, want %d", len(stack.Services), tt.brokers)
			}
			last := stack.Services[fmt.Sprintf("broker-%d", tt.brokers-1)]
			if last.Group != "broker" || last.Index != tt.brokers-1 {
				t.Errorf("the last service is of %s %d, want broker %d", last.Group, last.Index, tt.brokers-1)
			}
			got := properties(last.Files["server.properties"])
			for key, value := range tt.config {
				if got[key] != value {
					t.Errorf("server.properties: %s = %q, want %q", key, got[key], value)
				}
			}
			for _, key := range tt.absent {
				if value, ok := got[key]; ok {
					t.Errorf("server.properties: %s = %q, want it absent", key, value)
				}
			}
		})
	}
}

func TestStackPutsNoOptionOnTheCommandLine(t *testing.T) {
	var commands []string
	for _, heap := range []string{"512m", "3g"} {
		stack, err := technologytest.Evaluate(t, "kafka", "kraft", map[string]any{"heap": heap, "flush_messages": len(heap)}, addresses(1))
		if err != nil {
			t.Fatalf("Evaluate() = %v, want no error", err)
		}
		commands = append(commands, strings.Join(stack.Services["broker-0"].Command, " "))
		if options := stack.Services["broker-0"].Files["jvm.options"]; !strings.Contains(options, "-Xmx"+heap+"\n") {
			t.Errorf("jvm.options = %s, want -Xmx%s", options, heap)
		}
	}
	if commands[0] != commands[1] {
		t.Errorf("commands %q and %q differ, want no option in them", commands[0], commands[1])
	}
}

func TestStackRefuses(t *testing.T) {
	tests := map[string]struct {
		options map[string]any
		want    string
	}{
		"an even quorum":                    {map[string]any{"brokers": 2}, "brokers must be 1, 3 or 5"},
		"a fraction of a broker":            {map[string]any{"brokers": 1.5}, "brokers must be 1, 3 or 5"},
		"a heap without a unit":             {map[string]any{"heap": "512"}, "heap must be a whole number"},
		"another flag in the heap":          {map[string]any{"heap": "512m -XX:+Foo"}, "heap must be a whole number"},
		"a second line in the heap":         {map[string]any{"heap": "512m\n-XX:+Foo"}, "heap must be a whole number"},
		"negative flushes":                  {map[string]any{"flush_messages": -1}, "flush_messages must be a whole number"},
		"a fraction of a millisecond":       {map[string]any{"flush_ms": 0.5}, "flush_ms must be a whole number"},
		"more copies in sync than brokers":  {map[string]any{"min_insync_replicas": 2}, "min_insync_replicas must not be more than brokers"},
		"no copy in sync":                   {map[string]any{"min_insync_replicas": 0}, "min_insync_replicas must be a whole number of at least 1"},
		"no threads":                        {map[string]any{"io_threads": 0}, "io_threads must be a whole number"},
		"more network threads than allowed": {map[string]any{"network_threads": 1000}, "network_threads must be a whole number"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := technologytest.Evaluate(t, "kafka", "kraft", tt.options, addresses(1))
			// OpenTofu breaks lines where it likes.
			if err == nil || !strings.Contains(strings.Join(strings.Fields(err.Error()), " "), tt.want) {
				t.Errorf("Evaluate(%v) = %v, want %q", tt.options, err, tt.want)
			}
		})
	}
}

// properties reads a file of key=value lines.
func properties(text string) map[string]string {
	values := map[string]string{}
	for line := range strings.Lines(text) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok {
			values[key] = value
		}
	}
	return values
}
