package local

import (
	"context"
	"fmt"
	"time"

	"dec.local/dec/target"
)

// Usage returns what each service of a run used from one time until another, by
// the name of the service. Samples are a second apart; CPU at the edges of the
// window is interpolated between them.
func (l *Ledger) Usage(ctx context.Context, run string, from, until time.Time) (map[string]target.Usage, error) {
	names, err := l.namesOf(run)
	if err != nil {
		return nil, fmt.Errorf("usage of run %s: %w", run, err)
	}
	usage := make(map[string]target.Usage, len(names))
	for _, name := range names {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		p, err := l.Process(name)
		if gone(err) {
			continue
		} else if err != nil {
			return nil, fmt.Errorf("usage of process %s: %w", name, err)
		}
		cpu, rss, err := p.UsageBetween(from, until)
		if gone(err) {
			continue
		} else if err != nil {
			return nil, err
		}
		usage[serviceOf(run, name)] = target.Usage{CPUSeconds: cpu, MaxRSSBytes: rss}
	}
	return usage, nil
}
