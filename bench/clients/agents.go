package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"dec.local/dec/bench/internal/lead"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/format"
	"dec.local/dec/internal/measure"
	"dec.local/dec/internal/planspec"
	"dec.local/dec/internal/rendezvous"
)

const (
	runID  = "r123456789"
	config = `{"consumer_ack": "none"}` // the server could not take the acknowledgements of 50 groups
)

func workload(s shape) (experiment.Workload, error) {
	plan, err := planspec.Decode(fmt.Appendf(nil, `{"name": "bench", "variants": [{"label": "n", "technology": "nats", "stack": "jetstream"}],
		"workload": {"load": {"rate": %d}, "message": {"size": "256B"}, "stages": {"warmup": "%s", "measure": "%s", "drain": "10s"},
			"topology": {"producers": %d, "consumer_groups": %d, "consumers_per_group": %d, "partitions": %d}}}`,
		s.rate, s.warmup, s.measure, s.producers, s.groups, s.perGroup, s.partitions))
	return plan.Workload, err
}

// runAgents runs DEC's agents and returns the peak memory of each role in bytes, and what
// they measured.
func runAgents(agent string) func(context.Context, *broker, shape) (map[string]int64, string, error) {
	return func(ctx context.Context, b *broker, s shape) (map[string]int64, string, error) {
		url := "file://" + filepath.Join(b.dir, "bucket")
		bucket, err := rendezvous.OpenBucket(ctx, url)
		if err != nil {
			return nil, "", err
		}
		defer bucket.Close()
		w, err := workload(s)
		if err != nil {
			return nil, "", err
		}
		c := rendezvous.New(rendezvous.Options{Bucket: bucket, Run: runID})
		shares := rendezvous.Shares(w)
		err = c.WritePlan(ctx, rendezvous.Plan{
			Run: runID, Technology: "nats", Destination: "bench", Endpoints: b.endpoints, ClientConfig: clientConfig(), Workload: w, Agents: shares,
		})
		if err != nil {
			return nil, "", err
		}
		var processes []*process
		for id, share := range shares {
			cmd := exec.CommandContext(ctx, agent, "run")
			cmd.Env = append(os.Environ(), "DEC_BUCKET="+url, "DEC_RUN="+runID, "DEC_AGENT="+id)
			p, err := start(share.Role, cmd)
			if err != nil {
				return nil, "", err
			}
			processes = append(processes, p)
		}
		result, err := lead.Run(ctx, c)
		memory, waitErr := wait(processes...)
		return memory, told(result, s.measure), errors.Join(err, waitErr)
	}
}

func told(r measure.Result, length time.Duration) string {
	p50, p99 := r.E2E.Quantile("p50"), r.E2E.Quantile("p99")
	return fmt.Sprintf("%.1f CPUs; %s, %s; %s, %s; %s delivered to the slowest group, %s in all; %v", r.CPU.AgentSeconds/length.Seconds(),
		format.Latency(r.Lateness.P50NS), format.Latency(r.Lateness.P99NS), format.Bound(p50.NS, p50.Exact), format.Bound(p99.NS, p99.Exact),
		format.Share(r.Delivered), format.Count(r.Counts.Received), r.Validity)
}
