package supervise_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"dec.local/dec/internal/supervise"
	"golang.org/x/sys/unix"
)

// A short grace period lets a stubborn child count every signal that it gets
// before it is killed.
const shortGrace = 200 * time.Millisecond

func TestStopSendsOneSignal(t *testing.T) {
	t.Parallel()
	sendTo := func(sig unix.Signal, who ...func(*testing.T, *supervise.Process) supervise.Identity) func(*testing.T, *supervise.Process) {
		return func(t *testing.T, p *supervise.Process) {
			for _, id := range who {
				send(t, id(t, p), sig)
			}
		}
	}
	tests := map[string]struct {
		before func(*testing.T, *supervise.Process)
		record bool // an Exit is written
	}{
		"to a child":                   {sendTo(0), true},
		"to a stopped child":           {sendTo(unix.SIGSTOP, child), true},
		"through a stopped supervisor": {sendTo(unix.SIGSTOP, supervisor), true},
		"when both are stopped":        {sendTo(unix.SIGSTOP, supervisor, child), true},
		"without a supervisor":         {sendTo(unix.SIGKILL, supervisor), false},
		"to a stopped one without one": {func(t *testing.T, p *supervise.Process) {
			sendTo(unix.SIGSTOP, child)(t, p)
			sendTo(unix.SIGKILL, supervisor)(t, p)
		}, false},
		"asked of the supervisor as well": {sendTo(unix.SIGTERM, supervisor, supervisor), true},
		"that the supervisor ignores":     {sendTo(unix.SIGINT, supervisor, supervisor), true},
	}
	for name, tt := range tests {
		for _, mode := range []string{"graceful", "stubborn"} {
			t.Run(mode+" "+name, func(t *testing.T) {
				t.Parallel()
				spec := program(t, mode)
				spec.StopSignal = "SIGINT"
				if mode == "stubborn" {
					spec.Grace = shortGrace
				}
				p := startReady(t, spec)
				tt.before(t, p)
				var wg sync.WaitGroup
				for range 3 {
					wg.Go(func() { stop(t, p) })
				}
				wg.Wait()
				if alive(t, p) || supervisorAlive(t, p) {
					t.Error("something lives after Stop()")
				}
				if got := workFile(t, p, "signals"); got != "SIGINT\n" {
					t.Errorf("signals = %q, want one SIGINT", got)
				}
				exit, ok, err := p.Exit()
				if err != nil || ok != tt.record {
					t.Errorf("Exit() = %+v, %t, %v, want a record = %t", exit, ok, err, tt.record)
				}
				want := map[string]string{"stubborn": "SIGKILL"}[mode]
				if ok && (exit.Cause != supervise.CauseStopped || exit.Signal != want) {
					t.Errorf("Exit() = %+v, want cause stopped and signal %q", exit, want)
				}
				stop(t, p) // once more is no error
			})
		}
	}
}

func TestStopsOfSeveralProcesses(t *testing.T) {
	t.Parallel()
	for name, orphan := range map[string]bool{"with a supervisor": false, "without a supervisor": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			spec := program(t, "stubborn")
			spec.Grace = shortGrace
			p := startReady(t, spec)
			var stoppers []*other
			for range 6 {
				o := startOther(t, "stopper", p.Folder())
				if got := o.line(t); got != "ready" {
					t.Fatalf("stopper says %q", got)
				}
				stoppers = append(stoppers, o)
			}
			if orphan {
				send(t, supervisor(t, p), unix.SIGKILL)
			}
			for _, o := range stoppers {
				if _, err := o.stdin.Write([]byte("!")); err != nil {
					t.Fatal(err)
				}
			}
			for _, o := range stoppers {
				if err := o.cmd.Wait(); err != nil {
					t.Errorf("stopper = %v", err)
				}
			}
			if got := workFile(t, p, "signals"); got != "SIGTERM\n" || alive(t, p) {
				t.Errorf("signals = %q, alive = %t, want one SIGTERM and nothing alive", got, alive(t, p))
			}
		})
	}
}

func TestAStopThatTheSupervisorDoesNotSurvive(t *testing.T) {
	t.Parallel()
	p := startReady(t, program(t, "stubborn")) // with a long grace period
	stopped := make(chan error, 1)
	go func() { stopped <- p.Stop(t.Context()) }()
	eventually(t, "the signal has come", func() bool { return workFile(t, p, "signals") != "" })
	age(t, p, "signalled")
	send(t, supervisor(t, p), unix.SIGKILL)
	if err := <-stopped; err != nil || alive(t, p) {
		t.Errorf("Stop() = %v, alive = %t, want nil and nothing alive", err, alive(t, p))
	}
	if got := workFile(t, p, "signals"); got != "SIGTERM\n" {
		t.Errorf("signals = %q, want the one of the supervisor", got)
	}
}

