package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
)

// TestQueueRunsInOrder posts ten experiments at once. They run one after another
// in the order of their arrival, while a client that loses its stream again and
// again sees every event once.
func TestQueueRunsInOrder(t *testing.T) {
	t.Parallel()
	w := newInstallation(t)
	s := w.serve()
	const experiments = 10
	var posted []string
	for i := range experiments {
		posted = append(posted, s.post(tinyPlan(fmt.Sprintf("number %d", i))))
	}

	last, done := int64(0), false
	var seen []int64
	var begun []string
	for !done {
		s.follow(fmt.Sprintf("after=%d", last), func(e streamed) bool {
			if e.event != api.EventStored {
				return true
			}
			event := e.stored(t)
			if id, _ := strconv.ParseInt(e.id, 10, 64); id != event.ID {
				t.Errorf("id: %s of event %d", e.id, event.ID)
			}
			last, seen = event.ID, append(seen, event.ID)
			switch {
			case event.Kind == experiment.EventPhase && event.Phase == experiment.PhaseProvision:
				begun = append(begun, event.Experiment)
			case event.Kind == experiment.EventOutcome:
				done = get[api.ExperimentDetail](s, "/experiments/"+posted[experiments-1]).State == experiment.Ended
			}
			return len(seen)%7 != 0 && !done // lose the stream after every seventh
		})
	}
	begun = slices.Compact(begun)
	if !slices.Equal(begun, posted) {
		t.Errorf("begun in the order %q, want %q", begun, posted)
	}
	var stored []int64
	s.follow("after=0", func(e streamed) bool {
		if e.event == api.EventStored {
			stored = append(stored, e.stored(t).ID)
		}
		return stored == nil || stored[len(stored)-1] < last
	})
	if !slices.Equal(seen, stored) {
		t.Errorf("a client that resumes saw\n%v, stored are\n%v", seen, stored)
	}
	for _, id := range posted {
		e := s.awaitVerdict(id)
		if e.Runs.Succeeded < 1 || e.Runs.Leaked > 0 {
			t.Errorf("experiment %s = %+v, want it succeeded", e.Name, e.Runs)
		}
	}
	if out := s.stop(syscall.SIGTERM); out.code != 0 {
		t.Errorf("an idle server ends with exit code %d on SIGTERM:\n%s", out.code, out.stderr)
	}
	w.assertNothingLeft()
}

// TestServerIsReplacedByCI runs the script of the CI against a server with a run
// active: it is deferred until the run has ended, the process exits 0, and what
// was posted meanwhile is run by the next server.
func TestServerIsReplacedByCI(t *testing.T) {
	t.Parallel()
	w := newInstallation(t)
	s := w.serve()
	first := s.post(fmt.Sprintf(quick, natsVariant) + once)
	s.awaitPhase(first, experiment.PhaseProvision)

	script := exec.CommandContext(t.Context(), filepath.Join("..", "deploy", "codebuild", "await-drain"), "240")
	script.Env = append(script.Environ(), "DEC_URL="+s.url, "DEC_TOKEN="+s.token, "DEC_POLL_SECONDS=1")
	lines := newLineWatch()
	script.Stdout, script.Stderr = lines, lines
	if err := script.Start(); err != nil {
		t.Fatal(err)
	}
	if !lines.await(t.Context(), "deferred") {
		t.Fatalf("the script was not deferred:\n%s", lines.text())
	}
	second := s.post(tinyPlan("posted while draining"))
	if err := script.Wait(); err != nil || !strings.Contains(lines.text(), "may be replaced") {
		t.Errorf("the script: %v\n%s", err, lines.text())
	}
	if !strings.Contains(lines.text(), `"phase":`) {
		t.Errorf("the script does not tell the phases that it waits for:\n%s", lines.text())
	}
	if out := s.wait(); out.code != 0 {
		t.Errorf("the drained server ended with exit code %d:\n%s", out.code, out.stderr)
	}

	next := w.serve()
	if e := next.awaitEnd(second); e.Runs.Succeeded < 1 {
		t.Errorf("the experiment posted while draining = %+v, want it run by the next server", e.Runs)
	}
	if e := get[api.ExperimentDetail](next, "/experiments/"+first); e.Runs.Succeeded < 1 {
		t.Errorf("the run that was active = %+v, want it succeeded", e.Runs)
	}
	next.stop(syscall.SIGTERM)
	w.assertNothingLeft()
}

