// Package deploy_test lints what deploys the server, and carries out those of
// its steps that need no container engine.
package deploy_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"go.yaml.in/yaml/v4"
)

// run runs a command and returns its output and whether it succeeded.
func run(t *testing.T, env []string, name string, args ...string) (string, bool) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		t.Fatalf("%s: %v; run it with 'make test', which installs the linters", name, err)
	}
	return string(out), err == nil
}

var shebang = regexp.MustCompile(`^#!.*\b(ba)?sh\n`)

// shellScripts returns every script of the repository that bash or sh reads.
func shellScripts(t *testing.T) []string {
	t.Helper()
	var scripts []string
	for _, pattern := range []string{"*", "*/*", "../.ci/*", "../bench/*", "../tools/*", "../tools/*/*", "../technology/*/tools/*", "../e2e/long/*"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			info, err := os.Stat(file)
			if err != nil {
				t.Fatal(err)
			}
			if info.Mode().IsRegular() && shebang.MatchString(read(t, file)) {
				scripts = append(scripts, file)
			}
		}
	}
	return scripts
}

func TestLinters(t *testing.T) {
	scripts := shellScripts(t)
	if len(scripts) < 10 {
		t.Errorf("found only the scripts %q", scripts)
	}
	for name, args := range map[string][]string{
		"hadolint":   {"../.tools/python/bin/hadolint", "Dockerfile"},
		"shellcheck": append([]string{"../.tools/python/bin/shellcheck"}, scripts...),
		"dclint":     {"../.tools/lint/node_modules/.bin/dclint", "-c", ".dclintrc.json", "compose.yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if out, ok := run(t, nil, args[0], args[1:]...); !ok {
				t.Errorf("%s", out)
			}
		})
	}
}

// The image must not hold what a build must not see, and must run as a user
// without rights.
func TestDockerfile(t *testing.T) {
	content := read(t, "Dockerfile")
	_, last, _ := strings.Cut(content, "FROM eclipse-temurin")
	for _, want := range []string{"USER 10001", "HEALTHCHECK", "STOPSIGNAL SIGTERM", "VOLUME /var/lib/dec", `CMD ["serve"]`} {
		if !strings.Contains(last, want) {
			t.Errorf("the last stage lacks %q", want)
		}
	}
	for line := range strings.Lines(content) {
		if source, ok := strings.CutPrefix(line, "COPY "); ok && !strings.HasPrefix(source, "--from") {
			for _, path := range strings.Fields(source)[:len(strings.Fields(source))-1] {
				if _, err := os.Stat(filepath.Join("..", path)); err != nil {
					t.Errorf("COPY %s: %v", path, err)
				}
			}
		}
	}
}

func TestSystemdUnit(t *testing.T) {
	unit := map[string][]string{}
	for line := range strings.Lines(read(t, "systemd/dec.service")) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && !strings.HasPrefix(line, "#") {
			unit[key] = append(unit[key], value)
		}
	}
	for key, want := range map[string]string{"KillMode": "process", "Restart": "on-failure", "User": "dec", "KillSignal": "SIGTERM", "Type": "exec"} {
		if got := unit[key]; !slices.Equal(got, []string{want}) {
			t.Errorf("%s = %q, want %q", key, got, want)
		}
	}
}

func TestBuildspec(t *testing.T) {
	var spec struct {
		Version string
		Phases  map[string]struct{ Commands []string }
	}
	if err := yaml.Unmarshal([]byte(read(t, "codebuild/buildspec.yml")), &spec); err != nil {
		t.Fatal(err)
	}
	after := spec.Phases["post_build"].Commands
	drain := slices.IndexFunc(after, func(c string) bool { return strings.Contains(c, "await-drain") })
	replace := slices.IndexFunc(after, func(c string) bool { return strings.Contains(c, "apply") })
	if drain < 0 || replace < drain {
		t.Errorf("post_build = %q, want the drain before the server is replaced", after)
	}
}

