package evidence_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"dec.local/dec/internal/datadir"
	"dec.local/dec/internal/evidence"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/rendezvous/buckettest"
	"dec.local/dec/target"
)

// prefix begins the keys of all that the bucket keeps of the run.
const prefix = "runs/" + run + "/1/"

// stageAll stages what the run's processes and OpenTofu would have written.
func (f *fixture) stageAll() {
	f.t.Helper()
	f.stage("services/agent-0/stderr.log", "ready\n")
	f.stage("services/agent-0/exit.json", "{}\n")
	f.stage("tofu/0002-apply.jsonl", `{"@message":"applied"}`+"\n")
}

// TestKeptLogsGoIntoTheBucket looks at a run before and after what was staged of it
// has gone.
func TestKeptLogsGoIntoTheBucket(t *testing.T) {
	for name, o := range map[string]options{
		"in the data folder": {}, "a folder": {bucket: buckettest.Folder(t)}, "on S3": {bucket: buckettest.NewServer(t).Open(t, "team")},
	} {
		t.Run(name, func(t *testing.T) {
			o.phase = experiment.PhaseEnded
			f := newFixture(t, o)
			f.stageAll()
			f.logger().Info("the run ended", "run", run)
			lines := func() []string {
				list := slices.DeleteFunc(f.texts(experiment.LogQuery{}), func(line string) bool { return strings.HasPrefix(line, "events ") })
				slices.Sort(list)
				return list
			}
			want := []string{"agent-0  ready", "dec info the run ended", "tofu 2 apply  applied"}
			for _, when := range []string{"staged", "archived", "archived twice"} {
				if diff := cmp.Diff(want, lines()); diff != "" {
					t.Errorf("log, %s (-want +got):\n%s", when, diff)
				}
				f.archiver.Last(t.Context())
			}
			if entries, err := os.ReadDir(f.folders.Home().Staging()); err != nil || len(entries) > 0 {
				t.Errorf("still staged: %v, %v", entries, err)
			}
			kept := slices.DeleteFunc(f.kept(), func(key string) bool { return strings.HasPrefix(key, prefix+"dec/") })
			if diff := cmp.Diff([]string{prefix + "services/agent-0/exit.json", prefix + "services/agent-0/stderr.log", prefix + "tofu/0002-apply.jsonl"}, kept); diff != "" {
				t.Errorf("bucket (-want +got):\n%s", diff)
			}
			f.logger().Info("one thing more", "run", run)
			f.archiver.Last(t.Context())
			want = []string{"agent-0  ready", "dec info one thing more", "dec info the run ended", "tofu 2 apply  applied"}
			if diff := cmp.Diff(want, lines()); diff != "" {
				t.Errorf("log with what was said later (-want +got):\n%s", diff)
			}
			if err := f.Forget(t.Context(), run); err != nil || len(f.kept()) > 0 {
				t.Errorf("Forget() = %v, and leaves %q in the bucket", err, f.kept())
			}
		})
	}
}

// TestWhatTheBucketRefusesIsKeptForLater takes the bucket away when a run ends and
// when one is deleted. The next server goes on.
func TestWhatTheBucketRefusesIsKeptForLater(t *testing.T) {
	s3 := buckettest.NewServer(t)
	refuses := buckettest.Faults{Status: 403, Code: "AccessDenied"}
	o := options{bucket: s3.Open(t, ""), data: t.TempDir(), phase: experiment.PhaseEnded}
	f := newFixture(t, o)
	f.stageAll()
	f.logger().Info("the run ended", "run", run)
	s3.Set(refuses)
	f.archiver.Last(t.Context())
	if got := f.left(); len(got) != 4 {
		t.Errorf("staged while the bucket is away: %q, want all", got)
	}
	got := strings.Join(f.texts(experiment.LogQuery{}), "\n")
	if !strings.Contains(got, "agent-0  ready") || !strings.Contains(got, "dec error the rest of this log cannot be read: list runs/"+run) {
		t.Errorf("log while the bucket is away:\n%s", got)
	}
	f = newFixture(t, o) // the next server
	s3.Set(buckettest.Faults{})
	f.archiver.Last(t.Context())
	if len(f.left()) > 0 || len(f.kept()) != 4 {
		t.Errorf("the next server has left %q staged, and put %q into the bucket", f.left(), f.kept())
	}
	s3.Set(refuses)
	if err := f.Forget(t.Context(), run); err == nil || !strings.Contains(err.Error(), "trying again") {
		t.Errorf("Forget() while the bucket is away = %v, want an error that says what becomes of it", err)
	}
	delete(f.records.runs, run)
	f.archiver.Last(t.Context())
	s3.Set(buckettest.Faults{})
	if len(f.kept()) != 4 || len(f.left()) != 1 {
		t.Errorf("the bucket has %q, and %q are staged, want all and a note", f.kept(), f.left())
	}
	f = newFixture(t, o)
	delete(f.records.runs, run)
	f.archiver.Last(t.Context())
	if len(f.kept()) > 0 || len(f.left()) > 0 {
		t.Errorf("left in the bucket: %q, in the data folder: %q", f.kept(), f.left())
	}
}

