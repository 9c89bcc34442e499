package measure_test

import (
	"fmt"
	"testing"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
)

func TestForeignAndUnwatchedMessagesSurviveTheMerge(t *testing.T) {
	for groups := range 3 {
		t.Run(fmt.Sprintf("%d groups", groups+1), func(t *testing.T) {
			var names []string
			for i := range groups + 1 {
				names = append(names, fmt.Sprintf("group-%d", i))
			}
			agents := flow(func(string, uint64) int64 { return ms }, names...)
			interval := measure.NewInterval()
			// A second agent, whose consumers also get two messages of another run.
			second := newRecording()
			for _, name := range names {
				c := second.consumer(name)
				for seq := range uint64(2) {
					c.Received(payloadOf(measure.Header{Run: run + 1, Key: measure.NoKey, Seq: seq, Intended: start}, 100), 0, start+ms)
				}
				if err := agents[1].AddGroup(second.groups[name]); err != nil {
					t.Fatal(err)
				}
				log := agents[1].Groups[name]
				log.Unwatched = 5 // those of more than a million keys: see TestTracker
				agents[1].Groups[name] = log
			}
			second.drain(0, interval)
			snapshot, err := interval.Snapshot(1, experiment.StageMeasure)
			if err != nil {
				t.Fatal(err)
			}
			if want := int64(2 * len(names)); snapshot.Counts.Foreign != want {
				t.Errorf("the second has %d foreign messages, want %d", snapshot.Counts.Foreign, want)
			}
			got, err := measure.Merge(measure.Asked{Workload: workload(1, len(names)), Due: every(5 * ms)}, agents)
			if err != nil {
				t.Fatal(err)
			}
			if c, n := got.Counts, int64(len(names)); c.Foreign != 2*n || c.Unwatched != 5*n {
				t.Errorf("Counts = %+v, want %d foreign messages and %d unwatched ones", c, 2*n, 5*n)
			}
		})
	}
}
