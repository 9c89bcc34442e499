package rendezvous

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"dec.local/dec/internal/measure"
)

// Collect waits for the results of all agents, merges them exactly, stores the
// run's result and returns it. A second call returns the stored one. It fails
// when an agent gave up, or when no further result appears for
// [Options].Silence.
func (c *Coordinator) Collect(ctx context.Context) (measure.Result, error) {
	var result measure.Result
	if found, err := c.folder.Find(ctx, ResultObject, &result); found || err != nil {
		return result, err
	}
	plan, err := c.plan(ctx)
	if err != nil {
		return measure.Result{}, err
	}
	var begin Step
	if _, err := c.folder.Find(ctx, StepObject(0), &begin); err != nil {
		return measure.Result{}, err
	}
	if begin.Stop {
		return measure.Result{}, fmt.Errorf("there is no result: the run was stopped before its load began: %s", begin.Reason)
	}
	ids := slices.Sorted(maps.Keys(plan.Agents))
	agents, err := c.results(ctx, ids)
	if err != nil {
		return measure.Result{}, err
	}
	if result, err = c.merge(ctx, plan, agents); err != nil {
		return measure.Result{}, err
	}
	err = c.folder.Put(ctx, ResultObject, result)
	if errors.Is(err, ErrExists) {
		result = measure.Result{}
		err = c.folder.Get(ctx, ResultObject, &result)
	}
	return result, err
}

// merge joins the agents' results and adds what no agent's result holds.
func (c *Coordinator) merge(ctx context.Context, plan Plan, agents []measure.AgentResult) (measure.Result, error) {
	result, err := measure.Merge(plan.Workload, agents)
	if err != nil {
		return measure.Result{}, err
	}
	var prepared Prepared
	if _, err := c.folder.Find(ctx, PreparedObject, &prepared); err != nil {
		return measure.Result{}, err
	}
	result.Guarantees = prepared.Effective
	result.Versions = map[string]string{"dec-agent": agents[0].Facts.Version}
	return result, nil
}

// results waits for the result of every agent.
func (c *Coordinator) results(ctx context.Context, ids []string) ([]measure.AgentResult, error) {
	agents, found := make([]measure.AgentResult, len(ids)), make([]bool, len(ids))
	newsAt := time.Now()
	for known := 0; ; {
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
			known, newsAt = there, time.Now()
		}
		if c.silent(newsAt, time.Now()) {
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
