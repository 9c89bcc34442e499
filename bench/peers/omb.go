package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"dec.local/dec/bench/peers/outputs"
)

const (
	ombClass = "io.openmessaging.benchmark.Benchmark"
	// ombFlatOut is the rate that OMB's own workloads without a limit ask for.
	ombFlatOut = 10_000_000
)

const ombDriver = `name: Kafka
driverClass: io.openmessaging.benchmark.driver.kafka.KafkaBenchmarkDriver
replicationFactor: 1
topicConfig: |
  retention.bytes=%d
commonConfig: |
  bootstrap.servers=%s
producerConfig: |
  acks=all
  linger.ms=%d
  batch.size=%d
consumerConfig: |
  auto.offset.reset=earliest
  enable.auto.commit=false
`

const ombWorkload = `name: peers
topics: 1
partitionsPerTopic: 1
messageSize: %d
useRandomizedPayloads: true
randomBytesRatio: 1.0
randomizedPayloadPoolSize: 1000
subscriptionsPerTopic: 1
producersPerTopic: 1
consumerPerSubscription: 1
producerRate: %d
consumerBacklogSizeGB: 0
warmupDurationMinutes: %d
testDurationMinutes: 1
`

// ombFolder checks that a folder has what is needed of the OpenMessaging Benchmark.
func ombFolder(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if _, err := ombClassPath(dir); err != nil {
		return "", fmt.Errorf("%w: clone github.com/openmessaging/benchmark and run bench/peers/tools/build-omb on it", err)
	}
	return dir, nil
}

// ombClassPath is made as its own start script makes it.
func ombClassPath(dir string) (string, error) {
	if _, err := os.Stat(filepath.Join(dir, "lib")); err == nil {
		return filepath.Join(dir, "lib", "*"), nil // a package
	}
	target := filepath.Join(dir, "benchmark-framework", "target")
	rest, err := os.ReadFile(filepath.Join(target, "classpath.txt"))
	if err != nil {
		return "", fmt.Errorf("%s has no built OpenMessaging Benchmark", dir)
	}
	return filepath.Join(target, "classes") + string(os.PathListSeparator) + strings.TrimSpace(string(rest)), nil
}

// runOMB runs the local worker with one producer and one consumer, for a minute
// after a minute of warm-up: it knows no shorter times.
func runOMB(ctx context.Context, p programs, j job) (outcome, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	classPath, err := ombClassPath(p.omb)
	if err != nil {
		return outcome{}, err
	}
	rate := j.load.rate
	if rate == 0 {
		rate = ombFlatOut
	}
	warmup := 0
	if j.warmup >= ombLeastWarmup {
		warmup = 1
	}
	driver := fmt.Sprintf(ombDriver, retentionBytes, j.address, j.linger.Milliseconds(), batchBytes)
	workload := fmt.Sprintf(ombWorkload, j.load.size, rate, warmup)
	for name, content := range map[string]string{"driver.yaml": driver, "workload.yaml": workload} {
		if err := writeFile(filepath.Join(j.dir, name), content); err != nil {
			return outcome{}, err
		}
	}
	begins := func(l line) {
		if outputs.OMBBegins(l.text) && j.begins != nil {
			j.begins(l.at)
		}
	}
	// The heap is that of its own start script.
	worker, err := start(ctx, command{name: "omb", dir: j.dir, onLine: begins, args: []string{
		"java", "-server", "-Xms4G", "-Xmx4G", "-XX:+UseG1GC", "-cp", classPath, ombClass,
		"--drivers", "driver.yaml", "--output", "result", "workload.yaml"}})
	if err != nil {
		return outcome{}, err
	}
	defer worker.kill()
	result, err := awaitOMB(ctx, worker, j.dir)
	if err != nil {
		return outcome{}, err
	}
	return ombOutcome(worker, result)
}

// ombLeastWarmup tells a true run from a brief one, which goes without OMB's minute
// of warm-up.
const ombLeastWarmup = 5 * time.Second

// awaitOMB returns the result as soon as it is written: with Kafka, the worker never
// ends.
func awaitOMB(ctx context.Context, worker *process, dir string) (outputs.OMBResult, error) {
	var last error
	for {
		found, err := filepath.Glob(filepath.Join(dir, "result*"))
		if err == nil && len(found) > 0 {
			data, err := os.ReadFile(found[0])
			if err == nil {
				var result outputs.OMBResult
				if result, last = outputs.ReadOMB(data); last == nil {
					return result, nil
				}
			}
		}
		select {
		case <-ctx.Done():
			return outputs.OMBResult{}, errors.Join(context.Cause(ctx), last)
		case <-worker.ended:
			return outputs.OMBResult{}, errors.Join(fmt.Errorf("it ended without a result, see %s", worker.log.Name()), worker.wait(ctx), last)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// sendDelay is what OMB tells beside its latencies: from the intended moment to the
// real send. It is in neither of them.
const sendDelay = "late by"

// ombOutcome takes the figures from where the worker says that its measured part
// begins to the last rate that it tells.
func ombOutcome(worker *process, result outputs.OMBResult) (outcome, error) {
	lines, texts := worker.output()
	var w window
	var sent, received, intervals float64
	for _, l := range lines {
		if outputs.OMBBegins(l.text) {
			w = window{l.at, l.at}
			sent, received, intervals = 0, 0, 0
			continue
		}
		if s, r, ok := outputs.OMBInterval(l.text); ok && !w.from.IsZero() {
			sent, received, intervals = sent+s, received+r, intervals+1
			w.until = l.at
		}
	}
	if intervals == 0 {
		return outcome{}, fmt.Errorf("the OpenMessaging Benchmark told no rates; its last line: %s", texts[len(texts)-1])
	}
	cpu, used := worker.usage(w)
	o := outcome{Sent: sent / intervals, Received: received / intervals, Memory: used, Measured: w.until.Sub(w.from)}
	// One process does both, so a message costs what producing and consuming one takes.
	o.PerMillion = perMillion(cpu, (o.Sent+o.Received)/2*w.seconds())
	o.Reported = []reported{{What: "publish", Quantiles: result.Publish}, {What: "end to end", Quantiles: result.E2E},
		{What: sendDelay, Quantiles: result.PublishDelay}}
	return o, nil
}
