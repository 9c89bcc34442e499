package stream_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
	"dec.local/dec/internal/stream"
)

// Whatever is stored meanwhile, and however often it resumes, a subscriber gets
// each event that it asked for once, in order.
func TestResumingSubscribersMissNothingAndGetNothingTwice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		source := &events{}
		runs := []string{"a1", "a2", "b1"}
		before := repeat(t, runs, "before")
		source.add(before...)
		h := stream.New(stream.Options{Source: source, Poll: time.Millisecond, Logger: slog.New(slog.DiscardHandler)})
		ctx, stop := context.WithCancel(context.Background())
		var wg sync.WaitGroup
		defer wg.Wait()
		defer stop()
		wg.Go(func() { h.Run(ctx) })

		filters := rapid.SliceOfN(rapid.SampledFrom([]stream.Filter{{}, {Run: "a1"}, {Experiment: "ea"}, {Experiment: "eb"}, {After: int64(len(before) / 2)}}), 1, 4).Draw(t, "filters")
		stays := rapid.IntRange(1, 40).Draw(t, "frames until it resumes")
		got := make([][]int64, len(filters))
		var readers sync.WaitGroup
		for i, f := range filters {
			readers.Go(func() { got[i] = follow(ctx, h, f, stays, `"end"`) })
		}
		bursts := rapid.IntRange(1, 6).Draw(t, "bursts")
		for range bursts {
			source.add(repeat(t, runs, "burst")...)
			h.Wake()
			h.Second("a1", "ea", measure.Second{})
		}
		for _, run := range runs { // the last event of each run
			e := of(run)
			e.Message = "end"
			source.add(e)
		}
		h.Wake()
		readers.Wait()
		for i, f := range filters {
			want := source.ids(f)
			for len(want) > 0 && want[len(want)-1] > got[i][len(got[i])-1] {
				want = want[:len(want)-1] // it left at the first end
			}
			if !slices.Equal(got[i], want) {
				t.Fatalf("filter %+v: got %v, want %v", f, got[i], want)
			}
		}
	})
}

func repeat(t *rapid.T, runs []string, label string) (all []experiment.Event) {
	for _, run := range rapid.SliceOfN(rapid.SampledFrom(runs), 0, 60).Draw(t, label) {
		all = append(all, of(run))
	}
	return all
}

// follow returns the ids that come until an event with the message, and resumes
// after every few frames.
func follow(ctx context.Context, h *stream.Hub, f stream.Filter, frames int, until string) (ids []int64) {
	for {
		s, err := h.Subscribe(ctx, f)
		if err != nil {
			return ids
		}
		for range frames {
			frame, err := s.Next(ctx)
			if errors.Is(err, stream.ErrLagged) {
				break
			} else if err != nil {
				s.Close()
				return ids
			}
			if frame.Event != api.EventStored {
				continue
			}
			ids, f.After = append(ids, frame.ID), frame.ID
			if strings.Contains(string(frame.Data), until) {
				s.Close()
				return ids
			}
		}
		s.Close()
	}
}
