package rendezvous

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"gocloud.dev/blob"

	"dec.local/dec/internal/measure"
)

// Seconds returns the timeline of a run from second after+1 on (-1: all), as
// far as every agent has delivered it. It only reads, so that a server may show
// a run that another one drives; there are none before the load has begun. Its
// cost grows with the length of the run, because the backlog of a second rests
// on all seconds before it.
func Seconds(ctx context.Context, bucket *blob.Bucket, run string, epoch, after int) ([]measure.Second, error) {
	folder := NewFolder(bucket, run, epoch)
	var plan Plan
	if found, err := folder.Find(ctx, PlanObject, &plan); err != nil || !found || len(plan.Agents) == 0 {
		return nil, err
	}
	ids := slices.Sorted(maps.Keys(plan.Agents))
	timeline := measure.NewTimeline()
	var seconds []measure.Second
	for n := 0; ; n++ {
		parts, err := folder.second(ctx, ids, n)
		if err != nil {
			return nil, fmt.Errorf("timeline of run %s: %w", run, err)
		}
		if len(parts) < len(ids) {
			return seconds, nil
		}
		if n <= after { // only their counts matter; the histograms are the costly part
			for i := range parts {
				parts[i].Latencies = nil
			}
		}
		second, err := timeline.Add(parts...)
		if err != nil {
			return nil, fmt.Errorf("timeline of run %s: %w", run, err)
		}
		if n > after {
			seconds = append(seconds, second)
		}
	}
}

// second returns the snapshots of second n, as many as there are.
func (f Folder) second(ctx context.Context, agents []string, n int) ([]measure.Snapshot, error) {
	parts := make([]measure.Snapshot, 0, len(agents))
	for _, id := range agents {
		var p Progress
		found, err := f.Find(ctx, ProgressObject(id, n), &p)
		if err != nil || !found {
			return parts, err
		}
		parts = append(parts, p.Snapshot)
	}
	return parts, nil
}

// LoadStart returns the wall-clock time at which second 0 of a run began, or
// will begin. It is the zero time before that is decided, and for a run that
// was stopped before its load.
func LoadStart(ctx context.Context, bucket *blob.Bucket, run string, epoch int) (time.Time, error) {
	var step Step
	if _, err := NewFolder(bucket, run, epoch).Find(ctx, StepObject(0), &step); err != nil {
		return time.Time{}, fmt.Errorf("start of the load of run %s: %w", run, err)
	}
	return step.Start, nil
}
