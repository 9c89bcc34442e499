package rendezvous_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"testing"
	"time"

	"go.uber.org/goleak"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
	"dec.local/dec/internal/rendezvous"
	"dec.local/dec/internal/rendezvous/buckettest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// run is one run in a bucket of its own, whose agents are written by hand.
type run struct {
	t      *testing.T
	bucket *rendezvous.Bucket
	folder rendezvous.Folder
	server *rendezvous.Coordinator
	plan   rendezvous.Plan
}

// newRun has a producer and a consumer; warm-up 1 s, measure 2 s, drain 10 s.
func newRun(t *testing.T) *run {
	t.Helper()
	return newRunIn(t, openBucket(t))
}

func newRunIn(t *testing.T, bucket *rendezvous.Bucket) *run {
	t.Helper()
	w := experiment.Workload{Stages: experiment.Stages{
		Warmup: experiment.Duration(time.Second), Measure: experiment.Duration(2 * time.Second), Drain: experiment.Duration(10 * time.Second),
	}}
	return &run{
		t: t, bucket: bucket, folder: rendezvous.NewFolder(bucket, "r1"), server: newServer(bucket),
		plan: rendezvous.Plan{Run: "r1", Endpoints: json.RawMessage(`{"a": 1}`), Workload: w, Agents: rendezvous.Shares(w)},
	}
}

// openBucket opens the bucket that every test uses unless it is about buckets.
func openBucket(t *testing.T) *rendezvous.Bucket { return buckettest.Folder(t) }

func newServer(bucket *rendezvous.Bucket) *rendezvous.Coordinator {
	return rendezvous.New(rendezvous.Options{Bucket: bucket, Run: "r1", Logger: slog.New(slog.DiscardHandler)})
}

func (r *run) put(name string, v any) {
	r.t.Helper()
	if err := r.folder.Put(context.Background(), name, v); err != nil {
		r.t.Error(err)
	}
}

// begin writes the plan and starts the load now.
func (r *run) begin() {
	r.t.Helper()
	if err := r.server.WritePlan(r.t.Context(), r.plan); err != nil {
		r.t.Fatal(err)
	}
	if _, err := r.server.Begin(r.t.Context(), 0); err != nil {
		r.t.Fatal(err)
	}
}

// second is what one agent did in a second.
type second struct {
	acked    int64
	received map[string]int64
	busy     bool // its producers have something to do
}

// progress writes an agent's seconds, each when it is over.
func (r *run) progress(agent string, seconds ...second) {
	r.t.Helper()
	for n, s := range seconds {
		<-time.After(time.Second)
		p := rendezvous.Progress{Idle: !s.busy, Snapshot: measure.Snapshot{Second: n, Groups: s.received}}
		p.Counts.Acked = s.acked
		for _, got := range s.received {
			p.Counts.Received += got
		}
		r.put(rendezvous.ProgressObject(agent, n), p)
	}
}
