package technologytest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// Start runs a stack's services as processes of this machine, until the end of
// the test, and returns the endpoints once all are ready.
func Start(t testing.TB, technologyName, stackName string, options map[string]any) json.RawMessage {
	t.Helper()
	return StartCluster(t, technologyName, stackName, options, nil).Endpoints
}

// Cluster is a stack's services, running.
type Cluster struct {
	Endpoints json.RawMessage
	services  map[string]*process
}

// process is one running service.
type process struct {
	pid    int
	dir    string
	exited chan struct{} // closed at its end
}

// StartCluster is [Start] for tests that look at the services or disturb them. The
// function change, if there is one, may alter each service before its start.
func StartCluster(t testing.TB, technologyName, stackName string, options map[string]any, change func(name string, s *Service)) *Cluster {
	t.Helper()
	planned, err := Evaluate(t, technologyName, stackName, options, nil)
	if err != nil {
		t.Fatal(err)
	}
	addresses := freeAddresses(t, planned.Groups)
	stack, err := Evaluate(t, technologyName, stackName, options, addresses)
	if err != nil {
		t.Fatal(err)
	}
	cluster := &Cluster{Endpoints: stack.Endpoints, services: map[string]*process{}}
	var waits []func()
	for name, s := range stack.Services {
		if s.Files == nil {
			s.Files = map[string]string{}
		}
		maps.Copy(s.Files, stack.Secrets[name])
		if change != nil {
			change(name, &s)
		}
		started, wait := startService(t, name, s, addresses[s.Group][s.Index])
		cluster.services[name] = started
		waits = append(waits, wait)
	}
	for _, wait := range waits {
		wait()
	}
	return cluster
}

// Signal sends a signal to all processes of a service.
func (c *Cluster) Signal(t testing.TB, name string, s syscall.Signal) {
	t.Helper()
	pid := c.services[name].pid
	if err := syscall.Kill(-pid, s); err != nil {
		t.Fatalf("signal %s to %s: %v", s, name, err)
	}
	for s == syscall.SIGSTOP && !stopped(t, pid) {
		runtime.Gosched() // a busy machine may let its threads run on for a moment
	}
}

// stopped reports whether all threads of a process stand still.
func stopped(t testing.TB, pid int) bool {
	t.Helper()
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	if err != nil || len(threads) == 0 {
		t.Fatalf("threads of process %d: %q, %v", pid, threads, err)
	}
	for _, file := range threads {
		stat, err := os.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) {
			continue // the thread has ended
		} else if err != nil {
			t.Fatal(err)
		}
		// The state follows the name, which is in brackets and may hold some itself.
		if state := stat[bytes.LastIndexByte(stat, ')')+1:]; !bytes.HasPrefix(state, []byte(" T")) {
			return false
		}
	}
	return true
}

// Exited is closed once a service has ended.
func (c *Cluster) Exited(name string) <-chan struct{} { return c.services[name].exited }

// Output is what a service has printed so far.
func (c *Cluster) Output(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(c.services[name].dir, outputFile))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// outputFile is where the output of a service is kept in its working folder.
const outputFile = "output.log"

// freeAddresses finds ports that nobody listens on.
func freeAddresses(t testing.TB, groups map[string]Group) map[string][]Address {
	t.Helper()
	addresses := map[string][]Address{}
	for name, group := range groups {
		for range group.Count {
			address := Address{Host: "127.0.0.1", Ports: map[string]int{}}
			for _, port := range group.Ports {
				listener := listen(t)
				defer listener.Close() // held until all are chosen, so that they differ
				address.Ports[port] = listener.Addr().(*net.TCPAddr).Port
			}
			addresses[name] = append(addresses[name], address)
		}
	}
	return addresses
}

// lastPort counts the ports that this process has asked for.
var lastPort atomic.Int64

// listen listens on a port that no outgoing connection can take once it is free again:
// Linux gives those numbers from 32768 on. The product's own are from 20000 on. Each
// process begins elsewhere, so that tests side by side do not take the same one.
func listen(t testing.TB) net.Listener {
	t.Helper()
	var last error
	for range 100 {
		listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 10_000+(int64(os.Getpid())*97+lastPort.Add(1))%10_000))
		if err == nil {
			return listener
		}
		last = err
	}
	t.Fatalf("find a free port: %v", last)
	return nil
}

