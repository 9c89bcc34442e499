package rendezvous

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"dec.local/dec/internal/measure"
)

// Seconds returns the timeline of a run from second after+1 on (-1: all), as
// far as every agent has delivered it. It only reads, so that a server may show
// a run that another one drives; there are none before the load has begun. Its
// cost grows with the length of the run, because the backlog of a second rests
// on all seconds before it.
func Seconds(ctx context.Context, bucket *Bucket, run string, after int) ([]measure.Second, error) {
	folder := NewFolder(bucket, run)
	var plan Plan
	if found, err := folder.Find(ctx, PlanObject, &plan); err != nil || !found || len(plan.Agents) == 0 {
		return nil, err
	}
	ids := slices.Sorted(maps.Keys(plan.Agents))
	timeline := measure.NewTimeline()
	var seconds []measure.Second
	err := folder.seconds(ctx, ids, 0, func(n int, parts []measure.Snapshot) error {
		if n <= after { // only their counts matter; the histograms are the costly part
			for i := range parts {
				parts[i].Latencies = nil
			}
		}
		second, err := timeline.Add(parts...)
		if n > after {
			seconds = append(seconds, second)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("timeline of run %s: %w", run, err)
	}
	return seconds, nil
}

// seconds passes on the snapshots of each second from n on that all agents have
// delivered.
func (f Folder) seconds(ctx context.Context, agents []string, n int, use func(n int, parts []measure.Snapshot) error) error {
	for {
		read := make([][]Progress, len(agents))
		err := each(ctx, agents, func(ctx context.Context, i int, id string) (err error) {
			read[i], err = f.progress(ctx, id, n, window)
			return err
		})
		if err != nil {
			return err
		}
		for k := range window {
			parts := make([]measure.Snapshot, len(agents))
			for i := range agents {
				if k >= len(read[i]) {
					return nil
				}
				parts[i] = read[i][k].Snapshot
			}
			if err := use(n+k, parts); err != nil {
				return err
			}
		}
		n += window
	}
}

// LoadStart returns the wall-clock time at which second 0 of a run began, or
// will begin. It is the zero time before that is decided, and for a run that
// was stopped before its load.
func LoadStart(ctx context.Context, bucket *Bucket, run string) (time.Time, error) {
	var step Step
	if _, err := NewFolder(bucket, run).Find(ctx, StepObject(0), &step); err != nil {
		return time.Time{}, fmt.Errorf("start of the load of run %s: %w", run, err)
	}
	return step.Start, nil
}

// KeptTimeline returns every second of a run that was collected; false where it is
// not in the bucket.
func KeptTimeline(ctx context.Context, bucket *Bucket, run string) (found []measure.Second, ok bool, err error) {
	ok, err = NewFolder(bucket, run).Find(ctx, TimelineObject, &found)
	return found, ok, err
}
