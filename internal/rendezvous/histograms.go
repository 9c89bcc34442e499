package rendezvous

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
)

// Histograms returns the V2-encoded distributions of the measure stage of a run,
// as far as every agent has delivered it; none before it has begun. Like
// [Seconds] it only reads, and its cost grows with the length of the stage.
//
// They foreshadow those of the result and are not the same: here a sample counts
// when it was taken, not when its message was intended, and the end-to-end ones
// are of all consumer groups, not of the worst.
func Histograms(ctx context.Context, bucket *Bucket, run string) (map[measure.Distribution]string, error) {
	folder := NewFolder(bucket, run)
	var plan Plan
	if found, err := folder.Find(ctx, PlanObject, &plan); err != nil || !found || len(plan.Agents) == 0 {
		return nil, err
	}
	ids := slices.Sorted(maps.Keys(plan.Agents))
	sums := sums{}
	warmup := int(plan.Workload.Stages.Warmup.Std() / time.Second)
	err := folder.seconds(ctx, ids, warmup, func(n int, parts []measure.Snapshot) error {
		for _, part := range parts {
			if err := sums.add(part); err != nil {
				return fmt.Errorf("second %d: %w", n, err)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("histograms of run %s: %w", run, err)
	}
	encoded, err := sums.encode()
	if err != nil {
		return nil, fmt.Errorf("histograms of run %s: %w", run, err)
	}
	return encoded, nil
}

// sums are merged histograms of the measure stage.
type sums map[measure.Distribution]*measure.Histogram

// add merges one second of one agent, if it is of the measure stage.
func (s sums) add(part measure.Snapshot) error {
	if part.Stage != experiment.StageMeasure {
		return nil
	}
	for name, encoded := range part.Latencies {
		h, err := measure.DecodeHistogram(encoded)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if sum, ok := s[name]; ok {
			sum.Merge(h)
		} else {
			s[name] = h
		}
	}
	return nil
}

func (s sums) encode() (map[measure.Distribution]string, error) {
	encoded := make(map[measure.Distribution]string, len(s))
	for name, sum := range s {
		text, err := sum.Encode()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		encoded[name] = text
	}
	return encoded, nil
}

// KeptHistograms returns the V2-encoded distributions of a run that was collected;
// false where there are none in the bucket.
func KeptHistograms(ctx context.Context, bucket *Bucket, run string) (found map[measure.Distribution]string, ok bool, err error) {
	ok, err = NewFolder(bucket, run).Find(ctx, HistogramsObject, &found)
	return found, ok, err
}
