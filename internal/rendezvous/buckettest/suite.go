package buckettest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
	"dec.local/dec/internal/rendezvous"
)

// Run is the suite of the bucket protocol, which every kind of bucket passes.
// open returns an empty bucket.
func Run(t *testing.T, open func(testing.TB) *rendezvous.Bucket) {
	t.Run("the first object stays", func(t *testing.T) { keepsTheFirst(t, open(t)) })
	t.Run("no half object is seen", func(t *testing.T) { showsWhole(t, open(t)) })
	t.Run("nothing is written when cancelled", func(t *testing.T) { honoursCancel(t, open(t)) })
	t.Run("files are saved once and read from their end", func(t *testing.T) { savesFiles(t, open(t)) })
	t.Run("a run is listed and removed whole", func(t *testing.T) { removes(t, open(t)) })
	t.Run("a check leaves nothing", func(t *testing.T) { checks(t, open(t)) })
	t.Run("a server that comes back goes on", func(t *testing.T) { comesBack(t, open(t)) })
}

func keepsTheFirst(t *testing.T, b *rendezvous.Bucket) {
	folder := rendezvous.NewFolder(b, "r1")
	if err := folder.Put(t.Context(), "a/b.json", 1); err != nil {
		t.Fatal(err)
	}
	if err := folder.Put(t.Context(), "a/b.json", 2); !errors.Is(err, rendezvous.ErrExists) {
		t.Errorf("Put() again = %v, want %v", err, rendezvous.ErrExists)
	}
	var got int
	if err := folder.Get(t.Context(), "a/b.json", &got); err != nil || got != 1 {
		t.Errorf("Get() = %d, %v, want 1", got, err)
	}
	if err := folder.Get(t.Context(), "a/c.json", &got); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Get() of nothing = %v, want %v", err, fs.ErrNotExist)
	}
	if found, err := rendezvous.NewFolder(b, "r2").Find(t.Context(), "a/b.json", &got); found || err != nil {
		t.Errorf("Find() in the folder of another run = %t, %v, want false", found, err)
	}
}

// showsWhole reads an object, by name, as long as it is being written again and
// again: it is absent or whole.
func showsWhole(t *testing.T, b *rendezvous.Bucket) {
	folder := rendezvous.NewFolder(b, "r1")
	want := strings.Repeat("x", 1<<20)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var wg sync.WaitGroup
	defer wg.Wait()
	for n := range 10 {
		wg.Go(func() {
			if err := folder.Put(context.Background(), rendezvous.StepObject(n), want); err != nil {
				t.Error(err)
			}
		})
		var got string
		if err := folder.Await(ctx, time.Millisecond, rendezvous.StepObject(n), &got); err != nil || got != want {
			t.Errorf("Await() = %d bytes, %v, want %d", len(got), err, len(want))
		}
	}
}

func honoursCancel(t *testing.T, b *rendezvous.Bucket) {
	folder := rendezvous.NewFolder(b, "r1")
	why := errors.New("the test wants it")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	if err := folder.Put(ctx, "a.json", 1); !errors.Is(err, why) {
		t.Errorf("Put() = %v, want %v", err, why)
	}
	var got int
	if found, err := folder.Find(t.Context(), "a.json", &got); found || err != nil {
		t.Errorf("Find() = %t, %v, want false", found, err)
	}
}

