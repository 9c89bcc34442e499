package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"dec.local/dec/bench/internal/lead"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
	"dec.local/dec/internal/planspec"
	"dec.local/dec/internal/rendezvous"
)

// side is one run of the agents.
type side struct {
	place
	dir, run  string
	endpoints json.RawMessage
	load      load
}

// agents runs a producer and a consumer agent and returns the CPU seconds that
// both used in the measured time, by their own account.
func agents(ctx context.Context, s side) (usage, error) {
	url := "file://" + filepath.Join(s.dir, "bucket")
	bucket, err := rendezvous.OpenBucket(ctx, url)
	if err != nil {
		return usage{}, err
	}
	defer bucket.Close()
	workload, err := s.workload()
	if err != nil {
		return usage{}, err
	}
	c := rendezvous.New(rendezvous.Options{Bucket: bucket, Run: s.run})
	shares := rendezvous.Shares(workload)
	err = c.WritePlan(ctx, rendezvous.Plan{
		Run: s.run, Technology: s.technology, Destination: s.run, Endpoints: s.endpoints, Workload: workload, Agents: shares,
	})
	if err != nil {
		return usage{}, err
	}
	ended := make(chan error, len(shares))
	for id := range shares {
		cmd := pinned(ctx, "1", s.agent, "run")
		cmd.Env = append(os.Environ(), "DEC_BUCKET="+url, "DEC_RUN="+s.run, "DEC_AGENT="+id)
		cmd.Stderr = nil
		if err := cmd.Start(); err != nil {
			return usage{}, err
		}
		go func() { ended <- cmd.Wait() }()
	}
	result, err := lead.Run(ctx, c)
	for range shares {
		err = errors.Join(err, <-ended)
	}
	if err != nil {
		return usage{}, fmt.Errorf("agents: %w", err)
	}
	if !result.Validity.OK || result.Counts.Lost != 0 {
		return usage{}, fmt.Errorf("agents: %+v, validity %v", result.Counts, result.Validity)
	}
	var used usage
	folder := rendezvous.NewFolder(bucket, s.run)
	for id, share := range shares {
		var own measure.AgentResult
		if err := folder.Get(ctx, rendezvous.AgentResultObject(id), &own); err != nil {
			return usage{}, err
		}
		used.add(share.Role, own.CPUSeconds)
	}
	return used, nil
}

func (s side) workload() (experiment.Workload, error) {
	plan, err := planspec.Decode(fmt.Appendf(nil, `{"name": "bench", "variants": [{"label": "k", "technology": "kafka", "stack": "kraft"}],
		"workload": {"load": {"rate": %d}, "message": {"size": %d}, "stages": {"warmup": "%s", "measure": "%s", "drain": "10s"}}}`,
		s.load.rate, s.load.size, s.load.warmup, s.load.measure))
	return plan.Workload, err
}
