package measure

import (
	"fmt"
	"maps"
	"slices"
)

// Timeline merges the agents' snapshots second by second. It is not safe for
// use by several goroutines.
type Timeline struct {
	offered, acked int64
	received       map[string]int64 // newly, by group
}

// NewTimeline returns a timeline before its first second.
func NewTimeline() *Timeline { return &Timeline{received: map[string]int64{}} }

// Add merges one second of all agents into a row. Seconds must ascend; an agent
// that has no snapshot of this second is left out. The backlog is what is
// acknowledged so far minus what the slowest group has received so far, and
// never below zero: a message may arrive before its acknowledgement. What is behind
// counts from what was offered.
func (t *Timeline) Add(agents ...Snapshot) (Second, error) {
	var row Second
	hist := map[Distribution]*Histogram{}
	for i, s := range agents {
		if i > 0 && s.Second != row.Second {
			return Second{}, fmt.Errorf("merge snapshots: seconds %d and %d in one row", row.Second, s.Second)
		}
		row.Second, row.Stage = s.Second, s.Stage
		row.Counts.Add(s.Counts)
		row.InFlight += s.InFlight
		row.CPUSeconds += s.CPUSeconds
		row.Incidents = addTo(row.Incidents, s.Incidents)
		for group, n := range s.Groups {
			t.received[group] += n
		}
		if err := decodeInto(hist, s.Latencies); err != nil {
			return Second{}, fmt.Errorf("merge snapshots of second %d: %w", s.Second, err)
		}
	}
	row.Latencies = make(map[Distribution]Latency, len(hist))
	for name, h := range hist {
		row.Latencies[name] = h.Summary()
	}
	t.offered += row.Counts.Offered
	t.acked += row.Counts.Acked
	if len(t.received) > 0 {
		slowest := slices.Min(slices.Collect(maps.Values(t.received)))
		row.Backlog, row.Behind = max(0, t.acked-slowest), t.offered-slowest
	}
	return row, nil
}

// MergeSnapshots returns the timeline of a run from the snapshots of its agents.
func MergeSnapshots(agents ...[]Snapshot) ([]Second, error) {
	bySecond := map[int][]Snapshot{}
	for _, snapshots := range agents {
		for _, s := range snapshots {
			bySecond[s.Second] = append(bySecond[s.Second], s)
		}
	}
	t := NewTimeline()
	rows := make([]Second, 0, len(bySecond))
	for _, second := range slices.Sorted(maps.Keys(bySecond)) {
		row, err := t.Add(bySecond[second]...)
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}
