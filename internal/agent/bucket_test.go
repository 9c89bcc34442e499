package agent_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"dec.local/dec/internal/agent/agenttest"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
	"dec.local/dec/internal/rendezvous"
	"dec.local/dec/internal/rendezvous/buckettest"
)

// minute is a load whose measure stage lasts for 60 s.
func minute() experiment.Workload {
	return workload(func(w *experiment.Workload) {
		w.Load.Rate = 100
		w.Stages.Measure = experiment.Duration(time.Minute)
	})
}

// onFolder is what the load of a minute gives on a folder.
func onFolder(t *testing.T) (result measure.Result) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { result, _ = newBench(t, minute(), agenttest.Options{}).run() })
	return result
}

// TestResultIsCompleteWithASlowOrFailingBucket measures with a bucket on S3 that is
// slow, or unavailable for a while, and wants what is measured with a folder.
func TestResultIsCompleteWithASlowOrFailingBucket(t *testing.T) {
	want := onFolder(t)
	const always = time.Hour
	tests := map[string]struct {
		faults  buckettest.Faults
		from    time.Duration // after the load's start
		lasting time.Duration
	}{
		"fair":                                   {},
		"1 s per call":                           {buckettest.Faults{Latency: time.Second}, -time.Hour, always},
		"3 s per call":                           {buckettest.Faults{Latency: 3 * time.Second}, -time.Hour, always},
		"no connection for 30 s":                 {buckettest.Faults{Refused: true}, 10 * time.Second, 30 * time.Second},
		"no answer for 30 s":                     {buckettest.Faults{Latency: always}, 10 * time.Second, 30 * time.Second},
		"busy for 30 s":                          {buckettest.Faults{Status: 503, Code: "SlowDown"}, 10 * time.Second, 30 * time.Second},
		"no connection for 110 s":                {buckettest.Faults{Refused: true}, time.Second, 110 * time.Second},
		"no connection at the end of the load":   {buckettest.Faults{Refused: true}, 55 * time.Second, 30 * time.Second},
		"no connection at the start of the load": {buckettest.Faults{Refused: true}, 10 * time.Millisecond, 30 * time.Second},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := buckettest.NewServer(t)
				b := newBenchIn(t, s.Open(t, "team"), minute(), agenttest.Options{})
				if tt.from < 0 {
					s.Set(tt.faults)
				}
				b.startAll(t.Context())
				server := b.server()
				b.begin(t.Context(), server)
				step, err := server.Begin(t.Context(), 0)
				if err != nil {
					t.Fatal(err)
				}
				if tt.from > 0 {
					time.AfterFunc(time.Until(step.Start)+tt.from, func() { s.Set(tt.faults) })
					time.AfterFunc(time.Until(step.Start)+tt.from+tt.lasting, func() { s.Set(buckettest.Faults{}) })
				}
				var late time.Duration
				err = server.Follow(t.Context(), func(second measure.Second) {
					late = max(late, time.Since(step.Start)-time.Duration(second.Second+1)*time.Second)
				})
				if err != nil {
					t.Fatalf("Follow() = %v", err)
				}
				if most := 4*tt.faults.Latency + 3*time.Second; tt.lasting == always && late > most {
					t.Errorf("a second came after %s, want %s at most: the bucket falls behind", late, most)
				}
				got, _, err := server.Collect(t.Context(), nil)
				if err != nil {
					t.Fatalf("Collect() = %v", err)
				}
				b.wg.Wait()
				if diff := cmp.Diff(want.Counts, got.Counts); diff != "" {
					t.Errorf("counts (-on a folder +on S3):\n%s", diff)
				}
				timeline, _, err := rendezvous.KeptTimeline(t.Context(), b.bucket, b.plan.Run)
				if err != nil || len(timeline) < 61 {
					t.Fatalf("the timeline has %d seconds, %v, want those of warm-up and measure stage, 61", len(timeline), err)
				}
				for n, second := range timeline[:61] {
					if sent := second.Counts.Sent; sent < 99 || sent > 101 { // one more or less at its edges
						t.Errorf("second %d: %d sent, want 100", n, sent)
					}
				}
				if !got.Validity.OK {
					t.Errorf("validity = %+v, want the load undisturbed", got.Validity)
				}
			})
		})
	}
}

// TestLoadFailsWhenItsBucketIsLost wants the reason, and within which time.
func TestLoadFailsWhenItsBucketIsLost(t *testing.T) {
	tests := map[string]struct {
		happens func(*buckettest.Server)
		want    string
		within  time.Duration
	}{
		"the bucket is removed":      {func(s *buckettest.Server) { s.RemoveBucket(t) }, "the bucket results at http://s3.test does not exist", 5 * time.Second},
		"the key is taken back":      {func(s *buckettest.Server) { s.Set(buckettest.Faults{Status: 403, Code: "AccessDenied"}) }, "denies access", 5 * time.Second},
		"the credentials expire":     {func(s *buckettest.Server) { s.Set(buckettest.Faults{Status: 400, Code: "ExpiredToken"}) }, "have expired", 5 * time.Second},
		"it is away and stays there": {func(s *buckettest.Server) { s.Set(buckettest.Faults{Refused: true}) }, "gave up after 2m0s", 130 * time.Second},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := buckettest.NewServer(t)
				w := minute()
				w.Stages.Measure = experiment.Duration(5 * time.Minute)
				b := newBenchIn(t, s.Open(t, ""), w, agenttest.Options{})
				b.startAll(t.Context())
				server := b.server()
				b.begin(t.Context(), server)
				var lost time.Time
				err := server.Follow(t.Context(), func(second measure.Second) {
					if second.Second == 5 {
						lost = time.Now()
						tt.happens(s)
					}
				})
				if err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("Follow() = %v, want %q", err, tt.want)
				}
				b.wg.Wait()
				if took := time.Since(lost); took > tt.within+10*time.Second || err == nil {
					t.Errorf("the server and its agents took %s, want %s", took, tt.within)
				}
				for id, err := range b.errors {
					if err == nil || !strings.Contains(err.Error(), tt.want) {
						t.Errorf("Run() of %s = %v, want %q", id, err, tt.want)
					}
				}
			})
		})
	}
}