// TestOnlyWhatNothingWritesToIsMoved archives while processes may still write.
func TestOnlyWhatNothingWritesToIsMoved(t *testing.T) {
	for name, change := range map[string]func(*fixture){
		"its load goes on":            func(*fixture) {},
		"something of it may exist":   func(f *fixture) { f.end(experiment.TeardownLeaked) },
		"it is of another database":   func(f *fixture) { delete(f.records.runs, run) },
		"the database does not say":   func(f *fixture) { f.records.err = errors.New("the database is away") },
		"it is destroyed, not proven": func(f *fixture) { f.records.runs[run] = experiment.Run{ID: run, Phase: experiment.PhaseVerify} },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, options{})
			f.stage("services/server-0/stdout.log", "half a li")
			f.logger().Info("under way", "run", run)
			change(f)
			f.archiver.Last(t.Context())
			if diff := cmp.Diff([]string{run + "/dec.jsonl", run + "/services/server-0/stdout.log"}, f.left()); diff != "" || len(f.kept()) > 0 {
				t.Errorf("the bucket has %q; staged (-want +got):\n%s", f.kept(), diff)
			}
		})
	}
}

// TestOneRunDoesNotHoldUpAnother archives two, of which one cannot be read.
func TestOneRunDoesNotHoldUpAnother(t *testing.T) {
	const other = "r000000000" // comes first
	f := newFixture(t, options{phase: experiment.PhaseEnded})
	f.records.runs[other] = experiment.Run{ID: other, Phase: experiment.PhaseEnded, Teardown: experiment.TeardownClean}
	f.stageAll()
	f.write(filepath.Join(f.folders.Home().Staged(other), "dec.jsonl"), "x\n")
	f.write(filepath.Join(f.folders.Home().Staged(other), "dec"), "in the way of its folder")
	var warned bytes.Buffer
	evidence.NewArchiver(f.Reader, f.logs, slog.New(slog.NewTextHandler(&warned, nil))).Last(t.Context())
	if diff := cmp.Diff([]string{other + "/dec", other + "/dec.jsonl"}, f.left()); diff != "" {
		t.Errorf("staged (-want +got):\n%s", diff)
	}
	if text := warned.String(); strings.Count(text, "\n") != 1 || !strings.Contains(text, other) || strings.Contains(text, " run=") {
		t.Errorf("said %q, want one warning, which is not staged itself", text)
	}
}

// TestAnUnavailableBucketIsAskedOnce does not try with every run.
func TestAnUnavailableBucketIsAskedOnce(t *testing.T) {
	s3 := buckettest.NewServer(t)
	f := newFixture(t, options{bucket: s3.Open(t, ""), phase: experiment.PhaseEnded})
	for n := range 10 {
		id := fmt.Sprintf("r00000000%d", n)
		f.records.runs[id] = experiment.Run{ID: id, Phase: experiment.PhaseEnded, Teardown: experiment.TeardownClean}
		f.write(filepath.Join(f.folders.Home().Staged(id), "tofu", "0002-apply.jsonl"), "x\n")
	}
	s3.Set(buckettest.Faults{Status: 403, Code: "AccessDenied"})
	f.archiver.Last(t.Context())
	if n := s3.Calls(); n != 1 || len(f.left()) != 10 {
		t.Errorf("the bucket was asked %d times, and %d files are staged, want once and all", n, len(f.left()))
	}
}

