package cli

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/datadir"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/target/all"
)

// programs puts what must be next to dec there. It is not real: nothing is run.
func programs(t *testing.T, home string) {
	t.Helper()
	for _, program := range []string{"dec-agent", "terraform-provider-dec"} {
		path := filepath.Join(home, "bin", program)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

// seen is a writer that closes a channel when a text was written.
type seen struct {
	text  string
	found chan struct{}

	mu  sync.Mutex // protects the following
	all bytes.Buffer
}

func (s *seen) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := strings.Contains(s.all.String(), s.text)
	n, err := s.all.Write(b)
	if !before && strings.Contains(s.all.String(), s.text) {
		close(s.found)
	}
	return n, err
}

// service is a dec serve of this process.
type service struct {
	home       string
	stdout     *seen
	stderr     bytes.Buffer // to be read when it has ended
	interrupts chan os.Signal
	code       chan int
}

// startService starts dec serve on the data folder "data" in home.
func startService(t *testing.T, home string) *service {
	t.Helper()
	programs(t, home)
	s := &service{
		home: home, stdout: &seen{text: "DEC is running", found: make(chan struct{})}, interrupts: make(chan os.Signal, 2), code: make(chan int, 1),
	}
	env := &Env{
		Args:   append(tools(t), "serve", "--listen", "127.0.0.1:0", "--data", filepath.Join(home, "data")),
		Stdout: s.stdout, Stderr: &s.stderr, Getenv: func(string) string { return "" },
		Executable: filepath.Join(home, "bin", "dec"), Targets: all.Targets(), Interrupts: s.interrupts,
	}
	go func() { s.code <- Main(t.Context(), env) }()
	return s
}

// awaitStart waits until the server answers.
func (s *service) awaitStart(t *testing.T) {
	t.Helper()
	select {
	case <-s.stdout.found:
	case code := <-s.code:
		t.Fatalf("dec serve = exit %d\n%s", code, s.stderr.String())
	}
}

// terminate ends the server and returns its log.
func (s *service) terminate(t *testing.T) string {
	t.Helper()
	s.interrupts <- syscall.SIGTERM
	if code := <-s.code; code != exitOK {
		t.Errorf("dec serve after SIGTERM = exit %d\n%s", code, s.stderr.String())
	}
	return s.stderr.String()
}

func TestServeTellsTheSignalByName(t *testing.T) {
	s := startService(t, t.TempDir())
	s.awaitStart(t)
	log := s.terminate(t)
	for _, want := range []string{`"signal":"SIGTERM"`, `"msg":"the server stopped"`} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %s:\n%s", want, log)
		}
	}
}

func TestServeWaitsForACommandThatHoldsTheFolder(t *testing.T) {
	home := t.TempDir()
	lock, err := (&datadir.Folders{Data: filepath.Join(home, "data")}).Lock()
	if err != nil {
		t.Fatal(err)
	}
	s := startService(t, home)
	select {
	case code := <-s.code:
		t.Fatalf("dec serve on a folder in use = exit %d at once\n%s", code, s.stderr.String())
	case <-time.After(300 * time.Millisecond):
	}
	lock.Close()
	s.awaitStart(t)
	s.terminate(t)
}

func TestReconcileNamesTheServerAtWork(t *testing.T) {
	s := startService(t, t.TempDir())
	s.awaitStart(t)
	data := filepath.Join(s.home, "data")
	code, _, errs := call(t, map[string]string{"HOME": s.home}, append(tools(t), "reconcile", "--data", data)...)
	if code != exitFailed || !strings.Contains(errs, "'dec shutdown --wait', then 'dec reconcile'") {
		t.Errorf("dec reconcile beside a server = exit %d, %q, want %d and what to do", code, errs, exitFailed)
	}
	vars := map[string]string{"HOME": s.home, "DEC_TOKEN": "wrong"}
	code, _, errs = call(t, vars, append(tools(t), "experiments", "list", "--data", data)...)
	if code != exitFailed || !strings.Contains(errs, "DEC_TOKEN") || strings.Contains(errs, "in use") {
		t.Errorf("dec experiments list with a wrong token = exit %d, %q, want %d and a word on the token", code, errs, exitFailed)
	}
	s.terminate(t)
}

