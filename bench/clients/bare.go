package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"dec.local/dec/internal/rendezvous"
	"dec.local/dec/technology"
	"dec.local/dec/technology/all"
)

func clientConfig() map[string]json.RawMessage {
	var settings map[string]json.RawMessage
	if err := json.Unmarshal([]byte(config), &settings); err != nil {
		panic(err) // a constant
	}
	return settings
}

// bareProcesses runs a bare program with all producers and one with all consumers.
func bareProcesses(ctx context.Context, b *broker, s shape) (map[string]int64, string, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, "", err
	}
	of := func(role string) *exec.Cmd {
		cmd := exec.CommandContext(ctx, self, "bare", role, string(b.endpoints), strconv.Itoa(s.producers), strconv.Itoa(s.groups),
			strconv.Itoa(s.perGroup), strconv.Itoa(s.partitions), strconv.Itoa(s.rate), (s.warmup + s.measure).String())
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		return cmd
	}
	consumers, err := start("consumer", of("consumer"))
	if err != nil {
		return nil, "", err
	}
	producers, err := start("producer", of("producer"))
	if err != nil {
		return nil, "", err
	}
	memory, err := wait(consumers, producers)
	return memory, "", err
}

// bare holds the clients of one role, sends what is due every millisecond, and receives
// what comes.
func bare(args []string) error {
	if len(args) != 8 {
		return errors.New("bare wants role, endpoints, producers, groups, consumers, partitions, rate and time")
	}
	var n [5]int
	for i := range n {
		var err error
		if n[i], err = strconv.Atoi(args[2+i]); err != nil {
			return err
		}
	}
	length, err := time.ParseDuration(args[7])
	if err != nil {
		return err
	}
	w, err := workload(shape{n[0], n[1], n[2], n[3], n[4], time.Second, length})
	if err != nil {
		return err
	}
	ctx := context.Background()
	technologies := all.Technologies()
	nats := slices.IndexFunc(technologies, func(t technology.Technology) bool { return t.Name == "nats" })
	driver, err := technologies[nats].Open(ctx, json.RawMessage(args[1]), technology.Settings{
		Destination: "bench", ClientConfig: clientConfig(), Workload: w, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return err
	}
	defer driver.Close()
	if _, err := driver.Prepare(ctx, w.Topology, w.Retention); err != nil {
		return err
	}
	if args[0] == "consumer" {
		return consume(ctx, driver, rendezvous.Shares(w)["consumer-0"].Consumers, length)
	}
	return produce(ctx, driver, n[0], n[4], length)
}

func consume(ctx context.Context, driver technology.Driver, shares []rendezvous.ConsumerShare, length time.Duration) error {
	var received atomic.Int64
	var g errgroup.Group
	for _, share := range shares {
		g.Go(func() error {
			_, err := driver.Consumer(ctx, share.Group, share.Index, func(technology.Message) { received.Add(1) })
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	time.Sleep(length)
	fmt.Fprintf(os.Stderr, "bare consumers received %d messages\n", received.Load())
	return nil
}

func produce(ctx context.Context, driver technology.Driver, n, rate int, length time.Duration) error {
	producers := make([]technology.Producer, n)
	for i := range producers {
		var err error
		if producers[i], err = driver.Producer(ctx, i, func(uint64, error) {}); err != nil {
			return err
		}
	}
	payload := make([]byte, 256)
	start := time.Now()
	for sent := 0; time.Since(start) < length; time.Sleep(time.Millisecond) {
		for ; float64(sent) < time.Since(start).Seconds()*float64(rate); sent++ {
			m := technology.Message{Payload: payload, Partition: technology.AnyPartition}
			if err := producers[sent%n].Send(ctx, uint64(sent), m); err != nil {
				return err
			}
		}
	}
	return nil
}
