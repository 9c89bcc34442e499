// Package toy drives a broker that keeps its messages in memory and is a program
// of dec-agent. README.md tells how the fields of a workload map to it.
package toy

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/technology"
)

// Technology is the toy.
var Technology = technology.Technology{
	Name:         "toy",
	Title:        "Toy",
	ConfigSchema: technology.ConfigSchema(fields),
	CheckConfig: func(config map[string]json.RawMessage, w experiment.Workload) error {
		_, err := decode(config, w)
		return err
	},
	Open:     open,
	Programs: []technology.Program{brokerProgram},
}

// version is that of the broker.
const version = "1.0.0"

// fields are the settings of client_config.
var fields = []technology.ConfigField{
	{Name: "fetch_messages", Doc: "Maximum number of messages that a consumer receives at once.", Default: 100, Min: 1, Max: 10_000},
}

type config struct {
	FetchMessages int `json:"fetch_messages"`
}

// decode reads a client_config and refuses what the toy can't do.
func decode(raw map[string]json.RawMessage, w experiment.Workload) (config, error) {
	var c config
	if err := technology.DecodeConfig(fields, raw, &c); err != nil {
		return c, err
	}
	problems := new(experiment.Problems)
	common := technology.Common{Client: w.Client, Config: raw, Problems: problems}
	common.NoBatches("The toy")
	common.NoCompression("The toy")
	if err := problems.Err(); err != nil {
		return c, err
	}
	return c, checkReplicas(w.Topology)
}

func checkReplicas(t experiment.Topology) error {
	if t.Replicas > 1 {
		return fmt.Errorf("the toy keeps one copy of a message, but the workload asks for %d: lower workload.topology.replicas", t.Replicas)
	}
	return nil
}

// endpoints is what the stack outputs.
type endpoints struct {
	Address string `json:"address"` // host and port
}

// driver implements [technology.Driver]. Each client has a connection of its own.
type driver struct {
	endpoints endpoints
	settings  technology.Settings
	config    config
}

func open(ctx context.Context, raw json.RawMessage, s technology.Settings) (technology.Driver, error) {
	d := &driver{settings: s}
	if err := json.Unmarshal(raw, &d.endpoints); err != nil || d.endpoints.Address == "" {
		return nil, fmt.Errorf(`read the endpoints %s: want {"address": "host:port"}`, raw)
	}
	var err error
	if d.config, err = decode(s.ClientConfig, s.Workload); err != nil {
		return nil, err
	}
	err = technology.Retry(ctx, func(ctx context.Context) error {
		c, err := dial(ctx, d.endpoints.Address)
		if err != nil {
			return err
		}
		return c.Close()
	})
	if err != nil {
		return nil, fmt.Errorf("connect to the toy at %s: %w", d.endpoints.Address, err)
	}
	return d, nil
}

// ask sends one request over a connection of its own.
func (d *driver) ask(ctx context.Context, r request) (response, error) {
	c, err := dial(ctx, d.endpoints.Address)
	if err != nil {
		return response{}, err
	}
	defer c.Close()
	r.Destination = d.settings.Destination
	return c.call(ctx, r)
}

// Prepare implements [technology.Driver].
func (d *driver) Prepare(ctx context.Context, t experiment.Topology, _ experiment.Bytes) (experiment.Effective, error) {
	if err := checkReplicas(t); err != nil {
		return experiment.Effective{}, err
	}
	answer, err := d.ask(ctx, request{Op: opCreate, Partitions: t.Partitions})
	if err != nil {
		return experiment.Effective{}, fmt.Errorf("create %s: %w", d.settings.Destination, err)
	}
	return experiment.Effective{
		ProducerAck: "leader", Durability: "memory", Replicas: 1, MinInSync: 1, WaitedFor: new(1), Zones: 1,
		Details: map[string]string{"version": answer.Version},
		Clients: map[experiment.ClientSetting]string{
			experiment.BatchDelay: "0s", experiment.BatchBytes: "1 message", experiment.Compression: "none", experiment.Encryption: "none",
			experiment.ConsumerAck: "none", experiment.Prefetch: fmt.Sprintf("%d messages", d.config.FetchMessages),
			experiment.InFlight: fmt.Sprintf("%d messages", d.settings.Workload.Load.MaxInFlight),
		},
	}, nil
}

// partitionOf is where a message goes that names no partition: messages of a key
// stay together, those without one are dealt out in turn.
func partitionOf(key []byte, partitions, turn int) int {
	if len(key) == 0 {
		return turn % partitions
	}
	h := fnv.New32a()
	h.Write(key)
	return int(h.Sum32() % uint32(partitions))
}

// Close implements [technology.Driver]: there is nothing that clients share.
func (d *driver) Close() error { return nil }
