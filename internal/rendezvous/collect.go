package rendezvous

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
	"dec.local/dec/internal/pacing"
)

// Completion adds what no agent knows to the result of a run whose load began at
// a moment.
type Completion func(ctx context.Context, begun time.Time, r *measure.Result) error

// Collect waits for the results of all agents, merges them exactly and stores what
// they make: histograms, timeline, and at last the result, completed by complete
// unless that is nil. It returns the result and its bytes, as they are stored; a
// second call returns the same. It fails when an agent gave up, or when no further
// result appears for [Options].Silence.
func (c *Coordinator) Collect(ctx context.Context, complete Completion) (measure.Result, json.RawMessage, error) {
	data, err := c.collect(ctx, complete)
	if err != nil {
		return measure.Result{}, nil, err
	}
	result, err := measure.ReadResult(data)
	return result, data, err
}

func (c *Coordinator) collect(ctx context.Context, complete Completion) (json.RawMessage, error) {
	var begin Step
	if _, err := c.folder.Find(ctx, StepObject(0), &begin); err != nil {
		return nil, err
	}
	var stored json.RawMessage
	if found, err := c.folder.Find(ctx, ResultObject, &stored); err != nil {
		return nil, err
	} else if found {
		return c.completed(ctx, stored, begin.Start, complete)
	}
	if begin.Stop {
		return nil, fmt.Errorf("there is no result: the run was stopped before its load started: %s", begin.Reason)
	}
	plan, err := c.plan(ctx)
	if err != nil {
		return nil, err
	}
	agents, err := c.results(ctx, slices.Sorted(maps.Keys(plan.Agents)))
	if err != nil {
		return nil, err
	}
	merged, err := c.merge(ctx, plan, begin.Start, agents)
	if err != nil {
		return nil, err
	}
	if err := c.keep(ctx, merged); err != nil {
		return nil, err
	}
	data, err := encodeResult(ctx, merged.Result, begin.Start, complete)
	if err != nil {
		return nil, err
	}
	if err := c.folder.Put(ctx, ResultObject, data); !errors.Is(err, ErrExists) {
		return data, err
	}
	err = c.folder.Get(ctx, ResultObject, &data)
	return data, err
}

// keep stores the series and distributions of a run. Those that are there already
// are the same.
func (c *Coordinator) keep(ctx context.Context, m measure.Merged) error {
	for name, v := range map[string]any{HistogramsObject: m.Histograms, TimelineObject: m.Timeline} {
		if err := c.folder.Put(ctx, name, v); err != nil && !errors.Is(err, ErrExists) {
			return err
		}
	}
	return nil
}

// completed returns a result that was stored before. One of an earlier version,
// whose server died before it had completed the result, is completed now.
func (c *Coordinator) completed(ctx context.Context, stored json.RawMessage, begun time.Time, complete Completion) (json.RawMessage, error) {
	m, err := measure.ReadMerged(stored)
	if err != nil || len(m.Timeline) == 0 {
		return stored, err
	}
	if err := c.keep(ctx, m); err != nil {
		return nil, err
	}
	return encodeResult(ctx, m.Result, begun, complete)
}

// encodeResult completes a result and encodes it.
func encodeResult(ctx context.Context, r measure.Result, begun time.Time, complete Completion) (json.RawMessage, error) {
	if complete != nil {
		if err := complete(ctx, begun, &r); err != nil {
			return nil, err
		}
	}
	data, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("encode the result: %w", err)
	}
	return data, nil
}