// TestServerIsTerminatedActive shows that SIGTERM is a first Ctrl-C.
func TestServerIsTerminatedActive(t *testing.T) {
	t.Parallel()
	w := newInstallation(t)
	s := w.serve()
	id := s.post(long)
	s.awaitPhase(id, experiment.PhaseLoad)
	queued := s.post(tinyPlan("queued"))
	if out := s.stop(syscall.SIGTERM); out.code != 0 && out.code != 130 {
		t.Errorf("exit code %d:\n%s", out.code, out.stderr)
	}
	w.assertNothingLeft()

	next := w.serve()
	if e := get[api.ExperimentDetail](next, "/experiments/"+id); e.RunList[0].Outcome != experiment.Cancelled || e.RunList[0].Teardown != experiment.TeardownClean {
		t.Errorf("the run that was active is %s, %s; want cancelled, clean", e.RunList[0].Outcome, e.RunList[0].Teardown)
	}
	if e := next.awaitEnd(queued); e.Runs.Succeeded < 1 {
		t.Errorf("what was queued = %+v, want it run by the next server", e.Runs)
	}
	next.stop(syscall.SIGTERM)
	w.assertNothingLeft()
}

// TestServerIsKilledActive kills the server; the next one follows the load, which
// has gone on without it, collects the result, and goes on with the queue.
func TestServerIsKilledActive(t *testing.T) {
	t.Parallel()
	w := newInstallation(t)
	s := w.serve()
	id := s.post(strings.Replace(long, "measure: 60s", "measure: 15s", 1))
	run := s.awaitPhase(id, experiment.PhaseLoad)
	queued := s.post(tinyPlan("queued"))
	s.stop(syscall.SIGKILL)

	next := w.serve()
	next.follow("after=0&run="+run, func(e streamed) bool {
		return e.event != api.EventStored || e.stored(t).Kind != experiment.EventOutcome
	})
	if e := next.awaitEnd(queued); e.Runs.Succeeded < 1 {
		t.Errorf("what was queued = %+v, want it run by the next server", e.Runs)
	}
	r := get[api.RunDetail](next, "/runs/"+run)
	if r.Outcome != experiment.Succeeded || r.Teardown != experiment.TeardownClean {
		t.Errorf("the run that was active is %s, %s (%s); want succeeded and clean", r.Outcome, r.Teardown, r.Reason)
	}
	result := get[measure.Result](next, "/runs/"+run+"/result")
	if c := result.Counts; c.Offered == 0 || c.Received != c.Offered || c.Lost+c.Unsent+c.Failed > 0 {
		t.Errorf("counts = %+v, want every message offered, sent, acknowledged and received", c)
	}
	for i, second := range get[api.Timeline](next, "/runs/"+run+"/timeline").Seconds {
		if second.Second != i {
			t.Fatalf("the timeline goes from second %d to %d, want every one", i-1, second.Second)
		}
	}
	next.awaitEnd(id)
	next.stop(syscall.SIGTERM)
	w.assertNothingLeft()
}

// TestRestoreFromBackup backs a server up while a run is active, and restores
// the copy elsewhere after all of the first is gone.
func TestRestoreFromBackup(t *testing.T) {
	t.Parallel()
	w := newInstallation(t)
	s := w.serve()
	done := s.post(tinyPlan("done before the backup"))
	s.awaitVerdict(done)
	active := s.post(long)
	run := s.awaitPhase(active, experiment.PhaseLoad)
	queued := s.post(tinyPlan("queued in the backup"))
	backup := filepath.Join(w.dir, "backup.db")
	if out := w.dec("backup", backup); out.code != 0 {
		t.Fatalf("dec backup = exit %d\n%s", out.code, out.stderr)
	}
	s.stop(syscall.SIGTERM)

	restored := &installation{t: t, dir: w.dir, folder: "restored"}
	if err := os.MkdirAll(restored.data(), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(backup, filepath.Join(restored.data(), "dec.db")); err != nil {
		t.Fatal(err)
	}
	next := restored.serve("--lease", "6s")
	if e := next.awaitVerdict(done); e.Runs.Succeeded < 1 {
		t.Errorf("what was done before the backup = %+v, want it succeeded", e.Runs)
	}
	next.follow("after=0&run="+run, func(e streamed) bool {
		return e.event != api.EventStored || e.stored(t).Kind != experiment.EventOutcome
	})
	if e := next.awaitEnd(queued); e.Runs.Succeeded < 1 {
		t.Errorf("what was queued = %+v, want it run by the restored server", e.Runs)
	}
	if r := get[api.RunDetail](next, "/runs/"+run); r.Outcome != experiment.Failed || r.Teardown != experiment.TeardownClean {
		t.Errorf("the run that was active is %s, %s (%s); want failed, clean", r.Outcome, r.Teardown, r.Reason)
	}
	next.stop(syscall.SIGTERM)
	restored.assertNothingLeft()
}
