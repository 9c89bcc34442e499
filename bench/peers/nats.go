package main

import (
	"context"
	"encoding/json"
	"net"
	"path/filepath"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// startNATS starts one server with JetStream.
func startNATS(ctx context.Context, dir, home string) (*system, error) {
	ports, err := freePorts(3)
	if err != nil {
		return nil, err
	}
	s := &system{
		name: natsSystem, direct: ports[0], proxyTarget: ports[0], proxy: ports[1], monitor: ports[2], clear: clearNATS, create: createStream,
	}
	_, port, err := net.SplitHostPort(s.direct)
	if err != nil {
		return nil, err
	}
	_, monitor, err := net.SplitHostPort(s.monitor)
	if err != nil {
		return nil, err
	}
	s.server, err = start(ctx, command{name: "nats", dir: dir, args: []string{
		filepath.Join(home, "nats-server"), "-js", "-sd", "data", "-a", "127.0.0.1", "-p", port, "-m", monitor}})
	if err != nil {
		return nil, err
	}
	return s, s.await(ctx, func(ctx context.Context) error {
		return withNATS(s.direct, func(js jetstream.JetStream) error {
			_, err := js.AccountInfo(ctx)
			return err
		})
	})
}

func withNATS(address string, do func(jetstream.JetStream) error) error {
	conn, err := nats.Connect("nats://" + address)
	if err != nil {
		return err
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		return err
	}
	return do(js)
}

// createStream makes a stream as DEC's driver does.
func createStream(ctx context.Context, s *system, name string) error {
	return withNATS(s.direct, func(js jetstream.JetStream) error {
		_, err := js.CreateStream(ctx, jetstream.StreamConfig{
			Name: name, Subjects: []string{name}, MaxBytes: retentionBytes, Discard: jetstream.DiscardOld, Storage: jetstream.FileStorage,
		})
		return err
	})
}

func clearNATS(ctx context.Context, s *system) error {
	return withNATS(s.direct, func(js jetstream.JetStream) error {
		names := js.StreamNames(ctx)
		for name := range names.Name() {
			if err := js.DeleteStream(ctx, name); err != nil {
				return err
			}
		}
		return names.Err()
	})
}

// natsEndpoints is what DEC's driver is given.
func natsEndpoints(address, monitor string) (json.RawMessage, error) {
	return json.Marshal(map[string]any{
		"servers": []string{"nats://" + address}, "monitors": []string{"http://" + monitor}, "storage": "file",
	})
}
