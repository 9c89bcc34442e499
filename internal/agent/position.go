package agent

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"

	"dec.local/dec/internal/measure"
	"dec.local/dec/technology"
)

// position opens the producers and consumers of this agent's share. All at
// once: the members of a consumer group may wait for each other. The first that
// fails cancels ctx, which is the clients' for as long as they live.
func (a *agent) position(ctx context.Context, cancel context.CancelCauseFunc, driver technology.Driver) error {
	run := measure.RunHash(a.plan.Run)
	var content *pool
	if len(a.share.Producers) > 0 {
		content = newPool(a.plan.Workload)
	}
	for _, index := range a.share.Producers {
		p, err := newProducer(a.plan.Workload, index, run, content, a.anchor)
		if err != nil {
			return err
		}
		a.producers = append(a.producers, p)
	}
	for _, share := range a.share.Consumers {
		a.consumers = append(a.consumers, newConsumer(share, a.anchor))
	}
	var g errgroup.Group
	open := func(what string, open func() error) {
		g.Go(func() error {
			err := open()
			if err != nil {
				err = fmt.Errorf("open %s: %w", what, err)
				cancel(err)
			}
			return err
		})
	}
	for _, p := range a.producers {
		open(fmt.Sprintf("producer %d", p.index), func() (err error) {
			p.client, err = driver.Producer(ctx, p.index, p.acked)
			return err
		})
	}
	for _, c := range a.consumers {
		open(fmt.Sprintf("consumer %d of %s", c.share.Index, c.share.Group), func() (err error) {
			c.client, err = driver.Consumer(ctx, c.share.Group, c.share.Index, c.received)
			return err
		})
	}
	return g.Wait()
}

// close gives back everything that position opened, and the driver. What fails
// now can't change the result, so it is only logged.
func (a *agent) close(driver technology.Driver) {
	var errs []error
	for _, c := range a.consumers {
		if c.recorder.Load() == nil {
			c.begin(nil, 0) // a message that came too early may be waiting
		}
		if c.client != nil {
			errs = append(errs, c.client.Close())
		}
	}
	for _, p := range a.producers {
		if p.client != nil {
			errs = append(errs, p.client.Close())
		}
	}
	errs = append(errs, driver.Close())
	if err := errors.Join(errs...); err != nil {
		a.Logger.Warn("cannot close the client", "error", err)
	}
}
