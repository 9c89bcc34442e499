package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/store/pgtest"
)

// lease is how long a server of a pair may be silent.
const lease = 6 * time.Second

// pair is two servers of one machine, with data folders of their own, on one
// Postgres.
type pair struct {
	*installation
	a, b *server
}

func newPair(t *testing.T) *pair {
	t.Helper()
	w := newInstallation(t)
	url := pgtest.URL(t)
	one, other := &installation{t: t, dir: w.dir, folder: "a"}, &installation{t: t, dir: w.dir, folder: "b"}
	args := []string{"--database", url, "--lease", lease.String()}
	return &pair{w, one.serve(args...), other.serve(args...)}
}

// of returns the server that drives a run, and the other one.
func (p *pair) of(run string) (driver, other *server) {
	p.t.Helper()
	for line := range strings.Lines(p.a.lines.text()) {
		if strings.Contains(line, run) && strings.Contains(line, "phase begins") {
			return p.a, p.b
		}
	}
	return p.b, p.a
}

// stop ends both servers and checks that nothing is left.
func (p *pair) stop(servers ...*server) {
	p.t.Helper()
	for _, s := range servers {
		if out := s.stop(syscall.SIGTERM); out.code != 0 {
			p.t.Errorf("a server ends with exit code %d:\n%s", out.code, out.stderr)
		}
	}
	p.assertNothingLeft()
}

// TestReplicasShareAQueue posts to two servers alternately, and reads the stream
// of both.
func TestReplicasShareAQueue(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	var posted []string
	for i := range 4 {
		plan := strings.Replace(fmt.Sprintf(quick, natsVariant), "name: quick", fmt.Sprintf("name: number %d", i), 1) + once
		posted = append(posted, []*server{p.a, p.b}[i%2].post(plan))
	}
	var reading sync.WaitGroup
	var seen [2]told
	for i, s := range []*server{p.a, p.b} {
		reading.Go(func() { seen[i] = s.untilAllEnded(posted) })
	}
	reading.Wait()
	if !slices.Equal(seen[0].events, seen[1].events) || len(seen[0].events) == 0 {
		t.Errorf("one server told of the events\n%v, the other of\n%v", seen[0].events, seen[1].events)
	}
	drivers := map[*server]int{}
	for _, id := range posted {
		e := p.b.awaitVerdict(id)
		if e.State != experiment.Ended || e.Runs.Succeeded < 1 || e.Runs.Failed+e.Runs.Leaked > 0 {
			t.Errorf("experiment %s = %s, %+v; want it ended and succeeded", e.Name, e.State, e.Runs)
		}
		for _, run := range e.RunList {
			driver, _ := p.of(run.ID)
			drivers[driver]++
			for i, name := range []string{"a", "b"} {
				if seen[i].begun[run.ID] != 1 || seen[i].snapshots[run.ID] == 0 {
					t.Errorf("server %s told %d times of the start of %s and of %d of its seconds; want once and some",
						name, seen[i].begun[run.ID], run.Name, seen[i].snapshots[run.ID])
				}
			}
		}
	}
	t.Logf("a drove %d runs, b %d", drivers[p.a], drivers[p.b])
	for i := range seen {
		if seen[i].most != 1 {
			t.Errorf("up to %d runs were active at once, want 1", seen[i].most)
		}
	}
	p.stop(p.a, p.b)
}

// told is what the stream of a server told.
type told struct {
	events           []int64
	begun, snapshots map[string]int // by run
	most             int            // active runs at once
}

// untilAllEnded reads the stream until these experiments have ended.
func (s *server) untilAllEnded(ids []string) told {
	seen := told{begun: map[string]int{}, snapshots: map[string]int{}}
	active := map[string]bool{}
	open := slices.Clone(ids)
	for e, err := range s.events(s.w.t.Context(), "after=0") {
		if err != nil {
			s.w.t.Errorf("the stream: %v; the server said:\n%s", err, s.lines.text())
			break
		}
		if e.event == api.EventSnapshot {
			seen.snapshots[e.run()]++
		}
		if e.event != api.EventStored {
			continue
		}
		event := e.stored(s.w.t)
		seen.events = append(seen.events, event.ID)
		switch {
		case event.Kind == experiment.EventPhase && event.Phase == experiment.PhaseProvision:
			seen.begun[event.Run]++
			active[event.Run] = true
		case event.Kind == experiment.EventOutcome:
			delete(active, event.Run)
			open = slices.DeleteFunc(open, func(id string) bool {
				return id == event.Experiment && get[api.ExperimentDetail](s, "/experiments/"+id).State == experiment.Ended
			})
		}
		seen.most = max(seen.most, len(active))
		if len(open) == 0 {
			break
		}
	}
	return seen
}

// run is the run of a snapshot.
func (e streamed) run() string {
	var snapshot api.Snapshot
	_ = json.Unmarshal(e.data, &snapshot) // then it is of no run
	return snapshot.Run
}

// TestReplicaTakesOverFromAKilledOne kills the server that drives a run. The other
// follows the load, which has gone on.
func TestReplicaTakesOverFromAKilledOne(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	id := p.a.post(strings.Replace(long, "measure: 60s", "measure: 20s", 1))
	run := p.a.awaitPhase(id, experiment.PhaseLoad)
	driver, other := p.of(run)
	queued := other.post(tinyPlan("queued"))
	killed := time.Now()
	driver.stop(syscall.SIGKILL)
	p.awaitTakeOver(other, run, killed, experiment.Succeeded)
	if e := other.awaitEnd(queued); e.Runs.Succeeded < 1 {
		t.Errorf("what was queued = %+v, want it run by the other server", e.Runs)
	}
	other.awaitEnd(id)
	p.nothingOf(run)
	p.stop(other)
}

