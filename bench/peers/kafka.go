package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// retentionBytes is what a topic or stream keeps: the default of DEC's plans.
const retentionBytes = 2 << 30

// startKafka starts one broker with two addresses: one for clients, and one that
// calls itself by the address of the proxy, because a client goes where the broker
// says that it is.
func startKafka(ctx context.Context, dir, home string) (*system, error) {
	ports, err := freePorts(4)
	if err != nil {
		return nil, err
	}
	s := &system{name: kafkaSystem, direct: ports[0], proxyTarget: ports[1], proxy: ports[2], clear: clearKafka, create: createTopic}
	controller := ports[3]
	data := filepath.Join(dir, "data")
	config := strings.Join([]string{
		"process.roles=broker,controller", "node.id=1", "controller.quorum.voters=1@" + controller, "controller.listener.names=CONTROLLER",
		"listeners=DIRECT://" + s.direct + ",PROXIED://" + s.proxyTarget + ",CONTROLLER://" + controller,
		"advertised.listeners=DIRECT://" + s.direct + ",PROXIED://" + s.proxy,
		"listener.security.protocol.map=DIRECT:PLAINTEXT,PROXIED:PLAINTEXT,CONTROLLER:PLAINTEXT", "inter.broker.listener.name=DIRECT",
		"offsets.topic.replication.factor=1", "auto.create.topics.enable=false", "log.dirs=" + data,
		"log.retention.check.interval.ms=5000", "log.segment.delete.delay.ms=1000", "log.initial.task.delay.ms=5000", "",
	}, "\n")
	checkpoint, err := os.ReadFile(filepath.Join(home, "bootstrap.checkpoint"))
	if err != nil {
		return nil, err
	}
	for name, content := range map[string]string{
		"server.properties":    config,
		"data/meta.properties": "version=1\ncluster.id=DECaaaaaaaaaaaaaaaaaaA\nnode.id=1\n",
		"data/__cluster_metadata-0/00000000000000000000-0000000000.checkpoint": string(checkpoint),
	} {
		if err := writeFile(filepath.Join(dir, name), content); err != nil {
			return nil, err
		}
	}
	// The flags of DEC's own stack.
	s.server, err = start(ctx, command{name: "kafka", dir: dir, args: []string{
		"java", "-server", "-Xms512m", "-Xmx512m", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20", "-XX:InitiatingHeapOccupancyPercent=35",
		"-XX:+ExplicitGCInvokesConcurrent", "-Djava.awt.headless=true",
		"-cp", filepath.Join(home, "lib", "*"), "kafka.Kafka", "server.properties"}})
	if err != nil {
		return nil, err
	}
	return s, s.await(ctx, func(ctx context.Context) error {
		return withKafka(s.direct, func(admin *kadm.Client) error {
			_, err := admin.BrokerMetadata(ctx)
			return err
		})
	})
}

func withKafka(address string, do func(*kadm.Client) error) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(address), kgo.DisableClientMetrics())
	if err != nil {
		return err
	}
	defer client.Close()
	return do(kadm.NewClient(client))
}

func createTopic(ctx context.Context, s *system, name string) error {
	return withKafka(s.direct, func(admin *kadm.Client) error {
		retention := fmt.Sprint(retentionBytes)
		_, err := admin.CreateTopic(ctx, 1, 1, map[string]*string{"retention.bytes": &retention}, name)
		return err
	})
}

// clearKafka deletes all topics, those that a tool has made itself too.
func clearKafka(ctx context.Context, s *system) error {
	return withKafka(s.direct, func(admin *kadm.Client) error {
		topics, err := admin.ListTopics(ctx)
		if err != nil {
			return err
		}
		_, err = admin.DeleteTopics(ctx, topics.Names()...)
		return err
	})
}

// kafkaEndpoints is what DEC's driver is given.
func kafkaEndpoints(address string) (json.RawMessage, error) {
	return json.Marshal(map[string]any{"bootstrap": []string{address}})
}

// freePorts returns addresses of this machine on which nothing listens.
func freePorts(n int) (addresses []string, err error) {
	for range n {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer listener.Close() // together, so that no port is given twice
		addresses = append(addresses, listener.Addr().String())
	}
	return addresses, nil
}

func writeFile(path, content string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(content), 0o600)
}

// patience is how long a broker may take to start, and a tool to end after its load.
const patience = time.Minute
