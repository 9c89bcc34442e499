package technologytest

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Start runs a stack's services as processes of this machine, until the end of
// the test, and returns the endpoints once all are ready.
func Start(t testing.TB, technologyName, stackName string, options map[string]any) json.RawMessage {
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
	var waits []func()
	for name, s := range stack.Services {
		if s.Files == nil {
			s.Files = map[string]string{}
		}
		maps.Copy(s.Files, stack.Secrets[name])
		waits = append(waits, startService(t, name, s, addresses[s.Group][s.Index]))
	}
	for _, wait := range waits {
		wait()
	}
	return stack.Endpoints
}

// freeAddresses finds ports that nobody listens on.
func freeAddresses(t testing.TB, groups map[string]Group) map[string][]Address {
	t.Helper()
	addresses := map[string][]Address{}
	for name, group := range groups {
		for range group.Count {
			address := Address{Host: "127.0.0.1", Ports: map[string]int{}}
			for _, port := range group.Ports {
				listener, err := net.Listen("tcp", "127.0.0.1:0")
				if err != nil {
					t.Fatalf("find a free port: %v", err)
				}
				defer listener.Close() // held until all are chosen, so that they differ
				address.Ports[port] = listener.Addr().(*net.TCPAddr).Port
			}
			addresses[name] = append(addresses[name], address)
		}
	}
	return addresses
}

// startService starts one process and returns how to wait for its readiness.
func startService(t testing.TB, name string, s Service, at Address) (wait func()) {
	t.Helper()
	dir := t.TempDir()
	for path, content := range s.Files {
		if err := os.WriteFile(filepath.Join(dir, path), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for link, artifact := range s.Artifacts {
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
	reader, writer := io.Pipe()
	command.Stdout, command.Stderr = writer, writer
	if err := command.Start(); err != nil {
		t.Fatalf("start %s: %v", name, err)
	}
	exited := make(chan struct{})
	go output.read(reader)
	go func() {
		err := command.Wait()
		writer.CloseWithError(errors.Join(io.EOF, err))
		close(exited)
	}()
	t.Cleanup(func() { stop(t, name, command.Process.Pid, exited, time.Duration(s.Grace*float64(time.Second))) })
	return func() {
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
	build := exec.Command("go", "build", "-o", dir+"/", "dec.local/dec/cmd/dec-agent")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build dec-agent: %v\n%s", err, output)
	}
	return dir
}