func TestASenderThatWasKilledBeforeItsSignal(t *testing.T) {
	t.Parallel()
	for name, orphan := range map[string]bool{"with a supervisor": false, "without a supervisor": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			spec := program(t, "stubborn")
			spec.Grace = shortGrace
			p := startReady(t, spec)
			if orphan {
				send(t, supervisor(t, p), unix.SIGKILL)
				eventually(t, "the supervisor is gone", func() bool { return !supervisorAlive(t, p) })
			}
			for _, stage := range []string{"signalled", "stop"} {
				if err := os.WriteFile(filepath.Join(p.Folder(), stage), nil, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			stop(t, p)
			if got := workFile(t, p, "signals"); got != "" || alive(t, p) {
				t.Errorf("signals = %q, alive = %t, want none, for it may have been sent, and a kill", got, alive(t, p))
			}
		})
	}
}

// age makes a stage of the latch look an hour older than it is.
func age(t *testing.T, p *supervise.Process, stage string) {
	t.Helper()
	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(filepath.Join(p.Folder(), stage), old, old); err != nil {
		t.Fatal(err)
	}
}

func TestAStopThatIsGivenUpGoesOn(t *testing.T) {
	t.Parallel()
	p := startReady(t, program(t, "graceful"))
	send(t, supervisor(t, p), unix.SIGSTOP)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.Stop(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Stop() = %v, want context.Canceled", err)
	}
	if exit := wait(t, p); exit.Cause != supervise.CauseStopped {
		t.Errorf("Wait() = %+v, want cause stopped", exit)
	}
}

func TestAStopBeforeTheChildIsStarted(t *testing.T) {
	t.Parallel()
	spec := program(t, "idle")
	spec.Sidecar = &supervise.SidecarSpec{Name: "slow"}
	folder := filepath.Join(t.TempDir(), "process")
	started := make(chan error, 1)
	go func() {
		_, err := supervise.Start(t.Context(), folder, spec, supervise.Secrets{})
		started <- err
	}()
	var p *supervise.Process
	eventually(t, "the supervisor is there", func() bool {
		var err error
		if p, err = supervise.Open(folder); err == nil {
			_, err = p.Supervisor()
		}
		return err == nil
	})
	stop(t, p)
	if err := <-started; err != nil {
		t.Errorf("Start() = %v, want nil", err)
	}
	exit, ok, err := p.Exit()
	if !ok || err != nil || exit.Cause != supervise.CauseStopped || exit.Code != -1 {
		t.Errorf("Exit() = %+v, %t, %v, want cause stopped, code -1", exit, ok, err)
	}
	if _, err := p.Child(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Child() = %v, want fs.ErrNotExist", err)
	}
}

func TestAnUnrecordedChildIsFound(t *testing.T) {
	t.Parallel()
	spec := program(t, "stubborn")
	spec.Grace = shortGrace
	p := startReady(t, spec)
	// As when the supervisor was killed between the start and the record.
	send(t, supervisor(t, p), unix.SIGKILL)
	if err := os.Remove(filepath.Join(p.Folder(), "child.json")); err != nil {
		t.Fatal(err)
	}
	stop(t, p)
	if got := workFile(t, p, "signals"); got != "SIGTERM\n" || alive(t, p) {
		t.Errorf("signals = %q, alive = %t, want one SIGTERM and nothing alive", got, alive(t, p))
	}
}

