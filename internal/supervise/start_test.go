package supervise_test

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"dec.local/dec/internal/supervise"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

func TestStartRefusesWhatCannotWork(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change func(*supervise.Spec)
		want   string
	}{
		"no name":                    {func(s *supervise.Spec) { s.Name = "" }, "name is missing"},
		"no command":                 {func(s *supervise.Spec) { s.Command = nil }, "command is missing"},
		"a zero byte in an argument": {func(s *supervise.Spec) { s.Command = append(s.Command, "a\x00b") }, "zero byte"},
		"a variable without a name":  {func(s *supervise.Spec) { s.Environment[""] = "x" }, "environment"},
		"a file outside":             {func(s *supervise.Spec) { s.Files = map[string]string{"../x": ""} }, `"../x" is not a path below`},
		"a file with dots within":    {func(s *supervise.Spec) { s.Files = map[string]string{"a/../../x": ""} }, "is not a path below"},
		"an absolute file":           {func(s *supervise.Spec) { s.Files = map[string]string{"/etc/x": ""} }, "is not a path below"},
		"the working folder itself":  {func(s *supervise.Spec) { s.Files = map[string]string{".": ""} }, "is not a path below"},
		"an artifact outside":        {func(s *supervise.Spec) { s.Artifacts = map[string]string{"..": "/"} }, "is not a path below"},
		"a relative artifact":        {func(s *supervise.Spec) { s.Artifacts = map[string]string{"a": "b"} }, `"b" is not an absolute path`},
		"a missing artifact":         {func(s *supervise.Spec) { s.Artifacts = map[string]string{"kafka": "/no/such"} }, "artifact kafka is missing; install it first"},
		"a file through an artifact": {func(s *supervise.Spec) {
			s.Files, s.Artifacts = map[string]string{"a/b": ""}, map[string]string{"a": "/tmp"}
		}, "link artifact a: "},
		"a file for a folder":         {func(s *supervise.Spec) { s.Files = map[string]string{"a": "", "a/b": ""} }, "write file a/b"},
		"an unknown lifetime":         {func(s *supervise.Spec) { s.Lifetime = "brief" }, `lifetime is "brief"`},
		"a broken pattern":            {func(s *supervise.Spec) { s.Readiness.Log = "(" }, "readiness: log"},
		"a port too high":             {func(s *supervise.Spec) { s.Readiness.Port = 65536 }, "port 65536"},
		"an unknown signal":           {func(s *supervise.Spec) { s.StopSignal = "TERM" }, `stop signal "TERM" is unknown`},
		"a negative grace":            {func(s *supervise.Spec) { s.Grace = -1 }, "grace"},
		"a negative time to be ready": {func(s *supervise.Spec) { s.Readiness.Timeout = -1 }, "timeout"},
		"a negative memory":           {func(s *supervise.Spec) { s.Limits.MemoryBytes = -1 }, "memory"},
		"a CPU that cannot be":        {func(s *supervise.Spec) { s.Limits.CPUs = []int{1024} }, "CPU 1024"},
		"a sidecar without a name":    {func(s *supervise.Spec) { s.Sidecar = &supervise.SidecarSpec{} }, "sidecar"},
		"relative logs":               {func(s *supervise.Spec) { s.Logs = "logs" }, "logs"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			spec := program(t, "idle")
			tt.change(&spec)
			folder := filepath.Join(t.TempDir(), "process")
			p, err := supervise.Start(t.Context(), folder, spec, supervise.Secrets{})
			if p != nil || err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Start() = %v, %v, want an error with %q", p, err, tt.want)
			}
			if _, err := supervise.Open(folder); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("Open() after a failed start = %v, want fs.ErrNotExist", err)
			}
		})
	}
}

func TestStartRefusesAFolderThatExists(t *testing.T) {
	t.Parallel()
	p := startReady(t, program(t, "idle"))
	for _, when := range []string{"while it lives", "after its end"} {
		if _, err := supervise.Start(t.Context(), p.Folder(), program(t, "idle"), supervise.Secrets{}); !errors.Is(err, fs.ErrExist) {
			t.Errorf("Start() in the folder of another %s = %v, want fs.ErrExist", when, err)
		}
		end(t, p)
	}
	if _, err := p.Spec(); err != nil {
		t.Errorf("Spec() of the other = %v, want it untouched", err)
	}
}

func TestStartRefusesACancelledContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	folder := filepath.Join(t.TempDir(), "process")
	if _, err := supervise.Start(ctx, folder, program(t, "idle"), supervise.Secrets{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Start() = %v, want context.Canceled", err)
	}
	if _, err := os.Stat(folder); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("folder after a cancelled start = %v, want none", err)
	}
}

