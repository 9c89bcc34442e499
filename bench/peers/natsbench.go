package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"dec.local/dec/bench/peers/outputs"
)

// runNATSBench runs nats bench with asynchronous publishing, and its consumer
// beside it.
func runNATSBench(ctx context.Context, p programs, j job) (outcome, error) {
	return natsBench(ctx, p, j, "async")
}

// runNATSBenchSync has one message under way at a time.
func runNATSBenchSync(ctx context.Context, p programs, j job) (outcome, error) {
	return natsBench(ctx, p, j, "sync")
}

// natsBench takes the figures of the whole processes: the tool has no warm-up and
// tells nothing on the way, and a Go program is as fast at first as later.
func natsBench(ctx context.Context, p programs, j job, how string) (outcome, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if err := j.system.create(ctx, j.system, j.destination); err != nil {
		return outcome{}, err
	}
	records := fmt.Sprint(j.records(j.measure))
	// By default it gives up after 5 s without an acknowledgement.
	args := []string{p.nats, "--no-context", "--timeout", "1m", "--server", "nats://" + j.address, "bench", "js"}
	common := []string{"--stream", j.destination, "--msgs", records, "--size", fmt.Sprint(j.load.size), "--no-progress"}
	var both pair
	defer func() { both.kill() }()
	var err error
	both.consumer, err = start(ctx, command{name: "nats-consume", dir: j.dir, args: slices.Concat(args, []string{"consume"}, common)})
	if err != nil {
		return outcome{}, err
	}
	if err := pause(ctx, time.Second); err != nil {
		return outcome{}, err
	}
	publish := []string{"pub", how, j.destination}
	if j.load.rate > 0 {
		publish = append(publish, "--throughput", fmt.Sprint(j.load.rate))
	}
	begins := func(l line) {
		if strings.Contains(l.text, "publisher, publishing") && j.begins != nil {
			j.begins(l.at)
		}
	}
	both.producer, err = start(ctx, command{name: "nats-publish", dir: j.dir, args: slices.Concat(args, publish, common), onLine: begins})
	if err != nil {
		return outcome{}, err
	}
	for _, process := range []*process{both.producer, both.consumer} {
		if err := process.wait(ctx); err != nil {
			return outcome{}, err
		}
	}
	o, err := natsOutcome(both, float64(j.records(j.measure)))
	if how == "async" && err == nil {
		o.Reported[0].What += ", a batch"
	}
	return o, err
}

func natsOutcome(both pair, records float64) (outcome, error) {
	_, texts := both.producer.output()
	published, err := outputs.NATSBench(texts)
	if err != nil {
		return outcome{}, err
	}
	_, texts = both.consumer.output()
	consumed, err := outputs.NATSBench(texts)
	if err != nil {
		return outcome{}, err
	}
	_, m1 := both.producer.usage(both.producer.life())
	_, m2 := both.consumer.usage(both.consumer.life())
	return outcome{
		Sent: published.Rate, Received: consumed.Rate,
		PerMillion: perMillion(both.producer.total()+both.consumer.total(), records),
		Memory:     m1.plus(m2),
		Measured:   time.Duration(records / published.Rate * float64(time.Second)),
		Reported:   []reported{{What: "publish", Quantiles: published.Quantiles}},
	}, nil
}
