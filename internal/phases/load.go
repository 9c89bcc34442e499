package phases

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"time"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
	"dec.local/dec/internal/orchestrator"
	"dec.local/dec/internal/rendezvous"
	"dec.local/dec/target"
)

// lead is the time from the start step until the first message: long enough for
// every agent to have read it.
const lead = time.Second

// workload leads the agents of a run through the bucket.
type workload struct {
	// bucketOf: a run that was taken over may have another data folder's.
	bucketOf func(ctx context.Context, run string) (b *rendezvous.Bucket, release func(), err error)
	places   target.Places
	logger   *slog.Logger
	onSecond func(run, experiment string, s measure.Second)
	onLost   func(run string) // its seconds end before the run does
	versions map[string]string
	// certificate is nil where nobody keeps any.
	certificate func([]measure.AgentFacts) (*measure.Certificate, error)
}

// coordinate calls do with the server's side of a run.
func (w *workload) coordinate(ctx context.Context, a orchestrator.Assignment, do func(*rendezvous.Coordinator) error) error {
	bucket, release, err := w.bucketOf(ctx, a.Run.ID)
	if err != nil {
		return err
	}
	defer release()
	return do(rendezvous.New(rendezvous.Options{Bucket: bucket, Run: a.Run.ID, Logger: w.logger}))
}

// Prepare implements [orchestrator.Workload].
func (w *workload) Prepare(ctx context.Context, a orchestrator.Assignment, endpoints json.RawMessage) error {
	place, err := w.places.Find(a.Plan.Target)
	if err != nil {
		return err
	}
	return w.coordinate(ctx, a, func(c *rendezvous.Coordinator) error {
		err := c.WritePlan(ctx, rendezvous.Plan{
			Run:          a.Run.ID,
			Technology:   a.Variant.Technology,
			Destination:  destination(a.Run.ID),
			Endpoints:    endpoints,
			ClientConfig: a.Variant.ClientConfig,
			Workload:     load(a),
			Compare:      a.Plan.Compare,
			OwnCPUs:      !place.Facts.SharedMachine,
			Agents:       rendezvous.Shares(a.Plan.Workload),
		})
		if err != nil {
			return err
		}
		err = c.AwaitReady(ctx)
		return err
	})
}

// load is the workload of a run: the plan's, with the seed of the run's round.
func load(a orchestrator.Assignment) experiment.Workload {
	w := a.Plan.Workload
	w.Seed = experiment.RoundSeed(w.Seed, a.Run.Round)
	return w
}

// Load implements [orchestrator.Workload]. It goes on with a load that was begun
// before.
func (w *workload) Load(ctx context.Context, a orchestrator.Assignment) error {
	err := w.coordinate(ctx, a, func(c *rendezvous.Coordinator) error {
		if _, err := c.Begin(ctx, lead); err != nil {
			return err
		}
		return c.Follow(ctx, func(s measure.Second) { w.onSecond(a.Run.ID, a.Run.Experiment, s) })
	})
	if err != nil { // another server may have the run by now, and tell its outcome
		w.onLost(a.Run.ID)
	}
	return err
}

// Collect implements [orchestrator.Workload].
func (w *workload) Collect(ctx context.Context, a orchestrator.Assignment) (json.RawMessage, experiment.Validity, error) {
	var data json.RawMessage
	var result measure.Result
	err := w.coordinate(ctx, a, func(c *rendezvous.Coordinator) (err error) {
		result, data, err = c.Collect(ctx, func(ctx context.Context, begun time.Time, r *measure.Result) error {
			return w.complete(ctx, a, begun, r)
		})
		return err
	})
	return data, result.Validity, err
}

// complete adds to a result what no agent knows.
func (w *workload) complete(ctx context.Context, a orchestrator.Assignment, begun time.Time, r *measure.Result) error {
	if err := w.addBrokers(ctx, a, begun, r); err != nil {
		return err
	}
	plan, err := json.Marshal(a.Plan)
	if err != nil {
		return fmt.Errorf("result of run %s: %w", a.Run.ID, err)
	}
	r.Run, r.Variant, r.Plan, r.Seed = a.Run.ID, a.Variant.Label, plan, load(a).Seed
	maps.Copy(r.Versions, w.versions)
	w.certify(a.Run.ID, r)
	return nil
}

// certify adds the agents' certificate, if there is one that can be read: a run is worth
// the same without.
func (w *workload) certify(run string, r *measure.Result) {
	if w.certificate == nil {
		return
	}
	var err error
	if r.Certificate, err = w.certificate(r.Agents); err != nil {
		w.logger.Warn("the certificate of the agents cannot be read", "run", run, "error", err)
	}
}

// addBrokers adds what the brokers used during the measure stage. Where no
// sample was taken the result says nothing about it.
func (w *workload) addBrokers(ctx context.Context, a orchestrator.Assignment, begun time.Time, result *measure.Result) error {
	place, err := w.places.Find(a.Plan.Target)
	if err != nil {
		return err
	}
	metered, ok := place.Place.(target.Metered)
	if !ok {
		return nil
	}
	stages := a.Plan.Workload.Stages
	from := begun.Add(time.Duration(stages.Warmup))
	usage, err := metered.Usage(ctx, a.Run.ID, from, from.Add(time.Duration(stages.Measure)))
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
	return w.coordinate(ctx, a, func(c *rendezvous.Coordinator) error { return c.Stop(ctx, reason) })
}