// TestReplicaTakesOverFromAFrozenOne stops the server that drives a run for
// longer than its lease. It still holds the machine's lock, so the other destroys
// the run. When it goes on it finds that the run is no longer its own, writes
// nothing of it, and does other work.
func TestReplicaTakesOverFromAFrozenOne(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	id := p.a.post(long)
	run := p.a.awaitPhase(id, experiment.PhaseLoad)
	driver, other := p.of(run)
	frozen := time.Now()
	if err := driver.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	p.awaitTakeOver(other, run, frozen, experiment.Failed)
	before := other.eventsOf(run)
	if err := driver.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	driver.awaitLine("the lease was lost")
	if e := driver.awaitEnd(driver.post(tinyPlan("after the freeze"))); e.Runs.Succeeded < 1 {
		t.Errorf("what was posted after the freeze = %+v, want it succeeded", e.Runs)
	}
	other.awaitEnd(id)
	other.stop(syscall.SIGTERM)
	if e := driver.awaitEnd(driver.post(tinyPlan("alone"))); e.Runs.Succeeded < 1 {
		t.Errorf("what was posted to the server alone = %+v, want it succeeded", e.Runs)
	}
	if after := driver.eventsOf(run); !slices.Equal(after, before) {
		t.Errorf("the events of the run were %v, and are %v since its server goes on", before, after)
	}
	p.nothingOf(run)
	p.stop(driver)
}

// awaitTakeOver waits until another server has brought a run to its end, and checks
// that it began in time.
func (p *pair) awaitTakeOver(other *server, run string, silent time.Time, want experiment.Outcome) {
	p.t.Helper()
	var began time.Time
	other.follow("after=0&run="+run, func(e streamed) bool {
		if e.event != api.EventStored {
			return true
		}
		event := e.stored(p.t)
		acts := event.Kind == experiment.EventPhase && event.Phase == experiment.PhaseDestroy || event.Kind == experiment.EventNotice
		if acts && began.IsZero() {
			began = event.At
		}
		return event.Kind != experiment.EventOutcome
	})
	if latest := silent.Add(lease + 5*time.Second); began.After(latest) {
		p.t.Errorf("the run was taken over %v after its server fell silent, want at most %v", began.Sub(silent), latest.Sub(silent))
	}
	p.t.Logf("taken over %v after the server fell silent", began.Sub(silent))
	r := get[api.RunDetail](other, "/runs/"+run)
	if r.Outcome != want || r.Teardown != experiment.TeardownClean || (r.Reason == "") != (want == experiment.Succeeded) {
		p.t.Errorf("the run is %s, %s (%s); want %s, clean, a reason if it failed", r.Outcome, r.Teardown, r.Reason, want)
	}
}

// nothingOf checks that no files of a run's processes are left in either folder.
func (p *pair) nothingOf(run string) {
	p.t.Helper()
	for _, folder := range []string{"a", "b"} {
		path := filepath.Join(p.dir, folder, "runs", run)
		if _, err := os.Stat(path); err == nil {
			p.t.Errorf("%s is left", path)
		}
	}
	for _, found := range p.processes() {
		if strings.Contains(found.command, run) {
			p.t.Errorf("process %d of the run is left: %s", found.pid, found.command)
		}
	}
}

// eventsOf are the ids of a run's events up to now.
func (s *server) eventsOf(run string) []int64 {
	s.w.t.Helper()
	var ids []int64
	s.follow("after=0&run="+run, func(e streamed) bool {
		if e.event == api.EventStored {
			ids = append(ids, e.stored(s.w.t).ID)
		}
		return e.event != api.EventBeat // all that is stored comes before
	})
	return ids
}

// TestDrainHoldsForAllReplicas asks one server and looks at the other.
func TestDrainHoldsForAllReplicas(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	run := p.b.awaitPhase(p.a.post(fmt.Sprintf(quick, natsVariant)+once), experiment.PhaseLoad)
	stay := func() (int, []byte) {
		return p.a.call("POST", api.Prefix+"/shutdown", "application/json", strings.NewReader(`{"exit": false}`))
	}
	if status, body := stay(); status != http.StatusConflict || !strings.Contains(string(body), run) {
		t.Errorf("POST /shutdown = %d %s, want 409 that waits for run %s", status, body, run)
	}
	queued := p.b.post(tinyPlan("queued"))
	var drain api.Shutdown
	for drain.State != "ready" {
		drain = get[api.Shutdown](p.b, "/shutdown?wait=30s")
		if drain.State == "none" {
			t.Fatalf("the other server knows of no drain: %+v", drain)
		}
	}
	if status, body := stay(); status != http.StatusOK {
		t.Errorf("POST /shutdown with nothing active = %d %s, want 200", status, body)
	}
	for _, s := range []*server{p.a, p.b} {
		e := get[api.ExperimentDetail](s, "/experiments/"+queued)
		if e.State != experiment.Queued || e.RunList[0].Phase != experiment.PhaseQueued {
			t.Errorf("what was posted while draining = %s, %s; want it queued", e.State, e.RunList[0].Phase)
		}
	}
	if status, body := p.b.call("DELETE", api.Prefix+"/shutdown", "", nil); status != http.StatusOK {
		t.Errorf("DELETE /shutdown = %d %s", status, body)
	}
	if e := p.a.awaitEnd(queued); e.Runs.Succeeded < 1 {
		t.Errorf("what was posted while draining = %+v, want it run now", e.Runs)
	}
	p.stop(p.a, p.b)
}
