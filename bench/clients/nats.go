package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
)

// broker is a NATS server with throw-away data.
type broker struct {
	dir       string
	endpoints json.RawMessage
	cmd       *exec.Cmd
}

// startNATS starts the installed server. Clients wait until it is ready.
func startNATS(ctx context.Context, tools string) (*broker, error) {
	found, err := filepath.Glob(filepath.Join(tools, "artifacts", "nats-server", "*", "nats-server"))
	if err != nil || len(found) == 0 {
		return nil, fmt.Errorf("no NATS server below %s: run make setup", tools)
	}
	dir, err := os.MkdirTemp("", "dec-bench-")
	if err != nil {
		return nil, err
	}
	ports := make([]string, 2)
	for i := range ports {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		_, ports[i], _ = net.SplitHostPort(l.Addr().String())
		_ = l.Close() // it only found the port
	}
	cmd := exec.CommandContext(ctx, found[0], "-js", "-sd", dir, "-a", "127.0.0.1", "-p", ports[0], "-m", ports[1])
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	endpoints := fmt.Sprintf(`{"servers": ["nats://127.0.0.1:%s"], "monitors": ["http://127.0.0.1:%s"], "storage": "file"}`, ports[0], ports[1])
	return &broker{dir, json.RawMessage(endpoints), cmd}, nil
}

func (b *broker) stop() {
	_ = b.cmd.Process.Kill() // throw-away data
	_ = b.cmd.Wait()         // killed: always an error
	_ = os.RemoveAll(b.dir)
}
