package main

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"time"

	"dec.local/dec/bench/peers/outputs"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
	"dec.local/dec/internal/planspec"
	"dec.local/dec/internal/rendezvous"
)

// runDEC runs a producer and a consumer agent, as the product does.
func runDEC(ctx context.Context, p programs, j job) (outcome, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	url := "file://" + filepath.Join(j.dir, "bucket")
	bucket, err := rendezvous.OpenBucket(ctx, url)
	if err != nil {
		return outcome{}, err
	}
	defer bucket.Close()
	workload, err := j.workload()
	if err != nil {
		return outcome{}, err
	}
	endpoints, err := j.system.endpoints(j.address)
	if err != nil {
		return outcome{}, err
	}
	c := rendezvous.New(rendezvous.Options{Bucket: bucket, Run: j.destination})
	shares := rendezvous.Shares(workload)
	err = c.WritePlan(ctx, rendezvous.Plan{
		Run: j.destination, Technology: j.system.name, Destination: j.destination, Endpoints: endpoints, Workload: workload, Agents: shares,
	})
	if err != nil {
		return outcome{}, err
	}
	agents, err := startAgents(ctx, p.agent, url, j, shares)
	defer agents.kill()
	if err != nil {
		return outcome{}, err
	}
	run, err := j.lead(ctx, c)
	if err != nil {
		return outcome{}, fmt.Errorf("agents: %w; their logs are in %s", err, j.dir)
	}
	for _, agent := range []*process{agents.producer, agents.consumer} {
		if err := agent.wait(ctx); err != nil {
			return outcome{}, err
		}
	}
	return run.outcome(j, agents), nil
}

// workload is what the plan of an experiment would say.
func (j job) workload() (experiment.Workload, error) {
	client := ""
	if j.system.name == kafkaSystem {
		client = fmt.Sprintf(`"client": {"batch_max_delay": %q, "batch_max_bytes": %d, "compression": "none"},`, j.linger, batchBytes)
	}
	drain := 10 * time.Second
	if j.load.rate == 0 {
		drain = time.Second // there is no end to what is due
	}
	plan, err := planspec.Decode(fmt.Appendf(nil, `{"name": "peers", "variants": [{"label": "p", "technology": %q, "stack": "peers"}],
		"workload": {"load": {"rate": %d, "max_in_flight": %d}, "message": {"size": %d}, %s
		"stages": {"warmup": %q, "measure": %q, "drain": %q}}}`,
		j.system.name, j.load.offered(), j.inFlight, j.load.size, client, j.warmup, j.measure, drain))
	return plan.Workload, err
}

func startAgents(ctx context.Context, program, url string, j job, shares map[string]rendezvous.Share) (pair, error) {
	var agents pair
	for _, id := range slices.Sorted(maps.Keys(shares)) {
		agent, err := start(ctx, command{name: id, dir: j.dir, args: []string{program, "run"},
			env: []string{"DEC_BUCKET=" + url, "DEC_RUN=" + j.destination, "DEC_AGENT=" + id}})
		if err != nil {
			return agents, err
		}
		if shares[id].Role == measure.RoleProducer {
			agents.producer = agent
		} else {
			agents.consumer = agent
		}
	}
	return agents, nil
}

// decRun is what a run of the agents showed.
type decRun struct {
	window      window
	acked, came int64 // in the seconds of the measure stage, whenever due
	result      measure.Result
}

// lead takes the agents through a run.
func (j job) lead(ctx context.Context, c *rendezvous.Coordinator) (decRun, error) {
	var run decRun
	if err := c.AwaitReady(ctx); err != nil {
		return run, err
	}
	step, err := c.Begin(ctx, time.Second)
	if err != nil {
		return run, err
	}
	from := step.Start.Add(j.warmup)
	run.window = window{from, from.Add(j.measure)}
	if j.begins != nil {
		j.begins(from)
	}
	err = c.Follow(ctx, func(s measure.Second) {
		if s.Stage == experiment.StageMeasure {
			run.acked += s.Counts.Acked
			run.came += s.Counts.Received
		}
	})
	if err != nil {
		return run, err
	}
	run.result, _, err = c.Collect(ctx, nil)
	return run, err
}

func (r decRun) outcome(j job, agents pair) outcome {
	var o outcome
	o.sides(r.window, agents.producer, agents.consumer, float64(r.acked), float64(r.came))
	o.Reported = []reported{decLatency("publish", r.result.Publish), decLatency("end to end", r.result.E2E)}
	if !r.result.Validity.OK {
		o.Invalid = r.result.Validity.Reasons
	}
	if lost := r.result.Counts.Lost; lost > 0 {
		o.Notes = append(o.Notes, fmt.Sprintf("%d lost", lost))
	}
	if j.load.rate == 0 && o.Sent > 0.95*float64(j.load.offer) {
		o.Notes = append(o.Notes, fmt.Sprintf("not flat out: took nearly all of the %d/s offered", j.load.offer))
	}
	return o
}

// decLatency is a latency as it is reported, lower bounds included.
func decLatency(what string, l measure.Latency) reported {
	r := reported{What: what, Quantiles: outputs.Quantiles{}, AtLeast: map[string]bool{}}
	for name, q := range map[string][2]*int64{
		"p50": {l.P50NS, l.P50AtLeastNS}, "p95": {l.P95NS, l.P95AtLeastNS}, "p99": {l.P99NS, l.P99AtLeastNS}, "p99.9": {l.P999NS, l.P999AtLeastNS},
	} {
		switch {
		case q[0] != nil:
			r.Quantiles[name] = float64(*q[0]) / 1e6
		case q[1] != nil:
			r.Quantiles[name], r.AtLeast[name] = float64(*q[1])/1e6, true
		}
	}
	return r
}