func TestAChildThatCannotBeStartedIsRecorded(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { taken.Close() })
	tests := map[string]struct {
		change func(*supervise.Spec)
		want   string
	}{
		"no such program":           {func(s *supervise.Spec) { s.Command = []string{"./nothing"} }, "no such program"},
		"a program not in PATH":     {func(s *supervise.Spec) { s.Command = []string{"true"} }, `"true" is in no folder of its PATH ""`},
		"a folder":                  {func(s *supervise.Spec) { s.Command = []string{"/tmp"} }, "is a folder"},
		"a file without permission": {func(s *supervise.Spec) { s.Command, s.Files = []string{"./x"}, map[string]string{"x": "text"} }, "is not executable"},
		"a file that is no program": {func(s *supervise.Spec) { s.Command, s.Files = []string{"./x"}, map[string]string{"x": "#!/no/shell\n"} }, "no such file"},
		"a CPU that is not there":   {func(s *supervise.Spec) { s.Limits.CPUs = []int{0, 1000} }, "not all of the CPUs [0 1000] are available"},
		"a port that is taken":      {func(s *supervise.Spec) { s.Readiness.Port = taken.Addr().(*net.TCPAddr).Port }, "in use by another process"},
		"a sidecar that fails":      {func(s *supervise.Spec) { s.Sidecar = &supervise.SidecarSpec{Name: "broken"} }, "no greetings today"},
		"a sidecar that is unknown": {func(s *supervise.Spec) { s.Sidecar = &supervise.SidecarSpec{Name: "other"} }, `sidecar "other" is unknown`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			spec := program(t, "idle")
			tt.change(&spec)
			p := start(t, spec, supervise.Secrets{})
			failed, ok := errors.AsType[*supervise.ExitError](p.WaitReady(t.Context()))
			if !ok || failed.Exit.Cause != supervise.CauseStart || !strings.Contains(failed.Error(), tt.want) {
				t.Errorf("WaitReady() = %v, want an ExitError with %q", failed, tt.want)
			}
			if exit := wait(t, p); exit.Code != -1 || exit.Cause != supervise.CauseStart {
				t.Errorf("Wait() = %+v, want code -1 and cause start", exit)
			}
		})
	}
}

func readFacts(t *testing.T, p *supervise.Process) facts {
	t.Helper()
	if exit := wait(t, p); exit.Code != 0 {
		t.Fatalf("Wait() = %+v, want code 0; output: %s", exit, p.Tail(10))
	}
	var f facts
	if err := json.Unmarshal([]byte(stdout(t, p)), &f); err != nil {
		t.Fatal(err)
	}
	return f
}

func TestTheChildGetsExactlyItsEnvironment(t *testing.T) {
	t.Parallel()
	spec := program(t, "facts")
	spec.Lifetime, spec.Readiness = supervise.Task, supervise.Readiness{}
	spec.Environment["A"] = "spec"
	spec.Environment["B"] = "spec"
	mark := filepath.Join(t.TempDir(), "mark")
	spec.Sidecar = &supervise.SidecarSpec{Name: "greeter", Arg: mark}
	f := readFacts(t, start(t, spec, supervise.Secrets{Environment: map[string]string{"B": "secret"}}))
	f.Environment = slices.DeleteFunc(f.Environment, func(v string) bool { return strings.HasPrefix(v, "GREETER=127.0.0.1:") })
	if diff := cmp.Diff([]string{"A=spec", "B=secret", modeVariable + "=facts"}, f.Environment); diff != "" {
		t.Errorf("environment of the child (-want +got):\n%s", diff)
	}
	if data, _ := os.ReadFile(mark); string(data) != "cancelled" {
		t.Errorf("the sidecar left %q at the end, want it to have finished what it holds", data)
	}
}

func TestTheChildInheritsNothing(t *testing.T) {
	t.Parallel()
	spec := program(t, "facts")
	spec.Lifetime, spec.Readiness = supervise.Task, supervise.Readiness{}
	_, p := startBy(t, spec)
	f := readFacts(t, p)
	want := map[string]string{
		"0": "/dev/null",
		"1": filepath.Join(p.Folder(), "stdout.log"),
		"2": filepath.Join(p.Folder(), "stderr.log"),
		"3": filepath.Join(p.Folder(), "lock"),
	}
	if diff := cmp.Diff(want, f.Descriptors); diff != "" {
		t.Errorf("descriptors of the child (-want +got):\n%s", diff)
	}
	if f.Session != f.PID || f.Group != f.PID {
		t.Errorf("child %d has session %d and group %d, want its own", f.PID, f.Session, f.Group)
	}
	if len(f.Ignored) > 0 {
		t.Errorf("the child ignores %v, want nothing ignored", f.Ignored)
	}
	if want := filepath.Join(p.Folder(), "work"); f.Folder != want {
		t.Errorf("working folder of the child = %s, want %s", f.Folder, want)
	}
}

