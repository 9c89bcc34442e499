package evidence_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dec.local/dec/internal/datadir"
	"dec.local/dec/internal/evidence"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
	"dec.local/dec/internal/rendezvous"
	"dec.local/dec/internal/rendezvous/buckettest"
)

func TestHomeOfARun(t *testing.T) {
	f := newFixture(t, options{})
	own := f.folders.Home()
	away := errors.New("the database is away")
	tests := map[string]struct {
		host experiment.Host
		run  string
		err  error // of the database
		want datadir.Home
		here bool
	}{
		"nobody has claimed it":              {experiment.Host{}, run, nil, own, true},
		"it is not known":                    {experiment.Host{}, "r000000000", nil, own, true},
		"this server":                        {experiment.Host{ID: "this", Home: f.folders.Data}, run, nil, own, true},
		"another server of this machine":     {experiment.Host{ID: "this", Home: "/other"}, run, nil, "/other", true},
		"another machine":                    {experiment.Host{ID: "that", Home: "/other"}, run, nil, "", false},
		"this machine, by another name":      {experiment.Host{ID: "that", Home: f.folders.Data}, run, nil, own, true},
		"one before machines had names here": {experiment.Host{Home: "/other"}, run, nil, "/other", true},
		"the database does not say":          {experiment.Host{ID: "this", Home: "/other"}, run, away, "", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f.records.hosts[run], f.records.err = tt.host, tt.err
			got, here, err := f.HomeOf(t.Context(), tt.run)
			if got != tt.want || here != tt.here || !errors.Is(err, tt.err) {
				t.Errorf("HomeOf() = %q, %v, %v, want %q, %v, %v", got, here, err, tt.want, tt.here, tt.err)
			}
		})
	}
}

func TestBucketOfARun(t *testing.T) {
	shared := buckettest.Folder(t)
	other, empty := t.TempDir(), t.TempDir() // data folders of other servers
	if err := os.Mkdir(datadir.Home(other).Bucket(), 0o755); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		shared *rendezvous.Bucket
		host   experiment.Host
		want   string // URL; none if empty
	}{
		"shared by all servers":     {shared, experiment.Host{ID: "that", Home: other}, shared.URL()},
		"of another data folder":    {nil, experiment.Host{ID: "this", Home: other}, rendezvous.FolderURL(datadir.Home(other).Bucket())},
		"gone with its data folder": {nil, experiment.Host{ID: "this", Home: empty}, ""},
		"of another machine":        {nil, experiment.Host{ID: "that", Home: other}, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, options{bucket: tt.shared})
			f.records.hosts[run] = tt.host
			b, release, err := f.BucketOf(t.Context(), run)
			if tt.want == "" {
				if !errors.Is(err, evidence.ErrElsewhere) {
					t.Errorf("BucketOf() = %v, want %v", err, evidence.ErrElsewhere)
				}
				return
			}
			if err != nil || b.URL() != tt.want {
				t.Fatalf("BucketOf() = %v, %v, want %s", b, err, tt.want)
			}
			release()
		})
	}
	if _, err := os.Stat(datadir.Home(empty).Bucket()); !os.IsNotExist(err) {
		t.Errorf("looking has made a bucket, or %v", err)
	}
	f := newFixture(t, options{})
	f.records.hosts[run] = experiment.Host{ID: "this", Home: f.folders.Data}
	if b, release, err := f.BucketOf(t.Context(), run); err != nil || b != f.bucket {
		t.Errorf("BucketOf() a run of this server = %v, %v, want the one in force", b, err)
	} else {
		release() // which leaves it open
	}
	if got := f.kept(); len(got) > 0 {
		t.Errorf("the bucket has %q, want nothing", got)
	}
}

// TestARunIsSeenWhileItIsLoaded reads what agents deliver, also when another server
// of this machine drives them.
func TestARunIsSeenWhileItIsLoaded(t *testing.T) {
	for name, driver := range map[string]string{"driven here": "", "driven by another server": t.TempDir()} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, options{})
			bucket := f.bucket
			if driver != "" {
				f.records.hosts[run] = experiment.Host{ID: "this", Home: driver}
				bucket = openBucket(t, rendezvous.FolderURL(datadir.Home(driver).Bucket()))
			}
			agents := newAgents(t, bucket)
			if start, err := f.LoadStart(t.Context(), run); err != nil || !start.IsZero() {
				t.Errorf("LoadStart() before the load = %v, %v, want none", start, err)
			}
			agents.put(rendezvous.StepObject(0), rendezvous.Step{Start: began})
			if start, err := f.LoadStart(t.Context(), run); err != nil || !start.Equal(began) {
				t.Errorf("LoadStart() = %v, %v, want %v", start, err, began)
			}
			h := measure.NewHistogram()
			h.Record(int64(3 * time.Millisecond))
			text, err := h.Encode()
			if err != nil {
				t.Fatal(err)
			}
			for second := range warmup {
				agents.deliver(measure.Snapshot{Second: second, Stage: experiment.StageWarmup, Latencies: map[measure.Distribution]string{measure.E2ELatency: text}})
			}
			if got, err := f.Histograms(t.Context(), run); err != nil || len(got) > 0 {
				t.Errorf("Histograms() of the warm-up = %v, %v, want none", got, err)
			}
			agents.deliver(measure.Snapshot{Second: warmup, Stage: experiment.StageMeasure, Latencies: map[measure.Distribution]string{measure.PublishLatency: text}})
			h.Merge(h) // both agents saw the same
			if text, err = h.Encode(); err != nil {
				t.Fatal(err)
			}
			got, err := f.Histograms(t.Context(), run)
			if diff := cmp.Diff(map[measure.Distribution]string{measure.PublishLatency: text}, got); err != nil || diff != "" {
				t.Errorf("Histograms(): %v (-want +got):\n%s", err, diff)
			}
			for after, want := range map[int][]int{-1: {0, 1, 2, 3}, 1: {2, 3}, 3: {}} {
				seconds, err := f.Seconds(t.Context(), run, after)
				if diff := cmp.Diff(want, numbers(seconds)); err != nil || diff != "" {
					t.Errorf("Seconds(%d): %v (-want +got):\n%s", after, err, diff)
				}
			}
		})
	}
}

