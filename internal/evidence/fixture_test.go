package evidence_test

import (
	"context"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/datadir"
	"dec.local/dec/internal/evidence"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
	"dec.local/dec/internal/rendezvous"
	"dec.local/dec/target"
)

// run is the one that the tests are about.
const run = "r123456789"

// began is when it began.
var began = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// at is so many seconds after it began.
func at(seconds int) time.Time { return began.Add(time.Duration(seconds) * time.Second) }

// records is a database of runs.
type records struct {
	runs   map[string]experiment.Run
	hosts  map[string]experiment.Host
	events []experiment.Event
	err    error // of all calls, if not nil
}

func (r *records) Run(_ context.Context, id string) (experiment.Run, error) {
	found, ok := r.runs[id]
	if !ok && r.err == nil {
		return found, experiment.ErrNotFound
	}
	return found, r.err
}

// Experiment gives one whose variant is an emulator.
func (r *records) Experiment(context.Context, string) (experiment.Experiment, error) {
	variant := experiment.Variant{Label: "kinesis", Technology: "kinesis", Stack: "emulator", Emulator: "kinesalite"}
	return experiment.Experiment{ID: "e123456789", Plan: experiment.Plan{Name: "A plan", Variants: []experiment.Variant{variant}}}, r.err
}

func (r *records) Runs(context.Context, string) ([]experiment.Run, error) {
	return slices.Collect(maps.Values(r.runs)), r.err
}

func (r *records) Home(_ context.Context, id string) (experiment.Host, error) {
	if _, ok := r.runs[id]; !ok && r.err == nil {
		return experiment.Host{}, experiment.ErrNotFound
	}
	return r.hosts[id], r.err
}

// Events gives one event at a time, as if pages were that small.
func (r *records) Events(_ context.Context, q experiment.EventQuery) ([]experiment.Event, error) {
	for _, e := range r.events {
		if e.Run == q.Run && e.ID > q.After {
			return []experiment.Event{e}, r.err
		}
	}
	return nil, r.err
}

// fixture is the data folder of a server, and what it knows of one run.
type fixture struct {
	*evidence.Reader
	t        *testing.T
	folders  *datadir.Folders
	records  *records
	bucket   *rendezvous.Bucket
	live     *evidence.Live
	logs     *evidence.RunLogs
	archiver *evidence.Archiver
	services string                  // folder of the output that the run's services write, by service
	moved    func() []target.LogFile // what they write, instead, if not nil
}

// options is what a fixture may differ in.
type options struct {
	bucket *rendezvous.Bucket // shared by all servers; one in the data folder if nil
	data   string             // the data folder; a new one if empty
	phase  experiment.Phase   // of the run; its load if empty
}

func newFixture(t *testing.T, o options) *fixture {
	t.Helper()
	if o.data == "" {
		o.data = t.TempDir()
	}
	if o.phase == "" {
		o.phase = experiment.PhaseLoad
	}
	f := &fixture{t: t, folders: &datadir.Folders{Data: o.data}, bucket: o.bucket, live: evidence.NewLive(), services: t.TempDir()}
	f.records = &records{
		runs:  map[string]experiment.Run{run: {ID: run, Target: "here", Phase: o.phase}},
		hosts: map[string]experiment.Host{},
		events: []experiment.Event{{ID: 1, At: began, Run: run, Kind: experiment.EventPhase, Phase: experiment.PhaseQueued},
			{ID: 2, At: began, Run: "r000000000", Kind: experiment.EventNotice, Message: "of another run"}},
	}
	if o.phase == experiment.PhaseEnded {
		f.end(experiment.TeardownClean)
	}
	if o.bucket != nil {
		f.folders.Bucket = o.bucket.URL()
	} else {
		f.bucket = openBucket(t, f.folders.BucketURL())
	}
	f.Reader = evidence.New(evidence.Options{
		Folders: f.folders, Host: experiment.Host{ID: "this", Home: o.data}, Store: f.records, Bucket: f.bucket, Live: f.live,
		Places: target.Places{"here": {Target: target.Target{Name: "here"}, Place: place{f: f}}},
	})
	f.logs = evidence.NewRunLogs(f.folders.Home())
	f.archiver = evidence.NewArchiver(f.Reader, f.logs, slog.New(slog.DiscardHandler))
	return f
}