// daemon returns the identity of the process that "descend" leaves behind.
func daemon(t *testing.T, p *supervise.Process) int {
	t.Helper()
	pid, err := strconv.Atoi(strings.TrimSpace(workFile(t, p, "daemon")))
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

// runs reports whether a process runs that is no zombie.
func runs(pid int) bool {
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err == nil && !strings.Contains(string(data), ") Z ")
}

func TestDaemonsOfTheChildAreKilled(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		args   []string
		orphan bool
		leave  bool // the child ends by itself
	}{
		"after a stop":                      {nil, false, false},
		"without the lock, after a stop":    {[]string{"nolock"}, false, false},
		"after the child's own end":         {[]string{"leave"}, false, true},
		"without the lock, after its end":   {[]string{"nolock", "leave"}, false, true},
		"by a stop without a supervisor":    {nil, true, false},
		"after its end, without supervisor": {[]string{"leave"}, true, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			spec := program(t, "descend", tt.args...)
			spec.Lifetime, spec.Grace = supervise.Task, shortGrace
			if tt.orphan && tt.leave {
				spec.Grace = time.Hour // the supervisor leaves the daemon to us
			}
			p := start(t, spec, supervise.Secrets{})
			if tt.leave {
				eventually(t, "the child has ended", func() bool { return exists(p, "child.json") && !child(t, p).Alive() })
			} else {
				waitReady(t, p)
			}
			if tt.orphan {
				send(t, supervisor(t, p), unix.SIGKILL)
				eventually(t, "the supervisor is gone", func() bool { return !supervisorAlive(t, p) })
				if !alive(t, p) {
					t.Fatal("alive = false, want true: the daemon holds the lock")
				}
				if tt.leave {
					if err := os.WriteFile(filepath.Join(p.Folder(), "signalled"), nil, 0o600); err != nil {
						t.Fatal(err)
					}
					age(t, p, "signalled")
				}
			}
			if !tt.leave || tt.orphan {
				stop(t, p)
			}
			exit, err := waitAny(t, p)
			if tt.orphan != errors.Is(err, supervise.ErrNoExit) || !tt.orphan && err != nil {
				t.Errorf("Wait() = %+v, %v, want a record = %t", exit, err, !tt.orphan)
			}
			if tt.leave && !tt.orphan && (exit.Code != 7 || exit.Cause != supervise.CauseExited) {
				t.Errorf("Wait() = %+v, want the code 7 of the child", exit)
			}
			if runs(daemon(t, p)) {
				t.Error("the daemon lives")
			}
		})
	}
}

func exists(p *supervise.Process, name string) bool {
	_, err := os.Stat(filepath.Join(p.Folder(), name))
	return err == nil
}

func TestWhatAChildSupervisesIsNotItsSupervisors(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		innerOrphan bool // the supervisor of the inner process was killed
		outerOrphan bool // that of the outer one was
		killed      bool // the outer child does not leave by itself
	}{
		"when it leaves":                               {},
		"without a supervisor, when it leaves":         {innerOrphan: true},
		"when it is killed":                            {killed: true},
		"without a supervisor, when it is killed":      {innerOrphan: true, killed: true},
		"when it is killed and not supervised":         {outerOrphan: true, killed: true},
		"when it is killed and nothing was supervised": {innerOrphan: true, outerOrphan: true, killed: true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			innerFolder := filepath.Join(t.TempDir(), "inner")
			spec := program(t, "launcher", innerFolder)
			spec.Lifetime, spec.Grace = supervise.Task, shortGrace
			outer := startReady(t, spec)
			inner, err := supervise.Open(innerFolder)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { end(t, inner) })
			for p, orphan := range map[*supervise.Process]bool{inner: tt.innerOrphan, outer: tt.outerOrphan} {
				if orphan {
					send(t, supervisor(t, p), unix.SIGKILL)
					eventually(t, "its supervisor is gone", func() bool { return !supervisorAlive(t, p) })
				}
			}
			if tt.killed {
				stop(t, outer)
			} else if err := os.WriteFile(filepath.Join(outer.Folder(), "work", "leave"), []byte("\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			exit, err := waitAny(t, outer)
			if tt.outerOrphan != errors.Is(err, supervise.ErrNoExit) || !tt.outerOrphan && tt.killed != (exit.Signal == "SIGKILL") {
				t.Errorf("end of the outer process = %+v, %v, want a kill = %t, no record = %t", exit, err, tt.killed, tt.outerOrphan)
			}
			if !child(t, inner).Alive() || supervisorAlive(t, inner) == tt.innerOrphan {
				t.Errorf("inner child alive = %t, supervisor alive = %t, want true, %t", child(t, inner).Alive(), supervisorAlive(t, inner), !tt.innerOrphan)
			}
			if got := workFile(t, inner, "signals"); got != "" {
				t.Errorf("the inner child got %q, want nothing", got)
			}
		})
	}
}

func TestWhoAsksForTheLockIsNotKilled(t *testing.T) {
	t.Parallel()
	p := startReady(t, program(t, "stubborn"))
	asker := startOther(t, "asker", filepath.Join(p.Folder(), "lock"))
	if got := asker.line(t); got != "ready" {
		t.Fatalf("asker says %q, want ready", got)
	}
	send(t, supervisor(t, p), unix.SIGKILL)
	eventually(t, "the supervisor is gone", func() bool { return !supervisorAlive(t, p) })
	if err := os.WriteFile(filepath.Join(p.Folder(), "signalled"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	age(t, p, "signalled")
	stop(t, p)
	asker.stdin.Close()
	if err := asker.cmd.Wait(); err != nil {
		t.Errorf("a process that had opened the lock ended with %v, want it untouched", err)
	}
}
