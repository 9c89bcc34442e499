package server_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/client"
	"dec.local/dec/internal/datadir"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
	"dec.local/dec/internal/rendezvous"
	"dec.local/dec/internal/server"
	"dec.local/dec/internal/store"
	"dec.local/dec/target/all"
)

// storage is an S3 server on the loopback interface, which can be away.
type storage struct {
	url  string // of the bucket
	away atomic.Bool
}

func newStorage(t *testing.T) *storage {
	t.Helper()
	for name, value := range map[string]string{"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"} {
		t.Setenv(name, value)
	}
	backend := s3mem.New()
	if err := backend.CreateBucket("results"); err != nil {
		t.Fatal(err)
	}
	s := &storage{}
	serve := gofakes3.New(backend).Server()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.away.Load() {
			http.Error(w, "<Error><Code>AccessDenied</Code></Error>", http.StatusForbidden)
			return
		}
		serve.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	s.url = "s3://results/team?region=eu-central-1&path_style=true&endpoint=" + server.URL
	return s
}

// keys are the objects of a bucket.
func keys(t *testing.T, url string) []string {
	t.Helper()
	b, err := rendezvous.OpenBucket(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	keys, err := b.Keys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// ended submits an experiment, cancels it and returns it and its run. What its
// processes would have written is staged.
func ended(t *testing.T, f *datadir.Folders, c *client.Client) (id, run string) {
	t.Helper()
	e, err := c.Submit(t.Context(), plan(`{}`), "k")
	if err != nil {
		t.Fatal(err)
	}
	run = e.RunList[0].ID
	staged := filepath.Join(f.Data, "staging", run)
	write(t, filepath.Join(staged, "services", "agent-0", "stderr.log"), "ready\n")
	write(t, filepath.Join(staged, "services", "agent-0", "exit.json"), "{}\n")
	write(t, filepath.Join(staged, "tofu", "0002-apply.jsonl"), `{"@message":"applied"}`+"\n")
	if err := c.CancelExperiment(t.Context(), e.ID); err != nil {
		t.Fatal(err)
	}
	return e.ID, run
}

// buckets are the kinds of buckets that a server may have.
func buckets(t *testing.T) map[string]string {
	return map[string]string{"in the data folder": "", "a folder": t.TempDir(), "on S3": newStorage(t).url}
}

// TestKeptLogsGoIntoTheBucket looks at a run before and after what was staged of it
// has gone, and removes it.
func TestKeptLogsGoIntoTheBucket(t *testing.T) {
	for name, url := range buckets(t) {
		t.Run(name, func(t *testing.T) {
			f := newFolders(t)
			f.Bucket = url
			if err := f.Resolve(f.Getenv, f.Executable); err != nil {
				t.Fatal(err)
			}
			s, _ := open(t, server.Options{Folders: f, Targets: all.Targets()})
			c, _ := serve(t, s, server.ListenOptions{})
			id, run := ended(t, f, c)
			s.Logger.Info("the run ended", "run", run)
			read := func() api.Log {
				t.Helper()
				log, err := c.Log(t.Context(), experiment.LogQuery{Run: run})
				if err != nil {
					t.Fatal(err)
				}
				return log
			}
			want := []string{"agent-0  ready", "dec info the run ended", "tofu 2 apply  applied"}
			lines := func() []string {
				got := slices.DeleteFunc(texts(read()), func(line string) bool { return strings.HasPrefix(line, "events ") })
				slices.Sort(got)
				return got
			}
			s.Archive(t.Context())
			if diff := cmp.Diff(want, lines()); diff != "" {
				t.Errorf("log (-want +got):\n%s", diff)
			}
			if left := below(t, filepath.Join(f.Data, "staging")); len(left) > 0 {
				t.Errorf("still staged: %q", left)
			}
			prefix := "runs/" + run + "/1/"
			kept := slices.DeleteFunc(keys(t, f.BucketURL()), func(key string) bool { return strings.HasPrefix(key, prefix+"dec/") })
			if diff := cmp.Diff([]string{prefix + "services/agent-0/exit.json", prefix + "services/agent-0/stderr.log", prefix + "tofu/0002-apply.jsonl"}, kept); diff != "" {
				t.Errorf("bucket (-want +got):\n%s", diff)
			}
			s.Logger.Info("one thing more", "run", run)
			s.Archive(t.Context())
			if got, want := lines(), append([]string{"agent-0  ready", "dec info one thing more"}, want[1:]...); !slices.Equal(got, want) {
				t.Errorf("log = %q, want %q", got, want)
			}
			if err := c.DeleteExperiment(t.Context(), id); err != nil {
				t.Fatal(err)
			}
			if left := keys(t, f.BucketURL()); len(left) > 0 {
				t.Errorf("left in the bucket: %q", left)
			}
		})
	}
}

// below lists the files below a folder.
func below(t *testing.T, root string) (files []string) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if os.IsNotExist(err) {
			return nil
		}
		if err == nil && !entry.IsDir() {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// TestWhatTheBucketRefusesIsKeptForLater takes the bucket away when a run ends and
// when one is deleted. The next server goes on.
func TestWhatTheBucketRefusesIsKeptForLater(t *testing.T) {
	storage := newStorage(t)
	f := newFolders(t)
	f.Bucket = storage.url
	s, end := open(t, server.Options{Folders: f, Targets: all.Targets()})
	c, quiet := serve(t, s, server.ListenOptions{})
	storage.away.Store(true)
	id, run := ended(t, f, c)
	s.Archive(t.Context())
	log, err := c.Log(t.Context(), experiment.LogQuery{Run: run})
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(texts(log), "\n"); !strings.Contains(got, "agent-0  ready") || !strings.Contains(got, "dec error the rest of this log can't be read now: list runs/"+run) {
		t.Errorf("log while the bucket is away:\n%s", got)
	}
	quiet()
	end()

	storage.away.Store(false)
	s, end = open(t, server.Options{Folders: f, Targets: all.Targets()})
	c, quiet = serve(t, s, server.ListenOptions{})
	s.Archive(t.Context())
	if left := below(t, filepath.Join(f.Data, "staging")); len(left) > 0 || len(keys(t, storage.url)) < 3 {
		t.Errorf("the next server has left %q staged, and put %q into the bucket", left, keys(t, storage.url))
	}
	storage.away.Store(true)
	if err := c.DeleteExperiment(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	quiet()
	end()

	storage.away.Store(false)
	s, _ = open(t, server.Options{Folders: f, Targets: all.Targets()})
	s.Archive(t.Context())
	if left := keys(t, storage.url); len(left) > 0 {
		t.Errorf("left in the bucket: %q", left)
	}
	if left := below(t, filepath.Join(f.Data, "staging")); len(left) > 0 {
		t.Errorf("left in the data folder: %q", left)
	}
}

// TestLogsOfRunsActiveStay archives while a run is in its load: its files are still
// written to.
func TestLogsOfRunsActiveStay(t *testing.T) {
	f := newFolders(t)
	s, _ := open(t, server.Options{Folders: f, Targets: all.Targets()})
	c, _ := serve(t, s, server.ListenOptions{})
	if _, err := c.Submit(t.Context(), plan(`{}`), "k"); err != nil {
		t.Fatal(err)
	}
	run := load(t, f, f.Data)
	file := filepath.Join(f.Data, "staging", run, "services", "server-0", "stdout.log")
	write(t, file, "half a li")
	write(t, filepath.Join(f.Data, "staging", "r000000000", "dec.jsonl"), "of a run of another database\n")
	s.Archive(t.Context())
	if left := below(t, filepath.Join(f.Data, "staging")); len(left) != 2 || len(keys(t, f.BucketURL())) > 0 {
		t.Errorf("%q are left, and the bucket has %q; want both files left", left, keys(t, f.BucketURL()))
	}
}

// TestLargeLogsAreReadFromTheirEnd reads one of 9 MiB, before and after it went.
func TestLargeLogsAreReadFromTheirEnd(t *testing.T) {
	f := newFolders(t)
	f.Bucket = newStorage(t).url
	s, _ := open(t, server.Options{Folders: f, Targets: all.Targets()})
	c, _ := serve(t, s, server.ListenOptions{})
	_, run := ended(t, f, c)
	var text bytes.Buffer
	for n := range 9 << 20 / 32 {
		fmt.Fprintf(&text, "%031d\n", n)
	}
	s.Archive(t.Context())
	write(t, filepath.Join(f.Data, "staging", run, "services", "server-0", "stdout.log"), text.String())
	for range 2 {
		log, err := c.Log(t.Context(), experiment.LogQuery{Run: run, Source: "server-0", Limit: 10})
		if want := 4<<20/32 - 1; err != nil || log.Matches != want || log.Lines[9].Text != fmt.Sprintf("%031d", 9<<20/32-1) {
			t.Errorf("log = %d lines, %v, want the last %d", log.Matches, err, want)
		}
		s.Archive(t.Context())
	}
}

// TestRunsOfOtherHostsAreSeenThroughASharedBucket shows what the server of another
// machine has put there.
func TestRunsOfOtherHostsAreSeenThroughASharedBucket(t *testing.T) {
	f := newFolders(t)
	f.Bucket = newStorage(t).url
	s, _ := open(t, server.Options{Folders: f, Targets: all.Targets()})
	c, _ := serve(t, s, server.ListenOptions{})
	e, err := c.Submit(t.Context(), plan(`{}`), "k")
	if err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(t.Context(), filepath.Join(f.Data, "dec.db"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	run, lease, err := db.Claim(t.Context(), "other", experiment.Host{ID: "another", Home: "/another/data"}, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	run.Phase = experiment.PhaseLoad
	if _, err := db.Enter(t.Context(), &run, lease); err != nil {
		t.Fatal(err)
	}
	bucket, err := rendezvous.OpenBucket(t.Context(), f.Bucket)
	if err != nil {
		t.Fatal(err)
	}
	defer bucket.Close()
	file := filepath.Join(t.TempDir(), "stderr.log")
	write(t, file, "seen from afar\n")
	folder := rendezvous.NewFolder(bucket, run.ID, 1)
	if err := folder.Save(t.Context(), "services/agent-0/stderr.log", file); err != nil {
		t.Fatal(err)
	}
	agents := &agents{t, folder, rendezvous.Plan{Run: run.ID, Epoch: 1, Workload: e.Plan.Workload, Agents: rendezvous.Shares(e.Plan.Workload)}}
	agents.put(rendezvous.PlanObject, agents.plan)
	agents.deliver(measure.Snapshot{})
	if timeline, err := c.Timeline(t.Context(), run.ID); err != nil || len(timeline.Seconds) != 1 {
		t.Errorf("Timeline() = %d seconds, %v, want 1", len(timeline.Seconds), err)
	}
	run.Outcome, run.Teardown, run.Receipt = experiment.Failed, experiment.TeardownNone, &experiment.Receipt{Statement: "Nothing was created."}
	if _, err := db.End(t.Context(), &run, lease, func(experiment.Experiment, []experiment.Run) []experiment.Run { return nil }); err != nil {
		t.Fatal(err)
	}
	log, err := c.Log(t.Context(), experiment.LogQuery{Run: run.ID, Source: "agent-0"})
	if err != nil || !slices.Equal(texts(log), []string{"agent-0  seen from afar"}) {
		t.Errorf("log = %q, %v", texts(log), err)
	}
}
