package supervise_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"dec.local/dec/internal/supervise"
	"go.uber.org/goleak"
)

// patience bounds what must happen at once, on a machine that is busy.
const patience = 60 * time.Second

func TestMain(m *testing.M) {
	if mode := os.Getenv(modeVariable); mode != "" {
		os.Exit(runMode(mode, os.Args[1:]))
	}
	supervise.Main(sidecars)
	goleak.VerifyTestMain(m)
}

// program returns a spec of this very program in one of its modes; see modes.
func program(t *testing.T, mode string, args ...string) supervise.Spec {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return supervise.Spec{
		Name:        mode,
		Command:     append([]string{exe}, args...),
		Environment: map[string]string{modeVariable: mode},
		Readiness:   supervise.Readiness{Log: "^ready$", Timeout: patience},
		Grace:       patience,
	}
}

// start starts a process and sees to it that nothing of it outlives the test.
func start(t *testing.T, spec supervise.Spec, secrets supervise.Secrets) *supervise.Process {
	t.Helper()
	p, err := supervise.Start(t.Context(), filepath.Join(t.TempDir(), "process"), spec, secrets)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { end(t, p) })
	return p
}

// startReady starts a process and waits until it is ready.
func startReady(t *testing.T, spec supervise.Spec) *supervise.Process {
	t.Helper()
	p := start(t, spec, supervise.Secrets{})
	waitReady(t, p)
	return p
}

// end kills what lives of a process, so that cleaning up takes no grace period.
func end(t *testing.T, p *supervise.Process) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if id, err := p.Child(); err == nil {
		send(t, id, syscall.SIGKILL)
	}
	if err := p.Stop(ctx); err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Stop() at the end of the test = %v", err)
	}
}

func waitReady(t *testing.T, p *supervise.Process) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := p.WaitReady(ctx); err != nil {
		t.Fatalf("WaitReady() = %v, want nil", err)
	}
}

// wait waits for the end of a process and returns its record.
func wait(t *testing.T, p *supervise.Process) supervise.Exit {
	t.Helper()
	exit, err := waitAny(t, p)
	if err != nil {
		t.Fatalf("Wait() = %v, want a record", err)
	}
	return exit
}

func waitAny(t *testing.T, p *supervise.Process) (supervise.Exit, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	return p.Wait(ctx)
}

func stop(t *testing.T, p *supervise.Process) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := p.Stop(ctx); err != nil {
		t.Fatalf("Stop() = %v, want nil", err)
	}
}

func alive(t *testing.T, p *supervise.Process) bool {
	t.Helper()
	alive, err := p.Alive()
	if err != nil {
		t.Fatalf("Alive() = %v", err)
	}
	return alive
}

func supervisorAlive(t *testing.T, p *supervise.Process) bool {
	t.Helper()
	alive, err := p.SupervisorAlive()
	if err != nil {
		t.Fatalf("SupervisorAlive() = %v", err)
	}
	return alive
}

// child and supervisor return identities that must be there.
func child(t *testing.T, p *supervise.Process) supervise.Identity {
	t.Helper()
	id, err := p.Child()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func supervisor(t *testing.T, p *supervise.Process) supervise.Identity {
	t.Helper()
	id, err := p.Supervisor()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// send sends a signal to a process that may have ended.
func send(t *testing.T, id supervise.Identity, sig syscall.Signal) {
	t.Helper()
	if err := id.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Fatalf("Signal(%s) = %v", sig, err)
	}
}

// eventually waits until what is described is so.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	over := time.After(patience)
	for !is() {
		select {
		case <-tick.C:
		case <-over:
			t.Fatalf("after %s it is still not so that %s", patience, what)
		}
	}
}

// workFile returns the content of a file in the working folder, "" if there is
// none.
func workFile(t *testing.T, p *supervise.Process, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(p.Folder(), "work", name))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return string(data)
}

// stdout returns what the child has printed.
func stdout(t *testing.T, p *supervise.Process) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(p.Folder(), "stdout.log"))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// other is another process of this program in one of its modes.
type other struct {
	cmd   *exec.Cmd
	lines *bufio.Reader
	stdin io.WriteCloser
}

// startOther starts another process that ends with its standard input.
func startOther(t *testing.T, mode string, args ...string) *other {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, args...)
	cmd.Env = append(os.Environ(), modeVariable+"="+mode)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
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
	o := &other{cmd: cmd, lines: bufio.NewReader(out), stdin: stdin}
	t.Cleanup(func() { o.kill() })
	return o
}

// line returns the next line that the process prints.
func (o *other) line(t *testing.T) string {
	t.Helper()
	line, err := o.lines.ReadString('\n')
	if err != nil {
		t.Fatalf("read a line of another process: %v", err)
	}
	return strings.TrimSpace(line)
}

func (o *other) kill() {
	if o.cmd.ProcessState == nil {
		_ = o.cmd.Process.Kill()
		_ = o.cmd.Wait()
	}
}

// startBy lets another process start the spec, and returns both.
func startBy(t *testing.T, spec supervise.Spec) (*other, *supervise.Process) {
	t.Helper()
	data, err := json.Marshal(spec)
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(t.TempDir(), "process")
	o := startOther(t, "starter", folder, string(data))
	if got := o.line(t); got != "started" {
		t.Fatalf("starter says %q, want started", got)
	}
	p, err := supervise.Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { end(t, p) })
	return o, p
}