// merge joins the agents' results and adds what no agent's result holds.
func (c *Coordinator) merge(ctx context.Context, plan Plan, begun time.Time, agents []measure.AgentResult) (measure.Merged, error) {
	left, err := c.leftover(ctx, agents)
	if err != nil {
		return measure.Merged{}, err
	}
	merged, err := measure.Merge(measure.Asked{
		Workload: plan.Workload, Due: due(plan.Workload), Metric: plan.Compare, OwnCPUs: plan.OwnCPUs, Remaining: left.Remaining,
	}, agents)
	if err != nil {
		return measure.Merged{}, err
	}
	var prepared Prepared
	if _, err := c.folder.Find(ctx, PreparedObject, &prepared); err != nil {
		return measure.Merged{}, err
	}
	merged.Guarantees = prepared.Effective
	if len(prepared.Effective) > 0 {
		var have experiment.Effective
		if err := json.Unmarshal(prepared.Effective, &have); err != nil {
			return measure.Merged{}, fmt.Errorf("read the guarantees in force: %w", err)
		}
		merged.Tell(have.Incidents)
		if !prepared.At.IsZero() {
			stages := plan.Workload.Stages
			end := begun.Add(stages.Warmup.Std() + stages.Measure.Std())
			merged.SetFsync(have.Fsync, end.Sub(prepared.At), plan.Workload)
		}
	}
	merged.Versions = map[string]string{"dec-agent": agents[0].Facts.Version}
	return merged, nil
}

// leftover waits for what the leader finds when it reads the destination again, if it
// does: its result says so, and is there by now.
func (c *Coordinator) leftover(ctx context.Context, agents []measure.AgentResult) (left Leftover, err error) {
	if !slices.ContainsFunc(agents, func(a measure.AgentResult) bool { return a.Rereading }) {
		return left, nil
	}
	waiting, cancel := context.WithTimeout(ctx, RereadTime+c.silence)
	defer cancel()
	for {
		found, err := c.folder.Find(waiting, RemainingObject, &left)
		if left.Reason != "" {
			c.log.Warn("nothing is known of the messages that did not arrive", "reason", left.Reason)
		}
		if found || err != nil && waiting.Err() == nil {
			return left, err
		}
		if err := sleep(waiting, c.poll); ctx.Err() != nil {
			return left, fmt.Errorf("waiting for what the leader finds in the destination: %w", err)
		} else if err != nil {
			c.log.Warn("nothing is known of the messages that did not arrive: no answer of the leader")
			return left, nil
		}
	}
}

// due returns the schedules of a workload's producers.
func due(w experiment.Workload) measure.Due {
	return func(producer int) (func() (time.Duration, bool), error) {
		schedule, err := pacing.New(w, producer)
		if err != nil {
			return nil, err
		}
		return schedule.Next, nil
	}
}

// results waits for the result of every agent.
func (c *Coordinator) results(ctx context.Context, ids []string) ([]measure.AgentResult, error) {
	agents, found := make([]measure.AgentResult, len(ids)), make([]bool, len(ids))
	lastResult, w := time.Now(), watch{bucket: c.folder.bucket, patience: c.silence}
	for known := 0; ; {
		w.look(time.Now())
		if err := c.failure(ctx, ids); err != nil {
			return nil, err
		}
		err := each(ctx, ids, func(ctx context.Context, i int, id string) (err error) {
			if !found[i] {
				agents[i], found[i], err = c.result(ctx, id)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
		var missing []string
		for i, id := range ids {
			if !found[i] {
				missing = append(missing, id)
			}
		}
		if len(missing) == 0 {
			return agents, nil
		}
		if there := len(ids) - len(missing); there > known {
			known, lastResult = there, time.Now()
		}
		if w.silent(lastResult) {
			return nil, fmt.Errorf("no result from %s within %s; see their logs", strings.Join(missing, ", "), c.silence)
		}
		if err := sleep(ctx, c.poll); err != nil {
			return nil, fmt.Errorf("waiting for the results of %s: %w", strings.Join(missing, ", "), err)
		}
	}
}

// result reads one agent's result and its snapshots, which it writes before.
func (c *Coordinator) result(ctx context.Context, id string) (measure.AgentResult, bool, error) {
	var result measure.AgentResult
	found, err := c.folder.Find(ctx, AgentResultObject(id), &result)
	if err != nil || !found {
		return result, false, err
	}
	for {
		got, err := c.folder.progress(ctx, id, len(result.Snapshots), window)
		if err != nil {
			return result, false, err
		}
		for _, p := range got {
			result.Snapshots = append(result.Snapshots, p.Snapshot)
		}
		if len(got) < window {
			return result, true, nil
		}
	}
}
