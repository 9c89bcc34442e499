package measure_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
)

// stage is a measure stage of n seconds between a warm-up and a drain; change sets
// what second i of it saw.
func stage(n int, change func(i int, s *measure.Second)) []measure.Second {
	timeline := []measure.Second{{Stage: experiment.StageWarmup, Counts: measure.Counts{Offered: 1e6, Sent: 1e6, Acked: 1e6 - 100, Failed: 100}}}
	for i := range n {
		s := measure.Second{Second: i + 1, Stage: experiment.StageMeasure, Latencies: map[measure.Distribution]measure.Latency{}}
		change(i, &s)
		timeline = append(timeline, s)
	}
	return append(timeline, measure.Second{Second: n + 1, Stage: experiment.StageDrain, InFlight: 1e6})
}

func TestCourse(t *testing.T) {
	timeline := stage(8, func(i int, s *measure.Second) {
		s.Counts.Offered, s.Counts.Sent, s.Counts.Acked = 1000, 950, int64(900-i)
		if i == 7 {
			s.Counts.Sent, s.Counts.Failed = 850, 0
		}
		s.InFlight, s.Backlog = int64(10*i), 5
		if i == 7 {
			s.Incidents = map[experiment.Incident]int64{experiment.ThrottledWrites: 4}
		}
		wait := measure.Latency{Count: 20, P50NS: new(int64(100 * i)), P90NS: new(int64(200 * i))}
		if i < 3 { // too few seconds have it
			wait.P99NS = new(int64(1))
		}
		s.Latencies[measure.Backpressure] = wait
	})
	want := &measure.Course{
		Offered:   measure.PerSecond{Median: 1000, Max: 1000},
		Acked:     measure.PerSecond{Median: 896.5, Max: 900},
		Incidents: map[experiment.Incident]measure.PerSecond{experiment.ThrottledWrites: {Median: 0, Max: 4}},
		Wait:      &measure.Tail{Quantile: "p90", Trend: measure.Trend{First: 200, Last: 1200}},
		InFlight:  &measure.Trend{First: 10, Last: 60},
		Backlog:   &measure.Trend{First: 5, Last: 5},
		Owed:      &measure.Owed{Unsent: 500, Unstored: 828},
	}
	if diff := cmp.Diff(want, measure.NewCourse(timeline)); diff != "" {
		t.Errorf("NewCourse() (-want +got):\n%s", diff)
	}
	short := measure.NewCourse(stage(5, func(_ int, s *measure.Second) { s.Counts.Offered, s.Counts.Sent, s.Counts.Acked = 7, 7, 7 }))
	if diff := cmp.Diff(&measure.Course{Offered: measure.PerSecond{Median: 7, Max: 7}, Acked: measure.PerSecond{Median: 7, Max: 7}}, short); diff != "" {
		t.Errorf("NewCourse() of five seconds, which have no two ends (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(&measure.Course{}, measure.NewCourse(nil)); diff != "" {
		t.Errorf("NewCourse() of nothing (-want +got):\n%s", diff)
	}
}

// Results of earlier versions carry their series inside, and have no course.
func TestResultsOfEarlierVersionsAreRead(t *testing.T) {
	merged := measure.Merged{
		Result:   measure.Result{Throughput: 7},
		Timeline: stage(8, func(_ int, s *measure.Second) { s.Counts.Offered = 9 }), Histograms: map[measure.Distribution]string{measure.E2ELatency: "x"},
	}
	data, err := json.Marshal(merged)
	if err != nil {
		t.Fatal(err)
	}
	result, err := measure.ReadResult(data)
	if err != nil || result.Throughput != 7 || result.Course == nil || result.Course.Offered.Median != 9 {
		t.Errorf("ReadResult() = %+v, %v, want the course of its seconds", result, err)
	}
	back, err := measure.ReadMerged(data)
	if err != nil || len(back.Timeline) != 10 || back.Histograms[measure.E2ELatency] != "x" {
		t.Errorf("ReadMerged() = %+v, %v, want what it carries", back, err)
	}
	if data, err = json.Marshal(result); err != nil {
		t.Fatal(err)
	}
	if back, err = measure.ReadMerged(data); err != nil || back.Timeline != nil || back.Histograms != nil {
		t.Errorf("ReadMerged() of a result alone = %+v, %v, want nothing beside it", back, err)
	}
	if _, err := measure.ReadResult([]byte("{")); err == nil {
		t.Error("ReadResult() of half a result, want an error")
	}
}

// TestGrew follows a system through 20 seconds at 1,000 messages a second, after a
// warm-up of 5.
func TestGrew(t *testing.T) {
	tests := map[string]struct {
		behind func(second int) int64 // from 0, the start of the measure stage
		want   bool
	}{
		"it keeps up":                          {func(int) int64 { return 12 }, false},
		"a consumer at three quarters":         {func(s int) int64 { return 250 * int64(s+1) }, true},
		"as little as a hundredth in all":      {func(s int) int64 { return 10 * int64(s+1) }, false},
		"a little more":                        {func(s int) int64 { return 11 * int64(s+1) }, true},
		"a stall, caught up with":              {func(s int) int64 { return 1000 * max(0, int64(6-s)) }, false},
		"a stall in the end":                   {func(s int) int64 { return 1000 * max(0, int64(s-15)) }, false},
		"it gains in the fourth fifth":         {func(s int) int64 { return 500*int64(s) - 5000*int64(s/15) }, false},
		"the warm-up left much, worked off":    {func(s int) int64 { return 4100 - 200*int64(s) }, false},
		"the warm-up left much, and it became": {func(s int) int64 { return 4100 + 200*int64(s+1) }, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var timeline []measure.Second
			for second := range 25 {
				s := measure.Second{Second: second, Stage: experiment.StageMeasure, Behind: tt.behind(second - 5)}
				if second < 5 {
					s.Stage, s.Behind = experiment.StageWarmup, tt.behind(-1)
				}
				s.Counts.Offered = 1000
				timeline = append(timeline, s)
			}
			if got := measure.Grew(timeline); got != tt.want {
				t.Errorf("Grew() = %t, want %t", got, tt.want)
			}
		})
	}
}
