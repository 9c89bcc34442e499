package station

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"gocloud.dev/blob"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
	"dec.local/dec/internal/orchestrator"
	"dec.local/dec/internal/rendezvous"
	"dec.local/dec/target/local"
)

// lead is the time from the start step until the first message: long enough for
// every agent to have read it.
const lead = time.Second

// workload leads the agents of a run through the bucket.
type workload struct {
	bucket   *blob.Bucket
	ledger   *local.Ledger
	logger   *slog.Logger
	onSecond func(run, experiment string, s measure.Second)
	onLost   func(run string) // its seconds end before the run does
}

func (w *workload) coordinator(a orchestrator.Assignment) *rendezvous.Coordinator {
	return rendezvous.New(rendezvous.Options{Bucket: w.bucket, Run: a.Run.ID, Epoch: epoch, Logger: w.logger})
}

// Prepare implements [orchestrator.Workload].
func (w *workload) Prepare(ctx context.Context, a orchestrator.Assignment, endpoints json.RawMessage) error {
	c := w.coordinator(a)
	err := c.WritePlan(ctx, rendezvous.Plan{
		Run:          a.Run.ID,
		Epoch:        epoch,
		Technology:   a.Variant.Technology,
		Destination:  destination(a.Run.ID),
		Endpoints:    endpoints,
		ClientConfig: a.Variant.ClientConfig,
		Workload:     a.Plan.Workload,
		Agents:       rendezvous.Shares(a.Plan.Workload),
	})
	if err != nil {
		return err
	}
	_, _, err = c.AwaitReady(ctx)
	return err
}

// Load implements [orchestrator.Workload].
func (w *workload) Load(ctx context.Context, a orchestrator.Assignment) error {
	c := w.coordinator(a)
	if _, err := c.Begin(ctx, lead); err != nil {
		return err
	}
	err := c.Follow(ctx, func(s measure.Second) { w.onSecond(a.Run.ID, a.Run.Experiment, s) })
	if err != nil { // another server may have the run by now, and tell its outcome
		w.onLost(a.Run.ID)
	}
	return err
}

// Collect implements [orchestrator.Workload].
func (w *workload) Collect(ctx context.Context, a orchestrator.Assignment) (json.RawMessage, experiment.Validity, error) {
	c := w.coordinator(a)
	result, err := c.Collect(ctx)
	if err != nil {
		return nil, experiment.Validity{}, err
	}
	step, err := c.Begin(ctx, lead) // reads when the load began
	if err != nil {
		return nil, experiment.Validity{}, err
	}
	if err := w.addBrokers(ctx, a, step, &result); err != nil {
		return nil, experiment.Validity{}, err
	}
	if result.Plan, err = json.Marshal(a.Plan); err != nil {
		return nil, experiment.Validity{}, fmt.Errorf("result of run %s: %w", a.Run.ID, err)
	}
	result.Versions = Version()
	data, err := json.Marshal(result)
	return data, result.Validity, err
}

// addBrokers adds what the brokers used during the measure stage. Where no
// sample was taken the result says nothing about it.
func (w *workload) addBrokers(ctx context.Context, a orchestrator.Assignment, step rendezvous.Step, result *measure.Result) error {
	stages := a.Plan.Workload.Stages
	from := step.Start.Add(time.Duration(stages.Warmup))
	usage, err := w.ledger.Usage(ctx, a.Run.ID, from, from.Add(time.Duration(stages.Measure)))
	if err != nil {
		return fmt.Errorf("usage of the brokers: %w", err)
	}
	agents := rendezvous.Shares(a.Plan.Workload)
	var cpu float64
	var rss int64
	brokers := 0
	for name, used := range usage {
		if _, isAgent := agents[name]; isAgent {
			continue
		}
		cpu += used.CPUSeconds
		rss += used.MaxRSSBytes
		brokers++
	}
	if brokers > 0 {
		result.SetBrokerCPU(cpu, rss)
	}
	return nil
}

// Stop implements [orchestrator.Workload].
func (w *workload) Stop(ctx context.Context, a orchestrator.Assignment, reason string) error {
	return w.coordinator(a).Stop(ctx, reason)
}
