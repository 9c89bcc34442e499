package nats_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dec.local/dec/technology/technologytest"
)

// addresses are those of n servers.
func addresses(n int) map[string][]technologytest.Address {
	var nodes []technologytest.Address
	for i := range n {
		nodes = append(nodes, technologytest.Address{Host: "127.0.0.1", Ports: map[string]int{"client": 20001 + i, "cluster": 20101 + i, "monitor": 20201 + i}})
	}
	return map[string][]technologytest.Address{"server": nodes}
}

const oneServer = `include "password.conf"
server_name: "server-0"
listen: "127.0.0.1:20001"
http: "127.0.0.1:20201"
jetstream {
  store_dir: "data"
  sync_interval: "2m"
  max_buffered_msgs: 100000
}
`

const lastOfThree = `include "password.conf"
server_name: "server-2"
listen: "127.0.0.1:20003"
http: "127.0.0.1:20203"
jetstream {
  store_dir: "data"
  sync_interval: "always"
  max_buffered_msgs: 5
}
cluster {
  name: "dec"
  listen: "127.0.0.1:20103"
  routes: ["nats://127.0.0.1:20101", "nats://127.0.0.1:20102", "nats://127.0.0.1:20103"]
}
`

func TestStack(t *testing.T) {
	tests := map[string]struct {
		options   map[string]any
		servers   int
		last      string // name of the last service
		config    string // of it
		endpoints string
	}{
		"one server has no cluster": {
			servers: 1, last: "server-0", config: oneServer,
			endpoints: `{"monitors":["http://127.0.0.1:20201"],"servers":["nats://127.0.0.1:20001"],"storage":"file"}`,
		},
		"three servers know each other": {
			options: map[string]any{"servers": 3, "storage": "memory", "sync_interval": "always", "max_buffered_msgs": 5},
			servers: 3, last: "server-2", config: lastOfThree,
			endpoints: `{"monitors":["http://127.0.0.1:20201","http://127.0.0.1:20202","http://127.0.0.1:20203"],` +
				`"servers":["nats://127.0.0.1:20001","nats://127.0.0.1:20002","nats://127.0.0.1:20003"],"storage":"memory"}`,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			stack, err := technologytest.Evaluate(t, "nats", "jetstream", tt.options, addresses(tt.servers))
			if err != nil {
				t.Fatalf("Evaluate() = %v, want no error", err)
			}
			want := map[string]technologytest.Group{"server": {Count: tt.servers, Ports: []string{"client", "cluster", "monitor"}}}
			if diff := cmp.Diff(want, stack.Groups); diff != "" {
				t.Errorf("groups (-want +got):\n%s", diff)
			}
			if got := string(stack.Endpoints); got != tt.endpoints {
				t.Errorf("endpoints = %s, want %s", got, tt.endpoints)
			}
			if len(stack.Services) != tt.servers {
				t.Errorf("%d services, want %d", len(stack.Services), tt.servers)
			}
			if diff := cmp.Diff(tt.config, stack.Services[tt.last].Files["nats.conf"]); diff != "" {
				t.Errorf("nats.conf of %s (-want +got):\n%s", tt.last, diff)
			}
		})
	}
}

func TestStackRefuses(t *testing.T) {
	tests := map[string]struct {
		options map[string]any
		want    string
	}{
		"an even quorum":           {map[string]any{"servers": 4}, "servers must be 1, 3 or 5"},
		"an unknown storage":       {map[string]any{"storage": "tape"}, "storage must be file or memory"},
		"an interval without unit": {map[string]any{"sync_interval": "100"}, "sync_interval must be always"},
		"a line in the interval":   {map[string]any{"sync_interval": "2m\"\nport: 1"}, "sync_interval must be always"},
		"a short password":         {map[string]any{"password": "1234567"}, "password must be 8 to 128 letters"},
		"a quote in the password":  {map[string]any{"password": "1234567\"port: 1"}, "password must be 8 to 128 letters"},
		"a line in the password":   {map[string]any{"password": "12345678\nport: 1"}, "password must be 8 to 128 letters"},
		"a hash for a password":    {map[string]any{"password": "$2a$11$abcdefgh"}, "password must be 8 to 128 letters"},
		"no buffer":                {map[string]any{"max_buffered_msgs": 0}, "max_buffered_msgs must be a whole number"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := technologytest.Evaluate(t, "nats", "jetstream", tt.options, addresses(1))
			// OpenTofu breaks lines where it likes.
			if err == nil || !strings.Contains(strings.Join(strings.Fields(err.Error()), " "), tt.want) {
				t.Errorf("Evaluate(%v) = %v, want %q", tt.options, err, tt.want)
			}
		})
	}
}
