package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"time"

	"dec.local/dec/bench/peers/proxy"
)

type runner func(context.Context, programs, job) (outcome, error)

// behindProxy runs a tool behind a proxy of its own.
func behindProxy(run runner, truth truthCase) runner {
	return func(ctx context.Context, p programs, j job) (outcome, error) {
		between, err := proxy.Listen(ctx, j.system.proxy, j.system.proxyTarget, truth.delay)
		if err != nil {
			return outcome{}, err
		}
		defer between.Close()
		j.address, j.linger, j.inFlight = between.Address(), truth.linger, truth.inFlight
		if truth.stall > 0 {
			// A third into the measured part, which is a minute with OMB.
			j.begins = func(at time.Time) {
				from := at.Add(j.measure / 3)
				between.Stall(from, from.Add(truth.stall))
			}
		}
		o, err := run(ctx, p, j)
		if ended, ok := errors.AsType[*exec.ExitError](err); ok && truth.stall > 0 && between.Stalled() {
			// It did not survive the stall, which is what was asked.
			return outcome{GaveUp: fmt.Sprintf("ended in the stall: %v", ended), Reported: []reported{{What: "publish"}}}, nil
		}
		if median, p99 := between.Held(); truth.delay > 0 {
			o.Held = []time.Duration{median, p99}
		}
		o.CaughtUp = between.CaughtUp()
		return o, err
	}
}