func TestBadFlagsOfServeAreUsageErrors(t *testing.T) {
	for name, tt := range map[string]struct {
		args []string
		want string
	}{
		"no slots":             {[]string{"--target-slots", "local=0"}, "--target-slots local=0: must be at least 1"},
		"negative slots":       {[]string{"--target-slots", "local=-1"}, "--target-slots local=-1: must be at least 1"},
		"an unknown target":    {[]string{"--target-slots", "foo=2"}, "--target-slots foo: there is no such target; known targets: local"},
		"a URL that is none":   {[]string{"--public-url", "foo"}, "--public-url"},
		"an unknown database":  {[]string{"--database", "mysql://x"}, "--database"},
		"a webhook unsigned":   {[]string{"--notify-url", "https://example.com/hook"}, "DEC_NOTIFY_SECRET"},
		"a webhook of no kind": {[]string{"--notify-url", "example"}, "--notify-url"},
	} {
		t.Run(name, func(t *testing.T) {
			home := t.TempDir()
			programs(t, home)
			args := append(tools(t), "serve", "--listen", "127.0.0.1:none")
			code, _, errs := call(t, map[string]string{"HOME": home}, append(args, tt.args...)...)
			if code != exitUsage || !strings.Contains(errs, tt.want) {
				t.Errorf("dec serve %v = exit %d, %q, want %d and %q", tt.args, code, errs, exitUsage, tt.want)
			}
		})
	}
}

// answering is a server that gives fixed answers, by method and path.
func answering(t *testing.T, answers map[string]string) []string {
	t.Helper()
	mux := http.NewServeMux()
	for pattern, body := range answers {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, _ *http.Request) {
			if body == "" {
				w.WriteHeader(http.StatusNoContent)
			}
			io.WriteString(w, body) //nolint:errcheck // the test fails without it
		})
	}
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return []string{"--server", server.URL}
}

func TestCancelSaysWhatItMeans(t *testing.T) {
	for name, tt := range map[string]struct {
		experiment string
		want       string
	}{
		"nothing is active": {`{"id": "e1", "runs": {"active": 0}}`, "cancelled e1\n"},
		"a run is active":   {`{"id": "e1", "runs": {"active": 1}}`, "cancelled e1; active runs are being destroyed\n"},
	} {
		server := answering(t, map[string]string{"POST /api/v1/experiments/e1/cancel": "", "GET /api/v1/experiments/e1": tt.experiment})
		code, out, errs := call(t, map[string]string{"DEC_TOKEN": "x"}, append(server, "experiments", "cancel", "e1")...)
		if code != exitOK || out != tt.want {
			t.Errorf("%s: dec experiments cancel = exit %d, %q, %q, want %q", name, code, out, errs, tt.want)
		}
	}
}

func TestShutdownIsTakenBack(t *testing.T) {
	s := startService(t, t.TempDir())
	s.awaitStart(t)
	call := func(args ...string) string {
		_, out, errs := call(t, map[string]string{"HOME": s.home}, append([]string{"--data", filepath.Join(s.home, "data"), "shutdown"}, args...)...)
		return out + errs
	}
	if got, want := call("--cancel"), "No shutdown has been requested.\n"; got != want {
		t.Errorf("dec shutdown --cancel of none = %q, want %q", got, want)
	}
	call("--stay")
	if got, want := call("--cancel"), "The shutdown was cancelled; queued runs start again.\n"; got != want {
		t.Errorf("dec shutdown --cancel = %q, want %q", got, want)
	}
	s.terminate(t)
}

func TestBackupOfNothingIsRefused(t *testing.T) {
	home := t.TempDir()
	data := filepath.Join(home, "none")
	code, _, errs := call(t, map[string]string{"HOME": home}, "backup", "--data", data, filepath.Join(home, "copy.db"))
	if _, err := os.Stat(data); code != exitFailed || !strings.Contains(errs, data) || err == nil {
		t.Errorf("dec backup of a folder that is not there = exit %d, %q (folder: %v), want %d and no folder", code, errs, err, exitFailed)
	}
}

func TestTooFewValidRunsAreCounted(t *testing.T) {
	e := api.ExperimentDetail{RunList: []api.Run{{Variant: "a", Outcome: experiment.Succeeded}}}
	e.Plan.Repeat, e.Plan.Variants = 1, []experiment.Variant{{Label: "a"}}
	const want = "valid runs of a: 0 of 1 planned; see the reasons above"
	if err := judge(e); err == nil || err.Error() != want {
		t.Errorf("judge() = %v, want %q", err, want)
	}
}