// TestRunsThatWereTakenOverAreArchived looks after the folder of a server that has
// died.
func TestRunsThatWereTakenOverAreArchived(t *testing.T) {
	other := t.TempDir()
	f := newFixture(t, options{phase: experiment.PhaseEnded})
	f.records.hosts[run] = experiment.Host{ID: "this", Home: other}
	first := newFixture(t, options{data: other})
	first.stageAll()
	first.logger().Info("driven there", "run", run)
	f.archiver.Last(t.Context())
	if len(first.left()) != 4 {
		t.Errorf("staged there: %q, want all, for nobody has said that a run was taken over", first.left())
	}
	f.archiver.Include(f.folders.Home()) // its own, which it has
	f.archiver.Include(datadir.Home(other))
	f.archiver.Last(t.Context())
	want := []string{prefix + "services/agent-0/exit.json", prefix + "services/agent-0/stderr.log", prefix + "tofu/0002-apply.jsonl"}
	if diff := cmp.Diff(want, first.kept()); diff != "" {
		t.Errorf("its bucket (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{run + "/dec.jsonl"}, first.left()); diff != "" || len(f.kept()) > 0 {
		t.Errorf("the own bucket has %q; staged there, what only its own server may move (-want +got):\n%s", f.kept(), diff)
	}
}

// TestWhatIsStagedOfARunElsewhereIsKeptHere has said something of a run whose bucket
// is not on this machine: better here than nowhere.
func TestWhatIsStagedOfARunElsewhereIsKeptHere(t *testing.T) {
	f := newFixture(t, options{phase: experiment.PhaseEnded})
	f.records.hosts[run] = experiment.Host{ID: "that", Home: "/other"}
	f.stage("tofu/0002-apply.jsonl", "x\n")
	f.archiver.Last(t.Context())
	if diff := cmp.Diff([]string{prefix + "tofu/0002-apply.jsonl"}, f.kept()); diff != "" || len(f.left()) > 0 {
		t.Errorf("%q are staged; bucket (-want +got):\n%s", f.left(), diff)
	}
}

// TestWhatMovesWhileItIsReadIsReadWhereItIs archives a file between its being listed
// and its being read.
func TestWhatMovesWhileItIsReadIsReadWhereItIs(t *testing.T) {
	f := newFixture(t, options{phase: experiment.PhaseEnded})
	f.moved = func() []target.LogFile {
		return []target.LogFile{{Service: "agent-0", Name: "stderr.log", ReadEnd: func(context.Context, int64) ([]byte, error) {
			f.moved = func() []target.LogFile { return nil }
			f.stage("services/agent-0/stderr.log", "ready\n")
			f.archiver.Last(t.Context())
			return nil, fs.ErrNotExist
		}}}
	}
	if diff := cmp.Diff([]string{"agent-0  ready"}, f.texts(experiment.LogQuery{Source: "agent-0"})); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
}

// TestLargeLogsAreReadFromTheirEnd reads one of 9 MiB, before and after it went.
func TestLargeLogsAreReadFromTheirEnd(t *testing.T) {
	f := newFixture(t, options{bucket: buckettest.NewServer(t).Open(t, ""), phase: experiment.PhaseEnded})
	const line = 1 << 10 // bytes
	var text bytes.Buffer
	for n := range 9 << 20 / line {
		fmt.Fprintf(&text, "%0*d\n", line-1, n)
	}
	f.stage("services/server-0/stdout.log", text.String())
	for range 2 {
		log := f.log(experiment.LogQuery{Source: "server-0", Limit: 10})
		if want := 4<<20/line - 1; log.Matches != want || log.Lines[9].Text != fmt.Sprintf("%0*d", line-1, 9<<20/line-1) {
			t.Errorf("log = %d lines, want the last %d", log.Matches, want)
		}
		f.archiver.Last(t.Context())
	}
	if len(f.left()) > 0 {
		t.Errorf("still staged: %q", f.left())
	}
}

// TestArchiverWorksWhenWokenAndEveryMinute runs it in virtual time.
func TestArchiverWorksWhenWokenAndEveryMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, options{phase: experiment.PhaseEnded})
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		began := time.Now()
		wait := func(when string, want time.Duration) {
			t.Helper()
			synctest.Wait()
			if got := time.Since(began); len(f.left()) > 0 || got != want {
				t.Errorf("%s: %q are staged after %s, want none after %s", when, f.left(), got, want)
			}
		}
		f.stageAll()
		go func() { f.archiver.Run(ctx); close(ended) }()
		wait("at the start", 0)
		f.stageAll()
		f.archiver.Wake()
		f.archiver.Wake() // which does not block
		wait("woken", 0)
		f.stageAll()
		time.Sleep(59 * time.Second)
		synctest.Wait()
		if len(f.left()) == 0 {
			t.Error("archived before the minute was over")
		}
		time.Sleep(time.Second)
		wait("after a minute", time.Minute)
		stop()
		<-ended
	})
}

// TestTheLastPassIsMadeAndEnds archives for a process that has been told to end, and
// gives up on a bucket that does not answer.
func TestTheLastPassIsMadeAndEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s3 := buckettest.NewServer(t)
		f := newFixture(t, options{bucket: s3.Open(t, ""), phase: experiment.PhaseEnded})
		ended, end := context.WithCancel(t.Context())
		end()
		f.stageAll()
		f.archiver.Last(ended)
		if len(f.left()) > 0 || len(f.kept()) != 3 {
			t.Errorf("%q are staged, and the bucket has %q, want all there", f.left(), f.kept())
		}
		f.stage("services/agent-1/stderr.log", "ready\n")
		s3.Set(buckettest.Faults{Latency: time.Hour})
		began := time.Now()
		f.archiver.Last(ended)
		if got := time.Since(began); got != 30*time.Second || len(f.left()) != 1 {
			t.Errorf("given up after %s with %q staged, want after 30s", got, f.left())
		}
	})
}
