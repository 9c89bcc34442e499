package orchestrator_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/orchestrator"
	"dec.local/dec/internal/store"
	"dec.local/dec/internal/store/pgtest"
)

// open opens a server for a test.
func openServer(t *testing.T, url, owner string, i *sharedInfra, change ...func(*orchestrator.Options)) *server {
	t.Helper()
	s, err := serve(t.Context(), url, owner, i, change...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Two engines on one database start nothing twice, and use all slots of a
// target and no more.
func TestTwoEngines(t *testing.T) {
	const runs, slots = 24, 3
	url := pgtest.URL(t)
	var loading atomic.Int32
	all := make(chan struct{}) // closed when all slots are loaded at once
	r := newSharedInfra(func(ctx context.Context, _ string) error {
		if loading.Add(1) == slots {
			close(all)
		}
		select {
		case <-all:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	first, second := openServer(t, url, "first", r), openServer(t, url, "second", r)
	first.submitFar(t, runs, slots)
	first.run(t)
	second.run(t)
	for range runs {
		var e experiment.Event
		select {
		case e = <-first.ended:
		case e = <-second.ended:
		}
		if e.Message != "succeeded" {
			t.Errorf("run %s: %s, want succeeded", e.Run, e.Message)
		}
	}
	r.checkOnce(t, runs)
	if r.most != slots {
		t.Errorf("%d runs were alive at once, want %d", r.most, slots)
	}
}

// A drain that one server was asked for keeps all servers from starting runs;
// once it is taken back, they go on.
func TestDrainOfTwoEngines(t *testing.T) {
	url := pgtest.URL(t)
	began, goOn := make(chan string, 10), make(chan struct{})
	r := newSharedInfra(func(ctx context.Context, run string) error {
		began <- run
		<-goOn
		return nil
	})
	first, second := openServer(t, url, "first", r), openServer(t, url, "second", r)
	first.submitFar(t, 3, 1)
	first.run(t)
	second.run(t)
	<-began
	d, err := second.store.RequestDrain(t.Context(), "ci", time.Hour)
	if err != nil || len(d.Active) != 1 || !d.GrantedAt.IsZero() || d.Queued != 2 {
		t.Errorf("RequestDrain() = %+v, %v, want it to wait for one run", d, err)
	}
	goOn <- struct{}{}
	for d.GrantedAt.IsZero() && err == nil {
		d, err = second.store.PollDrain(t.Context(), time.Hour)
	}
	if err != nil || len(began) > 0 {
		t.Errorf("PollDrain(): %v, %d runs began meanwhile, want none", err, len(began))
	}
	if err := second.store.EndDrain(t.Context()); err != nil {
		t.Fatal(err)
	}
	close(goOn)
	for range 2 {
		<-began
	}
}

// A server that is killed, or stopped, in the middle of a run loses it to the
// other within the lease and 5 seconds. When it wakes up, it writes nothing.
func TestTakeOver(t *testing.T) {
	for name, signal := range map[string]syscall.Signal{"killed": syscall.SIGKILL, "stopped": syscall.SIGSTOP} {
		t.Run(name, func(t *testing.T) {
			url := pgtest.URL(t)
			r := newSharedInfra(func(context.Context, string) error { return nil })
			s := openServer(t, url, "second", r, func(o *orchestrator.Options) { o.Lease = lease })
			submitted := s.submitFar(t, 1, 1)[0]
			run := submitted.ID
			child := startServer(t, url)
			child.expect(t, "load "+run)
			// Nobody repeats the run that is about to fail.
			if _, err := s.store.Stop(t.Context(), submitted.Experiment, "one run is enough", experiment.Receipt{}); err != nil {
				t.Fatal(err)
			}
			if err := child.cmd.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			asked, err := s.store.Now(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			s.run(t)
			if e := <-s.ended; e.Run != run || e.Message != "failed: interrupted: the server was killed in phase load" {
				t.Errorf("the other server ended %+v, want %s as interrupted", e, run)
			}
			taken := takenOver(t, s.store, run)
			if after := taken.Sub(asked); after > lease+5*time.Second {
				t.Errorf("taken over after %s, want it within the lease and 5 s", after)
			}
			if signal == syscall.SIGSTOP {
				checkFenced(t, s.store, child, run)
			}
			child.end(t)
		})
	}
}

// takenOver returns when a run was found interrupted.
func takenOver(t *testing.T, s *store.Store, run string) time.Time {
	t.Helper()
	stored, err := s.Run(t.Context(), run)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range stored.Phases {
		if p.Phase == experiment.PhaseDestroy {
			return p.At
		}
	}
	t.Fatalf("run %s went through %v, want destroy", run, stored.Phases)
	return time.Time{}
}

// checkFenced wakes a stopped server up: it must notice that it lost the run, and
// change nothing of it.
func checkFenced(t *testing.T, s *store.Store, child *child, run string) {
	t.Helper()
	before, err := s.Run(t.Context(), run)
	if err != nil {
		t.Fatal(err)
	}
	if err := child.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	child.expect(t, "load ended: "+experiment.ErrFenced.Error())
	child.end(t)
	after, err := s.Run(t.Context(), run)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "the run after its first server woke up", after, before)
}

// A Postgres that is started again in the middle of a run interrupts nothing.
func TestPostgresRestart(t *testing.T) {
	pg, err := pgtest.Start()
	if err != nil {
		t.Fatal(err)
	}
	defer pg.Stop()
	began, goOn := make(chan struct{}), make(chan struct{})
	r := newSharedInfra(func(context.Context, string) error {
		began <- struct{}{}
		<-goOn
		return nil
	})
	s := openServer(t, pg.URL(t), "first", r)
	s.submitFar(t, 4, 2)
	stop := s.run(t)
	defer stop()
	for range 2 {
		<-began
		<-began
		pg.Halt()
		goOn <- struct{}{} // both go on to collect while there is no database
		goOn <- struct{}{}
		if err := pg.Launch(); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if e := <-s.ended; e.Message != "succeeded" {
				t.Errorf("run %s: %s, want succeeded", e.Run, e.Message)
			}
		}
	}
	r.checkOnce(t, 4)
}

// child is a server in a process of its own.
type child struct {
	cmd   *exec.Cmd
	lines *bufio.Scanner
	stdin io.Closer
	over  bool
}

// startServer starts the test binary as a server on a database.
func startServer(t *testing.T, url string) *child {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "ORCHESTRATOR_TEST_DATABASE="+url)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c := &child{cmd: cmd, lines: bufio.NewScanner(out), stdin: in}
	t.Cleanup(func() { c.end(t) })
	return c
}

// expect waits for a line of the child.
func (c *child) expect(t *testing.T, want string) {
	t.Helper()
	if !c.lines.Scan() || c.lines.Text() != want {
		t.Fatalf("the other process said %q, want %q", c.lines.Text(), want)
	}
}

// end lets the child come to its end, if it has not yet.
func (c *child) end(t *testing.T) {
	t.Helper()
	if c.over {
		return
	}
	c.over = true
	c.stdin.Close()
	for c.lines.Scan() {
		t.Errorf("the other process said %q, want nothing more", c.lines.Text())
	}
	if err := c.cmd.Wait(); err != nil && !strings.Contains(err.Error(), "killed") {
		t.Errorf("the other process: %v", err)
	}
}

// childMain is a server that loads one run for ever and says what happens to it,
// until its standard input ends.
func childMain(url string) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	r := newSharedInfra(func(ctx context.Context, run string) error {
		fmt.Println("load " + run)
		<-ctx.Done()
		fmt.Println("load ended:", context.Cause(ctx))
		return ctx.Err()
	})
	s, err := serve(ctx, url, "first", r, func(o *orchestrator.Options) { o.Lease = lease })
	if err != nil {
		return err
	}
	if err := s.Run(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return s.store.Close()
}
