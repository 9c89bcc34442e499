package technology_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/technology"
	"dec.local/dec/technology/nats"
)

// A driver is used as an agent uses it: prepare the destination, position the
// consumer, send, flush.
func ExampleTechnology() {
	endpoints, stop := startBroker()
	defer stop()
	ctx := context.Background()
	driver, err := nats.Technology.Open(ctx, endpoints, technology.Settings{Destination: "orders"})
	if err != nil {
		log.Fatal(err)
	}
	defer driver.Close()
	effective, err := driver.Prepare(ctx, experiment.Topology{Partitions: 1, Replicas: 1}, 1<<20)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("replicas:", effective.Replicas)

	received := make(chan string)
	consumer, err := driver.Consumer(ctx, "billing", 0, func(m technology.Message) { received <- string(m.Payload) })
	if err != nil {
		log.Fatal(err)
	}
	defer consumer.Close()
	acked := make(chan uint64, 2)
	producer, err := driver.Producer(ctx, 0, func(token uint64, err error) {
		if err != nil {
			log.Fatal(err)
		}
		acked <- token
	})
	if err != nil {
		log.Fatal(err)
	}
	defer producer.Close()

	for token, payload := range []string{"first", "second"} {
		m := technology.Message{Payload: []byte(payload), Partition: technology.AnyPartition}
		if err := producer.Send(ctx, uint64(token), m); err != nil {
			log.Fatal(err)
		}
	}
	if err := producer.Flush(ctx); err != nil {
		log.Fatal(err)
	}
	one, other := <-acked, <-acked // in any order
	fmt.Println("acknowledged:", min(one, other), max(one, other))
	fmt.Println("received:", <-received, <-received)
	// Output:
	// replicas: 1
	// acknowledged: 0 1
	// received: first second
}

// startBroker starts a NATS server within this process.
func startBroker() (endpoints json.RawMessage, stop func()) {
	folder, err := os.MkdirTemp("", "dec-example-")
	if err != nil {
		log.Fatal(err)
	}
	broker, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, HTTPHost: "127.0.0.1", HTTPPort: server.RANDOM_PORT,
		JetStream: true, StoreDir: folder, NoLog: true, NoSigs: true,
	})
	if err != nil {
		log.Fatal(err)
	}
	broker.Start()
	if !broker.ReadyForConnections(10 * time.Second) {
		log.Fatal("the NATS server is not ready after 10 s")
	}
	endpoints, err = json.Marshal(map[string]any{
		"servers": []string{broker.ClientURL()}, "monitors": []string{"http://" + broker.MonitorAddr().String()}, "storage": "memory",
	})
	if err != nil {
		log.Fatal(err)
	}
	return endpoints, func() {
		broker.Shutdown()
		broker.WaitForShutdown()
		os.RemoveAll(folder)
	}
}