// startService starts one process and returns it, and how to wait for its
// readiness.
func startService(t testing.TB, name string, s Service, at Address) (started *process, wait func()) {
	t.Helper()
	dir := t.TempDir()
	for path, content := range s.Files {
		if err := os.WriteFile(filepath.Join(dir, path), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	linkArtifacts(t, dir, s.Artifacts)
	program := s.Command[0]
	if strings.HasPrefix(program, "./") {
		program = filepath.Join(dir, program)
	}
	command := exec.Command(program, s.Command[1:]...)
	command.Dir = dir
	command.Env = []string{"PATH=/usr/bin:/bin"}
	for key, value := range s.Environment {
		command.Env = append(command.Env, key+"="+value)
	}
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	output := &logWatch{pattern: regexp.MustCompile(s.Readiness.Log), found: make(chan struct{})}
	file, err := os.Create(filepath.Join(dir, outputFile))
	if err != nil {
		t.Fatal(err)
	}
	reader, writer := io.Pipe()
	both := io.MultiWriter(file, writer)
	command.Stdout, command.Stderr = both, both
	if err := command.Start(); err != nil {
		t.Fatalf("start %s: %v", name, err)
	}
	exited := make(chan struct{})
	go output.read(reader)
	go func() {
		err := command.Wait()
		writer.CloseWithError(errors.Join(io.EOF, err))
		file.Close()
		close(exited)
	}()
	t.Cleanup(func() { stop(t, name, command.Process.Pid, exited, time.Duration(s.Grace*float64(time.Second))) })
	return &process{pid: command.Process.Pid, dir: dir, exited: exited}, func() {
		t.Helper()
		select {
		case <-output.found:
		case <-exited:
			t.Fatalf("%s ended before it was ready:\n%s", name, output.tail())
		case <-time.After(time.Duration(s.Readiness.Timeout * float64(time.Second))):
			t.Fatalf("%s is not ready after %v s:\n%s", name, s.Readiness.Timeout, output.tail())
		}
		awaitPort(t, name, at, s.Readiness.Port)
	}
}

// linkArtifacts links artifacts into the working folder of a service.
func linkArtifacts(t testing.TB, dir string, artifacts map[string]string) {
	t.Helper()
	for link, artifact := range artifacts {
		if artifact == AgentArtifact {
			if err := os.Symlink(buildAgent(t), filepath.Join(dir, link)); err != nil {
				t.Fatal(err)
			}
			continue
		}
		artifactName, version, _ := strings.Cut(artifact, "@")
		if err := os.Symlink(tool(t, filepath.Join("artifacts", artifactName, version)), filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
}

// awaitPort wants a ready service to accept connections.
func awaitPort(t testing.TB, name string, at Address, port string) {
	t.Helper()
	if port == "" {
		return
	}
	address := &net.TCPAddr{IP: net.ParseIP(at.Host), Port: at.Ports[port]}
	conn, err := net.DialTimeout("tcp", address.String(), 10*time.Second)
	if err != nil {
		t.Fatalf("%s says it is ready, but port %s refuses: %v", name, port, err)
	}
	conn.Close()
}

// stop asks a process group to end, and kills it after the grace.
func stop(t testing.TB, name string, pid int, exited <-chan struct{}, grace time.Duration) {
	t.Helper()
	signal := func(s syscall.Signal) {
		if err := syscall.Kill(-pid, s); err != nil && !errors.Is(err, syscall.ESRCH) {
			t.Errorf("signal %s to %s: %v", s, name, err)
		}
	}
	signal(syscall.SIGTERM)
	select {
	case <-exited:
		return
	case <-time.After(grace):
	}
	signal(syscall.SIGKILL)
	<-exited
}

// logWatch looks for a line in an output and keeps its end.
type logWatch struct {
	pattern *regexp.Regexp
	found   chan struct{} // closed at the first match

	mu    sync.Mutex // protects the following
	lines []string
}

const keptLines = 40

func (w *logWatch) read(r io.Reader) {
	matched := false
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		w.mu.Lock()
		w.lines = append(w.lines, lines.Text())
		if len(w.lines) > keptLines {
			w.lines = w.lines[1:]
		}
		w.mu.Unlock()
		if !matched && w.pattern.MatchString(lines.Text()) {
			matched = true
			close(w.found)
		}
	}
	io.Copy(io.Discard, r)
}

func (w *logWatch) tail() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Join(w.lines, "\n")
}

// buildAgent builds dec-agent and returns its folder.
func buildAgent(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	build := exec.Command("go", "build", "-trimpath", "-o", dir+"/", "dec.local/dec/cmd/dec-agent") // as make builds: it is compiled already
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build dec-agent: %v\n%s", err, output)
	}
	return dir
}
