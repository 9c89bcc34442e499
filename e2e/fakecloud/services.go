package fakecloud

import (
	"context"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"dec.local/dec/e2e/fakecloud/cloud"
	"dec.local/dec/target"
)

// watchEvery is how often the instances of a run are looked at.
const watchEvery = 200 * time.Millisecond

// services are the instances of a run by the names of their services.
func (p *place) services(ctx context.Context, run string) (map[string]cloud.Object, error) {
	list, err := p.client.List(ctx)
	if err != nil {
		return nil, err
	}
	services := make(map[string]cloud.Object)
	for _, o := range list {
		if name, ok := strings.CutPrefix(o.Name, run+"-"); ok && o.Kind == cloud.KindInstance {
			services[name] = o
		}
	}
	return services, nil
}

// Watch implements [target.Place]. That the cloud does not answer for a while
// says nothing about services.
func (p *place) Watch(ctx context.Context, run string) error {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	seen := make(map[string]bool)
	for {
		if services, err := p.services(ctx, run); err == nil {
			if err := compare(services, seen); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// compare returns what is wrong with services, those too that were seen before.
func compare(services map[string]cloud.Object, seen map[string]bool) error {
	for name, o := range services {
		switch seen[name] = true; o.State {
		case cloud.Failed:
			return &target.Ended{Service: name, Err: fmt.Errorf("service %s failed: %s", name, o.Reason)}
		case cloud.Deleting:
			return &target.Ended{Service: name, Err: fmt.Errorf("service %s is being deleted", name)}
		}
	}
	for name := range seen {
		if _, ok := services[name]; !ok {
			return &target.Ended{Service: name, Err: fmt.Errorf("service %s was removed", name)}
		}
	}
	return nil
}

// Usage implements [target.Metered].
func (p *place) Usage(ctx context.Context, run string, from, until time.Time) (map[string]target.Usage, error) {
	services, err := p.services(ctx, run)
	if err != nil {
		return nil, fmt.Errorf("usage of run %s: %w", run, err)
	}
	usage := make(map[string]target.Usage, len(services))
	for name, o := range services {
		used, err := p.client.Usage(ctx, o.ID, from, until)
		if cloud.IsCode(err, cloud.CodeNotFound) {
			continue // it does not run yet, or no longer
		} else if err != nil {
			return nil, fmt.Errorf("usage of run %s: %w", run, err)
		}
		usage[name] = target.Usage(used)
	}
	return usage, nil
}

// Logs implements [target.Logging].
func (p *place) Logs(ctx context.Context, run string) ([]target.LogFile, error) {
	services, err := p.services(ctx, run)
	if err != nil {
		return nil, fmt.Errorf("logs of run %s: %w", run, err)
	}
	var files []target.LogFile
	for name, o := range services {
		logs, err := p.client.Logs(ctx, o.ID)
		if cloud.IsCode(err, cloud.CodeNotFound) {
			continue
		} else if err != nil {
			return nil, fmt.Errorf("logs of run %s: %w", run, err)
		}
		for _, log := range logs {
			files = append(files, target.LogFile{Service: name, Name: log.Name, Size: log.Size, ReadEnd: p.readEnd(o.ID, log.Name)})
		}
	}
	return files, nil
}

// readEnd reads the end of a log of an instance.
func (p *place) readEnd(id, name string) func(ctx context.Context, most int64) ([]byte, error) {
	return func(ctx context.Context, most int64) ([]byte, error) {
		end, err := p.client.LogEnd(ctx, id, name, most)
		if cloud.IsCode(err, cloud.CodeNotFound) {
			return nil, fmt.Errorf("%w: %w", fs.ErrNotExist, err)
		}
		return end, err
	}
}
