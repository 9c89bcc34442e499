// Package e2e runs the product as a user would: the real command with real
// brokers, real OpenTofu and real agents, and kills them.
package e2e

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"dec.local/dec/e2e/fakecloud/simulator"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/store/pgtest"
	"dec.local/dec/internal/supervise"
)

var programs = flag.String("programs", "", "folder of the programs under test, if they are built already")

// binaries is the folder of the programs under test, built once per test run.
var binaries string

func TestMain(m *testing.M) {
	supervise.Main(nil)
	simulator.Main()
	flag.Parse()
	os.Exit(func() int {
		defer pgtest.Stop()
		if binaries = *programs; binaries != "" {
			return m.Run()
		}
		dir, err := os.MkdirTemp("", "dec-e2e-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		build := exec.Command("go", "build", "-trimpath", "-o", dir, "./cmd/...")
		build.Dir = ".."
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build: %v\n%s", err, out)
			return 1
		}
		binaries = dir
		return m.Run()
	}())
}

// installation is one data folder with its ledger, apart from all others.
type installation struct {
	t        *testing.T
	dir      string
	folder   string   // name of the data folder; "data" if empty
	programs string   // folder of dec and what lies beside it; binaries if empty
	files    int      // files that one dec may have open; no limit of its own if 0
	env      []string // further variables of each dec
}

func newInstallation(t *testing.T) *installation {
	t.Helper()
	if _, err := os.Stat("../.tools/bin/tofu"); err != nil {
		t.Fatalf("no tools: run make setup (%v)", err)
	}
	return &installation{t: t, dir: t.TempDir()}
}

func (w *installation) data() string { return filepath.Join(w.dir, cmp.Or(w.folder, "data")) }

func (w *installation) tools() string {
	w.t.Helper()
	tools, err := filepath.Abs("../.tools")
	if err != nil {
		w.t.Fatal(err)
	}
	return tools
}

// file writes a plan and returns its path.
func (w *installation) file(content string) string {
	w.t.Helper()
	f, err := os.CreateTemp(w.dir, "plan-*.yaml")
	if err != nil {
		w.t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(content); err != nil {
		w.t.Fatal(err)
	}
	return f.Name()
}

func (w *installation) command(args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(cmp.Or(w.programs, binaries), "dec"), args...)
	if w.files > 0 {
		cmd = exec.Command("sh", append([]string{"-c", fmt.Sprintf(`ulimit -n %d && exec "$0" "$@"`, w.files), cmd.Path}, args...)...)
	}
	cmd.Env = []string{
		"HOME=" + w.dir, "PATH=" + os.Getenv("PATH"),
		"DEC_DATA=" + w.data(), "DEC_TOOLS=" + w.tools(), "DEC_LOCAL_LEDGER=" + filepath.Join(w.dir, "ledger"),
	}
	cmd.Env = append(cmd.Env, w.env...)
	return cmd
}

// outcome is what a finished dec left.
type outcome struct {
	code           int
	stdout, stderr string
}

// answered reports whether an experiment came to its end. On a busy machine its
// runs may not be valid (3); that is an answer, and a true one.
func (o outcome) answered() bool { return o.code == 0 || o.code == 3 }

// dec runs a command to its end.
func (w *installation) dec(args ...string) outcome {
	w.t.Helper()
	p := w.start(args...)
	return p.wait()
}

// process is a dec that is running.
type process struct {
	w      *installation
	cmd    *exec.Cmd
	stdout bytes.Buffer
	lines  *lineWatch
	done   chan struct{}
}