// savesFiles takes one that is large enough to go in parts.
func savesFiles(t *testing.T, b *rendezvous.Bucket) {
	folder := rendezvous.NewFolder(b, "r1")
	path := filepath.Join(t.TempDir(), "stdout.log")
	content := bytes.Repeat([]byte("a line of sixteen"), 20<<20/17)
	for name, content := range map[string][]byte{"services/a/stdout.log": content, "services/a/stderr.log": nil, "tofu/1.jsonl": []byte("{}\n")} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := folder.Save(t.Context(), name, path); err != nil {
			t.Fatalf("Save(%s) = %v", name, err)
		}
	}
	if err := folder.Save(t.Context(), "services/a/stdout.log", path); err != nil {
		t.Errorf("Save() again = %v, want nil: it was saved before", err)
	}
	list, err := folder.List(t.Context(), "services/")
	want := []rendezvous.Object{{Name: "services/a/stderr.log"}, {Name: "services/a/stdout.log", Size: int64(len(content))}}
	if diff := cmp.Diff(want, list); err != nil || diff != "" {
		t.Fatalf("List() = %v (-want +got):\n%s", err, diff)
	}
	for name, tt := range map[string]struct {
		object rendezvous.Object
		most   int64
		want   string
	}{
		"the end of a large one":   {list[1], 100, string(content[len(content)-100:])},
		"all of a small one":       {rendezvous.Object{Name: "tofu/1.jsonl", Size: 3}, 100, "{}\n"},
		"the nothing of an empty":  {list[0], 100, ""},
		"as much as is asked, all": {list[1], list[1].Size, string(content)},
	} {
		if got, err := folder.ReadEnd(t.Context(), tt.object, tt.most); err != nil || got != tt.want {
			t.Errorf("%s: ReadEnd() = %d bytes, %v, want %d", name, len(got), err, len(tt.want))
		}
	}
}

