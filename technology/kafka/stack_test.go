package kafka_test

import (
	"fmt"
	"maps"
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
			endpoints: `{"bootstrap":["127.0.0.1:20001"],"consumer_quota":0,"producer_quota":0,"replicas":0,"tls":null}`,
			config: map[string]string{
				"node.id": "1", "controller.quorum.voters": "1@127.0.0.1:20101", "min.insync.replicas": "1",
				"listeners":                        "CLIENT://127.0.0.1:20001,CONTROLLER://127.0.0.1:20101",
				"offsets.topic.replication.factor": "1", "num.io.threads": "8", "num.network.threads": "3",
			},
			absent: []string{"log.flush.interval.messages", "log.flush.interval.ms", "log.flush.scheduler.interval.ms"},
		},
		"quotas and copies are for the driver": {
			options: map[string]any{"brokers": 2, "replicas": 2, "producer_quota": 1000000, "consumer_quota": 2000000},
			brokers: 2, endpoints: `{"bootstrap":["127.0.0.1:20001","127.0.0.1:20002"],"consumer_quota":2000000,"producer_quota":1000000,"replicas":2,"tls":null}`,
		},
		"three brokers vote and keep three copies of Kafka's own topics": {
			options: map[string]any{"brokers": 3, "min_insync_replicas": 2, "flush_messages": 1, "flush_ms": 250},
			brokers: 3, endpoints: `{"bootstrap":["127.0.0.1:20001","127.0.0.1:20002","127.0.0.1:20003"],"consumer_quota":0,"producer_quota":0,"replicas":0,"tls":null}`,
			config: map[string]string{
				"node.id": "3", "controller.quorum.voters": "1@127.0.0.1:20101,2@127.0.0.1:20102,3@127.0.0.1:20103",
				"min.insync.replicas": "2", "offsets.topic.replication.factor": "3",
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

// needed are the settings without which a broker neither starts nor serves a group.
var needed = []string{
	"controller.listener.names", "controller.quorum.voters", "inter.broker.listener.name", "listener.security.protocol.map", "listeners",
	"log.dirs", "node.id", "offsets.topic.replication.factor", "process.roles",
}

// own are settings that are options of the stack, which have Kafka's own values.
var own = map[string]string{"min.insync.replicas": "1", "num.io.threads": "8", "num.network.threads": "3"}

func TestBrokersRunByTheirOwnSettings(t *testing.T) {
	told := map[string]string{
		"log.initial.task.delay.ms": "5000", "log.retention.check.interval.ms": "5000", "log.segment.delete.delay.ms": "1000",
	}
	for outgrows, more := range map[bool]map[string]string{false: {}, true: told} {
		stack, err := technologytest.Evaluate(t, "kafka", "kraft", map[string]any{"topology": map[string]any{"outgrows": outgrows}}, addresses(1))
		if err != nil {
			t.Fatalf("Evaluate() = %v, want no error", err)
		}
		got := properties(stack.Services["broker-0"].Files["server.properties"])
		for _, name := range needed {
			if _, ok := got[name]; !ok {
				t.Errorf("server.properties has no %s", name)
			}
			delete(got, name)
		}
		want := maps.Clone(own)
		maps.Copy(want, more)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("settings beside those that a broker needs, of a load that outgrows its retention: %t (-want +got):\n%s", outgrows, diff)
		}
	}
}

func TestStackQuorum(t *testing.T) {
	const both, alone = "broker,controller", "broker"
	tests := map[int]struct{ voters, copies, lastRole, lastListeners string }{
		1: {"1@127.0.0.1:20101", "1", both, "CLIENT://127.0.0.1:20001,CONTROLLER://127.0.0.1:20101"},
		2: {"1@127.0.0.1:20101", "2", alone, "CLIENT://127.0.0.1:20002"},
		3: {"1@127.0.0.1:20101,2@127.0.0.1:20102,3@127.0.0.1:20103", "3", both, "CLIENT://127.0.0.1:20003,CONTROLLER://127.0.0.1:20103"},
		4: {"1@127.0.0.1:20101,2@127.0.0.1:20102,3@127.0.0.1:20103", "3", alone, "CLIENT://127.0.0.1:20004"},
		5: {"1@127.0.0.1:20101,2@127.0.0.1:20102,3@127.0.0.1:20103,4@127.0.0.1:20104,5@127.0.0.1:20105", "3", both, "CLIENT://127.0.0.1:20005,CONTROLLER://127.0.0.1:20105"},
	}
	for n, tt := range tests {
		t.Run(fmt.Sprintf("%d brokers", n), func(t *testing.T) {
			stack, err := technologytest.Evaluate(t, "kafka", "kraft", map[string]any{"brokers": n}, addresses(n))
			if err != nil {
				t.Fatalf("Evaluate() = %v, want no error", err)
			}
			for i := range n {
				want := map[string]string{
					"node.id": fmt.Sprint(i + 1), "process.roles": both, "controller.quorum.voters": tt.voters,
					"offsets.topic.replication.factor": tt.copies,
					"listeners":                        fmt.Sprintf("CLIENT://127.0.0.1:%d,CONTROLLER://127.0.0.1:%d", 20001+i, 20101+i),
				}
				if i == n-1 {
					want["process.roles"], want["listeners"] = tt.lastRole, tt.lastListeners
				}
				service := stack.Services[fmt.Sprintf("broker-%d", i)]
				got := properties(service.Files["server.properties"])
				for key, value := range want {
					if got[key] != value {
						t.Errorf("server.properties of broker %d: %s = %q, want %q", i, key, got[key], value)
					}
				}
				if service.Readiness.Log != "Kafka Server started" || service.Readiness.Port != "client" {
					t.Errorf("broker %d is ready at %+v, want its log to say so and its port to be open", i, service.Readiness)
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
		"more brokers than five":             {map[string]any{"brokers": 6}, "brokers must be 1, 2, 3, 4 or 5"},
		"no broker":                          {map[string]any{"brokers": 0}, "brokers must be 1, 2, 3, 4 or 5"},
		"a fraction of a broker":             {map[string]any{"brokers": 1.5}, "brokers must be 1, 2, 3, 4 or 5"},
		"more copies than brokers":           {map[string]any{"brokers": 2, "replicas": 3}, "replicas must not exceed brokers"},
		"a fraction of a copy":               {map[string]any{"replicas": 0.5}, "replicas must be a whole number"},
		"a negative quota of producers":      {map[string]any{"producer_quota": -1}, "producer_quota must be a whole number"},
		"a fraction of a byte for consumers": {map[string]any{"consumer_quota": 0.5}, "consumer_quota must be a whole number"},
		"a short password":                   {map[string]any{"password": "1234567"}, "password must be 8 to 128"},
		"a password that ends its text":      {map[string]any{"password": "12345678\""}, "password must be 8 to 128"},
		"a password that escapes":            {map[string]any{"password": "12345678\\"}, "password must be 8 to 128"},
		"a password of two SCRAM settings":   {map[string]any{"password": "12345678,salt=x"}, "password must be 8 to 128"},
		"a password of two lines":            {map[string]any{"password": "12345678\nx=y"}, "password must be 8 to 128"},
		"a heap without a unit":              {map[string]any{"heap": "512"}, "heap must be a whole number"},
		"another flag in the heap":           {map[string]any{"heap": "512m -XX:+Foo"}, "heap must be a whole number"},
		"a second line in the heap":          {map[string]any{"heap": "512m\n-XX:+Foo"}, "heap must be a whole number"},
		"negative flushes":                   {map[string]any{"flush_messages": -1}, "flush_messages must be a whole number"},
		"a fraction of a millisecond":        {map[string]any{"flush_ms": 0.5}, "flush_ms must be a whole number"},
		"more copies in sync than brokers":   {map[string]any{"min_insync_replicas": 2}, "min_insync_replicas must not exceed brokers"},
		"no copy in sync":                    {map[string]any{"min_insync_replicas": 0}, "min_insync_replicas must be a whole number, at least 1"},
		"no threads":                         {map[string]any{"io_threads": 0}, "io_threads must be a whole number"},
		"more network threads than allowed":  {map[string]any{"network_threads": 1000}, "network_threads must be a whole number"},
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
