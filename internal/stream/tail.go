package stream

import (
	"context"
	"maps"
	"time"
)

// tailMost is how many seconds of a run are told at once: a subscriber that
// misses some reads the timeline.
const tailMost = 10

// tail tells, every second, the seconds of runs that other servers drive, as
// long as somebody listens.
func (h *Hub) tail(ctx context.Context) {
	told := map[string]int{} // newest second, by run
	ticks := time.NewTicker(time.Second)
	defer ticks.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
		}
		wanted := h.wanted()
		maps.DeleteFunc(told, func(run string, _ int) bool { _, ok := wanted[run]; return !ok })
		for run, of := range wanted {
			after, seen := told[run]
			if !seen {
				after = -1
			}
			told[run] = h.tailRun(ctx, run, of, after)
		}
	}
}

// wanted returns the experiments of the runs that are being loaded and listened
// to, by run.
func (h *Hub) wanted() map[string]string {
	h.mu.Lock()
	defer h.mu.Unlock()
	wanted := map[string]string{}
	for run, experiment := range h.loading {
		for s := range h.subs {
			if s.wants(entry{run: run, experiment: experiment}) {
				wanted[run] = experiment
				break
			}
		}
	}
	return wanted
}

// tailRun tells the newer seconds of one run and returns the newest one told.
func (h *Hub) tailRun(ctx context.Context, run, experiment string, after int) int {
	seconds, err := h.o.Tail(ctx, run, after)
	if err != nil {
		if ctx.Err() == nil {
			h.o.Logger.Warn("cannot read the seconds of a run of another server", "run", run, "error", err)
		}
		return after
	}
	for i, s := range seconds {
		if i >= len(seconds)-tailMost {
			h.Second(run, experiment, s)
		}
		after = max(after, s.Second)
	}
	return after
}