func removes(t *testing.T, b *rendezvous.Bucket) {
	put := func(run string, n int) {
		var wg sync.WaitGroup
		for worker := range 8 {
			wg.Go(func() {
				for i := worker; i < n; i += 8 {
					if err := rendezvous.NewFolder(b, run).Put(t.Context(), rendezvous.ProgressObject("a", i), i); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
	}
	put("r1", 1010) // more than one page
	put("r11", 1)
	if err := b.Remove(t.Context(), "r1"); err != nil {
		t.Fatalf("Remove() = %v", err)
	}
	for run, want := range map[string]int{"r1": 0, "r11": 1} {
		list, err := rendezvous.NewFolder(b, run).List(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		if len(list) != want {
			t.Errorf("%d objects of %s are left, want %d", len(list), run, want)
		}
	}
	if err := b.Remove(t.Context(), "r1"); err != nil {
		t.Errorf("Remove() again = %v", err)
	}
}

func checks(t *testing.T, b *rendezvous.Bucket) {
	if err := b.Check(t.Context()); err != nil {
		t.Fatalf("Check() = %v", err)
	}
	keys, err := b.Keys(t.Context())
	if err != nil || len(keys) > 0 {
		t.Errorf("after a check the bucket has %q, %v, want nothing", keys, err)
	}
}

// comesBack leads two agents, written by hand, to a result, each step of it by a
// server that knows nothing of the others.
func comesBack(t *testing.T, b *rendezvous.Bucket) {
	w := experiment.Workload{Stages: experiment.Stages{Measure: experiment.Duration(20 * time.Second), Drain: experiment.Duration(time.Second)}}
	plan := rendezvous.Plan{Run: "r1", Endpoints: json.RawMessage(`{}`), Workload: w, Agents: rendezvous.Shares(w)}
	server := func() *rendezvous.Coordinator {
		return rendezvous.New(rendezvous.Options{Bucket: b, Run: "r1", Logger: slog.New(slog.DiscardHandler)})
	}
	folder := rendezvous.NewFolder(b, "r1")
	put := func(name string, v any) {
		t.Helper()
		if err := folder.Put(t.Context(), name, v); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := server().WritePlan(t.Context(), plan); err != nil {
			t.Fatalf("WritePlan() = %v", err)
		}
	}
	put(rendezvous.PreparedObject, rendezvous.Prepared{Effective: json.RawMessage(`{"replicas": 1}`)})
	for id, share := range plan.Agents {
		put(rendezvous.HelloObject(id), rendezvous.Hello{Facts: measure.AgentFacts{ID: id, Role: share.Role}})
	}
	if err := server().AwaitReady(t.Context()); err != nil {
		t.Fatalf("AwaitReady() = %v", err)
	}
	first, err := server().Begin(t.Context(), 0)
	if err != nil {
		t.Fatalf("Begin() = %v", err)
	}
	if again, err := server().Begin(t.Context(), time.Hour); err != nil || !again.Start.Equal(first.Start) {
		t.Errorf("Begin() again = %v, %v, want %v", again.Start, err, first.Start)
	}
	put(rendezvous.StepObject(1), rendezvous.Step{N: 1, Stop: true, Reason: "over"})
	for id := range plan.Agents {
		for n := range 20 { // more than are read at once
			put(rendezvous.ProgressObject(id, n), rendezvous.Progress{Snapshot: measure.Snapshot{Second: n, Counts: measure.Counts{Sent: 1}}})
		}
		put(rendezvous.AgentResultObject(id), account(id, plan.Agents[id].Role))
	}
	seconds := 0
	if err := server().Follow(t.Context(), func(measure.Second) { seconds++ }); err != nil || seconds != 20 {
		t.Errorf("Follow() = %d seconds, %v, want 20", seconds, err)
	}
	if read, err := rendezvous.Seconds(t.Context(), b, "r1", 3); err != nil || len(read) != 16 {
		t.Errorf("Seconds(after 3) = %d seconds, %v, want 16", len(read), err)
	}
	collect(t, server, b)
}

// collect collects a run twice, the second time as if another server had the first
// one's work to finish, and reads what was kept.
func collect(t *testing.T, server func() *rendezvous.Coordinator, b *rendezvous.Bucket) {
	t.Helper()
	complete := func(version string) rendezvous.Completion {
		return func(_ context.Context, _ time.Time, r *measure.Result) error {
			r.Versions["dec"] = version
			return nil
		}
	}
	_, first, err := server().Collect(t.Context(), complete("1"))
	if err != nil {
		t.Fatalf("Collect() = %v", err)
	}
	result, again, err := server().Collect(t.Context(), complete("2"))
	if err != nil || !bytes.Equal(first, again) || result.Versions["dec"] != "1" {
		t.Errorf("Collect() again = %s, %v, want the same bytes as before: %s", again, err, first)
	}
	var stored json.RawMessage
	if err := rendezvous.NewFolder(b, "r1").Get(t.Context(), rendezvous.ResultObject, &stored); err != nil || !bytes.Equal(first, stored) {
		t.Errorf("the result in the bucket is %s, %v, want the same bytes: %s", stored, err, first)
	}
	if bytes.Contains(first, []byte("timeline")) || bytes.Contains(first, []byte("histograms")) {
		t.Errorf("the result carries series or distributions: %s", first)
	}
	if seconds, ok, err := rendezvous.KeptTimeline(t.Context(), b, "r1"); err != nil || !ok || len(seconds) != 20 {
		t.Errorf("KeptTimeline() = %d seconds, %t, %v, want 20", len(seconds), ok, err)
	}
	if _, ok, err := rendezvous.KeptHistograms(t.Context(), b, "r1"); err != nil || !ok {
		t.Errorf("KeptHistograms() = %t, %v, want some", ok, err)
	}
	if _, ok, err := rendezvous.KeptTimeline(t.Context(), b, "r2"); ok || err != nil {
		t.Errorf("KeptTimeline() of another run = %t, %v, want none", ok, err)
	}
}

// account is the result of an agent that has done nothing.
func account(id, role string) measure.AgentResult {
	result := measure.AgentResult{Facts: measure.AgentFacts{ID: id, Role: role}}
	if role == measure.RoleProducer {
		result.Producers = map[int]measure.ProducerLog{0: {Acked: &measure.IntervalSet{}}}
	} else {
		result.Groups = map[string]measure.GroupLog{"group-0": {Received: map[int]*measure.IntervalSet{}}}
	}
	return result
}