// openBucket opens a bucket, which is closed at the end.
func openBucket(t *testing.T, url string) *rendezvous.Bucket {
	t.Helper()
	b, err := rendezvous.OpenBucket(context.Background(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// end ends the run.
func (f *fixture) end(teardown experiment.Teardown) {
	ended := f.records.runs[run]
	ended.Phase, ended.Teardown = experiment.PhaseEnded, teardown
	f.records.runs[run] = ended
	f.records.events = append(f.records.events, experiment.Event{ID: 9, At: at(90), Run: run, Kind: experiment.EventOutcome, Message: "succeeded"})
}

// logger is the server's own.
func (f *fixture) logger() *slog.Logger { return slog.New(f.logs) }

// write makes a file with its folders.
func (f *fixture) write(path, content string) {
	f.t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		f.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		f.t.Fatal(err)
	}
}

// stage writes what is staged of the run.
func (f *fixture) stage(name, content string) {
	f.t.Helper()
	f.write(filepath.Join(f.folders.Home().Staged(run), name), content)
}

// left are the files below the folder of what is staged, by their names in it.
func (f *fixture) left() []string {
	f.t.Helper()
	names := []string{}
	root := f.folders.Home().Staging()
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if os.IsNotExist(err) {
			return nil
		}
		if err == nil && !entry.IsDir() {
			name, _ := filepath.Rel(root, path) // both are absolute
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return names
}

// kept are the keys of the bucket.
func (f *fixture) kept() []string {
	f.t.Helper()
	keys, err := f.bucket.Keys(context.Background())
	if err != nil {
		f.t.Fatal(err)
	}
	slices.Sort(keys)
	return keys
}

// texts are the lines of the run's log as "source level text".
func (f *fixture) texts(q experiment.LogQuery) []string {
	f.t.Helper()
	list := []string{}
	for _, line := range f.log(q).Lines {
		list = append(list, line.Source+" "+line.Level+" "+line.Text)
	}
	return list
}

func (f *fixture) log(q experiment.LogQuery) api.Log {
	f.t.Helper()
	q.Run = run
	log, err := f.Log(f.t.Context(), q)
	if err != nil {
		f.t.Fatal(err)
	}
	return log
}

// place is one whose services write into folders.
type place struct {
	target.Place
	f *fixture
}

func (p place) Logs(context.Context, string) ([]target.LogFile, error) {
	if p.f.moved != nil {
		return p.f.moved(), nil
	}
	files, err := filepath.Glob(filepath.Join(p.f.services, "*", "*"))
	var logs []target.LogFile
	for _, file := range files {
		logs = append(logs, target.FileLog(filepath.Base(filepath.Dir(file)), file))
	}
	return logs, err
}

// agents are those of the run; all see the same.
type agents struct {
	t      *testing.T
	folder rendezvous.Folder
	plan   rendezvous.Plan
}

// warmup and length of the run's stages, in seconds.
const warmup, length = 3, 5

func newAgents(t *testing.T, b *rendezvous.Bucket) *agents {
	t.Helper()
	w := experiment.Workload{
		Topology: experiment.Topology{Producers: 1, ProducerNodes: 1, ConsumerGroups: 1, ConsumersPerGroup: 1, ConsumerNodes: 1},
		Stages:   experiment.Stages{Warmup: experiment.Duration(warmup * time.Second), Measure: experiment.Duration(length * time.Second)},
	}
	a := &agents{t, rendezvous.NewFolder(b, run), rendezvous.Plan{Run: run, Workload: w, Agents: rendezvous.Shares(w)}}
	a.put(rendezvous.PlanObject, a.plan)
	return a
}

func (a *agents) put(name string, v any) {
	a.t.Helper()
	if err := a.folder.Put(a.t.Context(), name, v); err != nil {
		a.t.Fatal(err)
	}
}

// deliver writes a second of every agent.
func (a *agents) deliver(s measure.Snapshot) {
	a.t.Helper()
	for id := range a.plan.Agents {
		a.put(rendezvous.ProgressObject(id, s.Second), rendezvous.Progress{Snapshot: s})
	}
}
