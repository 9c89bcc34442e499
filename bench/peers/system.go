package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// system is a broker that is measured, with one address for clients and one behind
// a proxy.
type system struct {
	name        string
	direct      string // host:port for clients
	proxy       string // where a proxy must listen; it has no listener until there is one
	proxyTarget string // where that proxy connects to
	monitor     string // host:port, of NATS
	server      *process
	create      func(ctx context.Context, s *system, destination string) error
	clear       func(ctx context.Context, s *system) error // deletes all destinations
}

// endpoints is what DEC's driver is given, for clients that go to an address.
func (s *system) endpoints(address string) (json.RawMessage, error) {
	if s.name == natsSystem {
		return natsEndpoints(address, s.monitor)
	}
	return kafkaEndpoints(address)
}

// await returns when a broker that has been started answers.
func (s *system) await(ctx context.Context, ask func(context.Context) error) error {
	deadline := time.Now().Add(patience)
	for {
		trying, cancel := context.WithTimeout(ctx, 5*time.Second)
		err := ask(trying)
		cancel()
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s does not answer after %s: %w; see %s", s.name, patience, err, s.server.log.Name())
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-s.server.ended:
			return s.server.wait(ctx)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// systems starts the brokers when they are first asked for, and keeps them: a
// broker that is started anew for each tool would be slow at first.
type systems struct {
	tools string // folder of the installed tools
	dir   string // for data and logs
	up    map[string]*system
}

func newSystems(tools, dir string) *systems {
	return &systems{tools: tools, dir: dir, up: map[string]*system{}}
}

func (s *systems) get(ctx context.Context, name string) (*system, error) {
	if up := s.up[name]; up != nil {
		return up, nil
	}
	starters := map[string]struct {
		artifact string
		start    func(ctx context.Context, dir, home string) (*system, error)
	}{
		kafkaSystem: {"kafka", startKafka},
		natsSystem:  {"nats-server", startNATS},
	}
	starter := starters[name]
	home, err := installed(filepath.Join(s.tools, "artifacts", starter.artifact, "*"))
	if err != nil {
		return nil, fmt.Errorf("%w: run make setup", err)
	}
	dir := filepath.Join(s.dir, name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	up, err := starter.start(ctx, dir, home)
	if up != nil && up.server != nil {
		s.up[name] = up
	}
	return up, err
}

func (s *systems) stop() {
	for _, up := range s.up {
		up.server.kill() // throw-away data
	}
}

// installed returns the absolute path of what a pattern finds.
func installed(pattern string) (string, error) {
	found, err := filepath.Glob(pattern)
	if err != nil {
		return "", err
	}
	if len(found) == 0 {
		return "", fmt.Errorf("there is no %s", pattern)
	}
	return filepath.Abs(found[len(found)-1])
}
