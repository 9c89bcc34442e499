// Package lead takes DEC's agents through a run, as a server does, for benchmarks.
package lead

import (
	"context"
	"time"

	"dec.local/dec/internal/measure"
	"dec.local/dec/internal/rendezvous"
)

// Run takes agents that have their plan through a run and returns its result.
func Run(ctx context.Context, c *rendezvous.Coordinator) (measure.Result, error) {
	if err := c.AwaitReady(ctx); err != nil {
		return measure.Result{}, err
	}
	if _, err := c.Begin(ctx, time.Second); err != nil {
		return measure.Result{}, err
	}
	if err := c.Follow(ctx, func(measure.Second) {}); err != nil {
		return measure.Result{}, err
	}
	result, _, err := c.Collect(ctx, nil)
	return result, err
}