func TestTheSupervisorInheritsNothing(t *testing.T) {
	t.Parallel()
	_, p := startBy(t, program(t, "idle"))
	waitReady(t, p)
	dir := "/proc/" + strconv.Itoa(supervisor(t, p).PID) + "/fd"
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		target, _ := os.Readlink(filepath.Join(dir, e.Name()))
		if target == "/dev/zero" || target == "/dev/full" || strings.HasPrefix(target, "pipe:") {
			t.Errorf("the supervisor holds %s of its starter", target)
		}
	}
}

func TestFilesAndArtifacts(t *testing.T) {
	t.Parallel()
	artifact := t.TempDir()
	if err := os.WriteFile(filepath.Join(artifact, "lib"), []byte("library"), 0o600); err != nil {
		t.Fatal(err)
	}
	spec := program(t, "echo")
	spec.Files = map[string]string{"conf/a.properties": "a=1", "run.sh": "#!/bin/sh\ncat conf/a.properties parts/x/lib\n"}
	spec.Artifacts = map[string]string{"parts/x": artifact}
	spec.Command = []string{"./run.sh"}
	spec.Environment = map[string]string{"PATH": os.Getenv("PATH")}
	spec.Lifetime, spec.Readiness = supervise.Task, supervise.Readiness{}
	p := start(t, spec, supervise.Secrets{})
	if exit := wait(t, p); exit.Code != 0 || stdout(t, p) != "a=1library" {
		t.Errorf("a script printed %q and ended with %+v, want a=1library", p.Tail(10), exit)
	}
	if err := p.Remove(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(artifact, "lib")); err != nil {
		t.Errorf("artifact after Remove() = %v, want it untouched", err)
	}
}

func TestAProgramIsFoundInThePathOfItsEnvironment(t *testing.T) {
	t.Parallel()
	spec := program(t, "echo")
	spec.Command = []string{"sh", "-c", "echo found"}
	spec.Environment["PATH"] = os.Getenv("PATH")
	spec.Lifetime, spec.Readiness = supervise.Task, supervise.Readiness{}
	p := start(t, spec, supervise.Secrets{})
	if wait(t, p); stdout(t, p) != "found\n" {
		t.Errorf("sh printed %q, want found", p.Tail(10))
	}
}

func TestAffinityIsOfTheChildAlone(t *testing.T) {
	t.Parallel()
	var before, after unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		t.Fatal(err)
	}
	cpu := 0
	for !before.IsSet(cpu) {
		cpu++
	}
	spec := program(t, "facts")
	spec.Limits.CPUs = []int{cpu}
	spec.Lifetime, spec.Readiness = supervise.Task, supervise.Readiness{}
	if f := readFacts(t, start(t, spec, supervise.Secrets{})); f.CPUs != 1 {
		t.Errorf("the child sees %d CPUs, want 1", f.CPUs)
	}
	if err := unix.SchedGetaffinity(0, &after); err != nil || before != after {
		t.Errorf("affinity of the starter = %v, %v, want it as before", after, err)
	}
}

func TestAStarterKilledBeforeItHasHandedOverStartsNothing(t *testing.T) {
	t.Parallel()
	p, err := supervise.StartTorn(t.Context(), filepath.Join(t.TempDir(), "process"), program(t, "idle"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { end(t, p) })
	if exit := wait(t, p); exit.Cause != supervise.CauseStart || !strings.Contains(exit.Message, "before it had sent its instructions") {
		t.Errorf("Wait() = %+v, want that it was not started", exit)
	}
	if _, err := p.Child(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Child() = %v, want fs.ErrNotExist", err)
	}
}

func TestStartCancelledHalfwayLeavesAllOrNothing(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "process")
	ctx, cancel := context.WithCancel(t.Context())
	started := make(chan error, 1)
	go func() {
		_, err := supervise.Start(ctx, folder, program(t, "idle"), supervise.Secrets{Environment: map[string]string{"LARGE": strings.Repeat("x", 16<<20)}})
		started <- err
	}()
	eventually(t, "a supervisor is there, and does not read", func() bool {
		p, err := supervise.Open(folder)
		if err != nil {
			return false
		}
		id, err := p.Supervisor()
		return err == nil && id.Signal(syscall.SIGSTOP) == nil
	})
	cancel()
	err := <-started
	if err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("Start() = %v, want nil or context.Canceled", err)
	}
	p, missing := supervise.Open(folder)
	if (err == nil) != (missing == nil) {
		t.Errorf("Start() = %v, and Open() = %v, want both or neither", err, missing)
	}
	if missing == nil {
		end(t, p)
	}
}
