package server_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dec.local/dec/internal/datadir"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
	"dec.local/dec/internal/rendezvous"
	"dec.local/dec/internal/server"
	"dec.local/dec/internal/store"
	"dec.local/dec/target/all"
)

// TestRunIsSeenWhileItIsLoaded reads what the agents of a run deliver, also when
// another server of this machine drives it.
func TestRunIsSeenWhileItIsLoaded(t *testing.T) {
	for name, driver := range map[string]string{"driven here": "", "driven by another server": t.TempDir()} {
		t.Run(name, func(t *testing.T) {
			f := newFolders(t)
			home := f.Data
			if driver != "" {
				home = driver
			}
			s, _ := open(t, server.Options{Folders: f, Targets: all.Targets()})
			c, _ := serve(t, s, server.ListenOptions{})
			e, err := c.Submit(t.Context(), plan(`{}`), "k")
			if err != nil {
				t.Fatal(err)
			}
			run := load(t, f, home)
			agents := newAgents(t, filepath.Join(home, "bucket"), run, e.Plan.Workload)
			h := measure.NewHistogram()
			h.Record(int64(3 * time.Millisecond))
			text, err := h.Encode()
			if err != nil {
				t.Fatal(err)
			}
			first := int(e.Plan.Workload.Stages.Warmup.Std() / time.Second)
			for second := range first {
				agents.deliver(measure.Snapshot{Second: second, Stage: experiment.StageWarmup, Latencies: map[measure.Distribution]string{measure.E2ELatency: text}})
			}
			read := func() map[measure.Distribution]string {
				t.Helper()
				got, err := c.Histograms(t.Context(), run)
				if err != nil || got.Complete {
					t.Fatalf("Histograms() = %+v, %v, want those so far", got, err)
				}
				return got.Histograms
			}
			if got := read(); len(got) > 0 {
				t.Errorf("histograms of the warm-up: %v", got)
			}
			agents.deliver(measure.Snapshot{Second: first, Stage: experiment.StageMeasure, Latencies: map[measure.Distribution]string{measure.PublishLatency: text}})
			h.Merge(h) // both agents saw the same
			if text, err = h.Encode(); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(map[measure.Distribution]string{measure.PublishLatency: text}, read()); diff != "" {
				t.Errorf("histograms (-want +got):\n%s", diff)
			}
			timeline, err := c.Timeline(t.Context(), run)
			if err != nil || len(timeline.Seconds) != first+1 {
				t.Errorf("Timeline() = %d seconds, %v, want %d", len(timeline.Seconds), err, first+1)
			}
		})
	}
}

// load brings the queued run of a server into its load, as a server with that
// data folder does.
func load(t *testing.T, f *datadir.Folders, home string) string {
	t.Helper()
	db, err := store.Open(t.Context(), filepath.Join(f.Data, "dec.db"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	run, lease, err := db.Claim(t.Context(), "test", experiment.Host{Home: home}, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	run.Phase = experiment.PhaseLoad
	if _, err := db.Enter(t.Context(), &run, lease); err != nil {
		t.Fatal(err)
	}
	return run.ID
}

// agents are those of one run; all see the same.
type agents struct {
	t      *testing.T
	folder rendezvous.Folder
	plan   rendezvous.Plan
}

func newAgents(t *testing.T, path, run string, w experiment.Workload) *agents {
	t.Helper()
	bucket, err := rendezvous.OpenBucket(t.Context(), "file://"+path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { bucket.Close() })
	a := &agents{t, rendezvous.NewFolder(bucket, run, 1), rendezvous.Plan{Run: run, Epoch: 1, Workload: w, Agents: rendezvous.Shares(w)}}
	a.put(rendezvous.PlanObject, a.plan)
	return a
}

func (a *agents) put(name string, v any) {
	a.t.Helper()
	if err := a.folder.Put(a.t.Context(), name, v); err != nil {
		a.t.Fatal(err)
	}
}

func (a *agents) deliver(s measure.Snapshot) {
	a.t.Helper()
	for id := range a.plan.Agents {
		a.put(rendezvous.ProgressObject(id, s.Second), rendezvous.Progress{Snapshot: s})
	}
}