// TestWhoFollowsARunGetsEachSecondOnce asks for newer seconds as the hub of events
// does: it has those of runs that are driven here.
func TestWhoFollowsARunGetsEachSecondOnce(t *testing.T) {
	tests := map[string]struct {
		machine, server string // that drive it: this or that
		live            bool   // its load goes on
		shared          bool   // bucket
		want            []int  // seconds after 0
	}{
		"driven here": {"this", "this", true, false, []int{}},
		"driven here, with a bucket that others share":   {"this", "this", true, true, []int{}},
		"of this data folder, but not driven any more":   {"this", "this", false, false, []int{}},
		"driven by another server of this machine":       {"this", "that", false, false, []int{1, 2}},
		"driven by another machine with its own bucket":  {"that", "that", false, false, []int{}},
		"driven by another machine with the same bucket": {"that", "that", false, true, []int{1, 2}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var o options
			if tt.shared {
				o.bucket = buckettest.Folder(t)
			}
			f := newFixture(t, o)
			bucket, home := f.bucket, f.folders.Data
			if tt.server == "that" {
				home = t.TempDir()
				if !tt.shared {
					bucket = openBucket(t, rendezvous.FolderURL(datadir.Home(home).Bucket()))
				}
			}
			f.records.hosts[run] = experiment.Host{ID: tt.machine, Home: home}
			agents := newAgents(t, bucket)
			for second := range 3 {
				agents.deliver(measure.Snapshot{Second: second})
			}
			if tt.live {
				f.live.Add(run, measure.Second{Second: 7})
			}
			got, err := f.Tail(t.Context(), run, 0)
			if diff := cmp.Diff(tt.want, numbers(got)); err != nil || diff != "" {
				t.Errorf("Tail(0): %v (-want +got):\n%s", err, diff)
			}
			known, err := f.Seconds(t.Context(), run, 0)
			if tt.live && (err != nil || !cmp.Equal(numbers(known), []int{7})) {
				t.Errorf("Seconds(0) = %v, %v, want what its driver knows", numbers(known), err)
			}
		})
	}
}

func TestOfARunElsewhereNothingIsSeen(t *testing.T) {
	f := newFixture(t, options{})
	f.records.hosts[run] = experiment.Host{ID: "that", Home: "/other"}
	if got, err := f.Seconds(t.Context(), run, -1); err != nil || len(got) > 0 {
		t.Errorf("Seconds() = %v, %v, want none", got, err)
	}
	if got, err := f.Histograms(t.Context(), run); err != nil || len(got) > 0 {
		t.Errorf("Histograms() = %v, %v, want none", got, err)
	}
	f.records.err = errors.New("the database is away")
	if _, err := f.Seconds(t.Context(), run, -1); !errors.Is(err, f.records.err) {
		t.Errorf("Seconds() = %v, want %v", err, f.records.err)
	}
	if _, err := f.Tail(t.Context(), run, -1); !errors.Is(err, f.records.err) {
		t.Errorf("Tail() = %v, want %v", err, f.records.err)
	}
}

func TestForgottenRunsLeaveNoFiles(t *testing.T) {
	f := newFixture(t, options{})
	f.stage("services/agent-0/stderr.log", "x\n")
	f.write(filepath.Join(f.folders.Home().Attempts(run), "0001-plan", "stdout.log"), "x\n")
	newAgents(t, f.bucket)
	other := filepath.Join(f.folders.Home().Staged("r000000000"), "dec.jsonl")
	f.write(other, "x\n")
	if err := f.Forget(t.Context(), run); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"r000000000/dec.jsonl"}, f.left()); diff != "" {
		t.Errorf("staged (-want +got):\n%s", diff)
	}
	if keys := f.kept(); len(keys) > 0 {
		t.Errorf("left in the bucket: %q", keys)
	}
	if _, err := os.Stat(filepath.Join(f.folders.Home().Runs(), run)); !os.IsNotExist(err) {
		t.Errorf("the run's folder: %v, want none", err)
	}
	if err := f.Forget(t.Context(), run); err != nil {
		t.Errorf("Forget() of a run that has left nothing = %v", err)
	}
}

func TestOnlyWhatIsARunIsForgotten(t *testing.T) {
	f := newFixture(t, options{})
	f.stage("dec.jsonl", "x\n")
	for _, id := range []string{"", ".", "..", "../staging/" + run, "r12345678/", "r1234567890", "R123456789"} {
		if err := f.Forget(t.Context(), id); err == nil {
			t.Errorf("Forget(%q) has no error", id)
		}
	}
	if diff := cmp.Diff([]string{run + "/dec.jsonl"}, f.left()); diff != "" {
		t.Errorf("staged (-want +got):\n%s", diff)
	}
}