// listener answers as a server does at each poll, and the last answer for ever.
func listener(t *testing.T, answers ...int) (url string, methods func() []string) {
	var mu sync.Mutex
	var seen []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if got := r.Header.Get("Authorization"); got != "Bearer s3cret" {
			t.Errorf("Authorization = %q", got)
		}
		seen = append(seen, r.Method)
		w.WriteHeader(answers[min(len(seen), len(answers))-1])
		fmt.Fprintln(w, `{"state":"draining"}`)
	}))
	t.Cleanup(server.Close)
	return server.URL, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(seen)
	}
}

func await(t *testing.T, url, limit string) (string, bool) {
	return run(t, []string{"DEC_URL=" + url, "DEC_TOKEN=s3cret", "DEC_POLL_SECONDS=0"}, "codebuild/await-drain", limit)
}

func TestAwaitDrain(t *testing.T) {
	t.Run("deferred and then granted", func(t *testing.T) {
		url, methods := listener(t, 409, 409, 200)
		out, ok := await(t, url, "60")
		if !ok || strings.Count(out, "deferred") != 2 || !strings.Contains(out, "may be replaced") {
			t.Errorf("await-drain = %t:\n%s", ok, out)
		}
		if got := methods(); len(got) != 3 {
			t.Errorf("requests = %q", got)
		}
	})
	t.Run("gives up and takes the drain back", func(t *testing.T) {
		url, methods := listener(t, 409)
		if out, ok := await(t, url, "0"); ok || !strings.Contains(out, "the drain was cancelled") {
			t.Errorf("await-drain = %t:\n%s", ok, out)
		}
		if got := methods(); !slices.Equal(got, []string{"POST", "DELETE"}) {
			t.Errorf("requests = %q", got)
		}
	})
	t.Run("a refusal is an error", func(t *testing.T) {
		url, _ := listener(t, 401)
		if out, ok := await(t, url, "60"); ok || !strings.Contains(out, "status 401") {
			t.Errorf("await-drain = %t:\n%s", ok, out)
		}
	})
	t.Run("no server is nothing to wait for", func(t *testing.T) {
		free, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		free.Close()
		if out, ok := await(t, "http://"+free.Addr().String(), "60"); !ok || !strings.Contains(out, "nothing to wait for") {
			t.Errorf("await-drain = %t:\n%s", ok, out)
		}
	})
}

// TestLayout lays an installation out as the image has it, starts the server
// from it with the image's settings, and asks after its health.
func TestLayout(t *testing.T) {
	dir := t.TempDir()
	if out, ok := run(t, nil, "./layout", dir, runtime.GOARCH, "../.tools"); !ok {
		t.Fatalf("%s\n'make tools' installs what it takes from .tools", out)
	}
	if out, _ := run(t, nil, "find", filepath.Join(dir, "tools", "artifacts"), "-maxdepth", "2", "-xtype", "l"); out != "" {
		t.Errorf("links that lead nowhere:\n%s", out)
	}
	for _, node := range []string{"amd64", "arm64"} {
		if _, err := os.Stat(filepath.Join(dir, "agents", "linux_"+node, "dec-agent")); err != nil {
			t.Error(err)
		}
	}
	server := exec.CommandContext(t.Context(), filepath.Join(dir, "bin", "dec"), "serve")
	server.Env = []string{"DEC_DATA=" + filepath.Join(dir, "data"), "DEC_TOOLS=" + filepath.Join(dir, "tools"),
		"DEC_LISTEN=127.0.0.1:0", "DEC_LOG_FORMAT=json", "XDG_STATE_HOME=" + filepath.Join(dir, "state")}
	stdout, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	first, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("the server said nothing: %v", err)
	}
	listen := "DEC_LISTEN=" + strings.Fields(first[strings.LastIndex(first, "://")+3:])[0]
	if out, ok := run(t, []string{listen}, filepath.Join(dir, "healthcheck")); !ok {
		t.Errorf("healthcheck of a server that is alive, %s: %s", listen, out)
	}
	if err := server.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := server.Wait(); err != nil {
		t.Errorf("the server ended with %v on SIGTERM", err)
	}
	if out, ok := run(t, []string{listen}, filepath.Join(dir, "healthcheck")); ok {
		t.Errorf("healthcheck of a server that is gone = ok: %s", out)
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