func (w *installation) start(args ...string) *process {
	w.t.Helper()
	p := &process{w: w, cmd: w.command(args...), lines: newLineWatch(), done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = &p.stdout, p.lines
	if args[0] == "serve" { // what it prints is read while it runs
		p.cmd.Stdout = p.lines
	}
	if err := p.cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	go func() {
		defer close(p.done)
		_ = p.cmd.Wait() // the exit code is read from ProcessState
		p.lines.close()
	}()
	w.t.Cleanup(func() {
		_ = p.cmd.Process.Kill() // an error means that it has ended
		<-p.done
	})
	return p
}

// awaitLine blocks until a line of the progress contains text.
func (p *process) awaitLine(text string) {
	p.w.t.Helper()
	ctx, cancel := context.WithTimeout(p.w.t.Context(), 2*time.Minute)
	defer cancel()
	if !p.lines.await(ctx, text) {
		p.w.t.Fatalf("no line with %q came from dec; it said:\n%s", text, p.lines.text())
	}
}

func (p *process) wait() outcome {
	p.w.t.Helper()
	select {
	case <-p.done:
	case <-time.After(8 * time.Minute):
		p.w.t.Fatalf("dec %v does not end; it said:\n%s", p.cmd.Args[1:], p.lines.text())
	}
	return outcome{code: p.cmd.ProcessState.ExitCode(), stdout: p.stdout.String(), stderr: p.lines.text()}
}

// lineWatch collects output and wakes who waits for a text in it.
type lineWatch struct {
	mu      sync.Mutex // protects the following
	buf     bytes.Buffer
	changed chan struct{}
	closed  bool
}

var _ io.Writer = (*lineWatch)(nil)

func newLineWatch() *lineWatch { return &lineWatch{changed: make(chan struct{})} }

func (l *lineWatch) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.buf.Write(b)
	close(l.changed)
	l.changed = make(chan struct{})
	return len(b), nil
}

func (l *lineWatch) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	close(l.changed)
	l.changed = make(chan struct{})
}

func (l *lineWatch) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func (l *lineWatch) await(ctx context.Context, text string) bool {
	for {
		l.mu.Lock()
		found, closed, changed := strings.Contains(l.buf.String(), text), l.closed, l.changed
		l.mu.Unlock()
		if found || closed {
			return found
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return false
		}
	}
}

// inventory is what the ledger holds.
func (w *installation) inventory() []experiment.Object {
	w.t.Helper()
	out := w.dec("inventory", "--json")
	var listed struct {
		Objects []experiment.Object `json:"objects"`
	}
	if err := json.Unmarshal([]byte(out.stdout), &listed); err != nil {
		w.t.Fatalf("dec inventory --json printed %q: %v", out.stdout, err)
	}
	return listed.Objects
}

// assertNothingLeft fails when a process, a port or an entry of this installation is left.
func (w *installation) assertNothingLeft() {
	w.t.Helper()
	if objects := w.inventory(); len(objects) > 0 {
		w.t.Errorf("the ledger still holds %v", objects)
	}
	for _, p := range w.processes() {
		w.t.Errorf("process %d is left: %s", p.pid, p.command)
	}
}

// found is a process of this installation.
type found struct {
	pid     int
	command string
}

// processes lists every process that was started below this installation's folder: its
// working folder, executable or environment names it.
func (w *installation) processes() []found {
	w.t.Helper()
	entries, err := os.ReadDir("/proc")
	if err != nil {
		w.t.Fatal(err)
	}
	var list []found
	for _, entry := range entries {
		var pid int
		if _, err := fmt.Sscanf(entry.Name(), "%d", &pid); err != nil || pid == os.Getpid() {
			continue
		}
		dir := filepath.Join("/proc", entry.Name())
		command, err := os.ReadFile(filepath.Join(dir, "cmdline"))
		if err != nil || len(command) == 0 {
			continue // gone, a zombie, or a kernel thread
		}
		environ, err := os.ReadFile(filepath.Join(dir, "environ"))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			continue
		}
		cwd, _ := os.Readlink(filepath.Join(dir, "cwd")) // empty when the process has gone
		if strings.Contains(string(environ)+string(command)+cwd, w.dir) {
			list = append(list, found{pid, strings.ReplaceAll(string(command), "\x00", " ")})
		}
	}
	return list
}
