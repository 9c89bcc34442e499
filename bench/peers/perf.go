package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"dec.local/dec/bench/peers/outputs"
)

const (
	consumerClass = "org.apache.kafka.tools.ConsumerPerformance"
	producerClass = "org.apache.kafka.tools.ProducerPerformance"
)

// runPerf runs kafka-producer-perf-test, and kafka-consumer-perf-test beside it.
func runPerf(ctx context.Context, p programs, j job) (outcome, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if err := j.system.create(ctx, j.system, j.destination); err != nil {
		return outcome{}, err
	}
	warmup, records := j.records(j.warmup), j.records(j.warmup+j.measure)
	var both pair
	defer func() { both.kill() }()
	var err error
	both.consumer, err = start(ctx, command{name: "consumer-perf", dir: j.dir, args: []string{"java", "-Xmx512m", "-cp", p.perf, consumerClass,
		"--bootstrap-server", j.address, "--topic", j.destination, "--num-records", fmt.Sprint(records), "--timeout", "20000",
		"--show-detailed-stats", "--reporting-interval", "1000"}})
	if err != nil {
		return outcome{}, err
	}
	// It joins its group, which takes some seconds, and reads from the beginning.
	if err := pause(ctx, 3*time.Second); err != nil {
		return outcome{}, err
	}
	begins := func(l line) {
		if isSteady(l.text) && j.begins != nil {
			j.begins(l.at)
		}
	}
	throughput := "-1"
	if j.load.rate > 0 {
		throughput = fmt.Sprint(j.load.rate)
	}
	both.producer, err = start(ctx, command{name: "producer-perf", dir: j.dir, onLine: begins, args: []string{
		"java", "-Xmx512m", "-cp", p.perf, producerClass, "--bootstrap-server", j.address, "--topic", j.destination,
		"--num-records", fmt.Sprint(records), "--warmup-records", fmt.Sprint(warmup), "--record-size", fmt.Sprint(j.load.size),
		"--throughput", throughput, "--reporting-interval", "1000",
		"--command-property", "acks=all", fmt.Sprintf("linger.ms=%d", j.linger.Milliseconds()), fmt.Sprintf("batch.size=%d", batchBytes)}})
	if err != nil {
		return outcome{}, err
	}
	if err := both.producer.wait(ctx); err != nil {
		return outcome{}, err
	}
	if err := both.consumer.wait(ctx); err != nil {
		return outcome{}, err
	}
	o, err := perfOutcome(both)
	o.Measured = j.measure // its percentiles are of all that follows the warm-up
	return o, err
}

// perfOutcome takes the figures from the last of the warm-up to the last full line.
func perfOutcome(both pair) (outcome, error) {
	var o outcome
	_, texts := both.producer.output()
	summary, err := outputs.PerfSummary(texts)
	if err != nil {
		return o, err
	}
	sent := 0.0
	produced := counted(both.producer, func(text string) (float64, bool) {
		n, ok := outputs.PerfInterval(text)
		sent += n
		return sent, ok
	})
	consumed := counted(both.consumer, outputs.ConsumerTotal)
	if len(produced.times) < 2 {
		return o, errors.New("kafka-producer-perf-test ended before it had told two intervals: it needs more seconds")
	}
	w := window{steady(both.producer), produced.times[len(produced.times)-1]}
	if !w.from.Before(w.until) {
		w.from = produced.times[0]
	}
	o.sides(w, both.producer, both.consumer, produced.between(w), consumed.between(w))
	o.Reported = []reported{{What: "publish", Quantiles: summary.Quantiles}}
	return o, nil
}

// isSteady reports whether kafka-producer-perf-test says that its warm-up is over.
func isSteady(text string) bool { return strings.HasPrefix(text, "In steady state") }

// steady is when the first second after the warm-up was over, or the zero time. In
// that second the tool leaves out what it had sent before.
func steady(producer *process) time.Time {
	lines, _ := producer.output()
	for i, l := range lines {
		if isSteady(l.text) && i+1 < len(lines) {
			return lines[i+1].at
		}
	}
	return time.Time{}
}
