package provider_test

import (
	"bytes"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// The apply of these resources never ends by itself: one process never gets
// ready.
func endless() []string {
	return []string{
		port,
		process("broker-0", "exec sleep 600", ""),
		process("broker-1", "exec sleep 600", `ready_log = "never"`),
	}
}

func TestKilledInMidApplyTheLedgerFindsEverything(t *testing.T) {
	t.Parallel()
	victims := map[string]func(t *testing.T, tofu *exec.Cmd) error{
		"OpenTofu": func(t *testing.T, tofu *exec.Cmd) error {
			fd := plugin(t, tofu)
			return errors.Join(tofu.Process.Kill(), ended(fd))
		},
		"the provider": func(t *testing.T, tofu *exec.Cmd) error {
			return unix.PidfdSendSignal(plugin(t, tofu), unix.SIGKILL, nil, 0)
		},
	}
	for name, kill := range victims {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			tofu := f.startApply(endless()...)
			if err := kill(t, tofu); err != nil {
				t.Fatal(err)
			}
			if err := tofu.Wait(); err == nil {
				t.Error("tofu apply succeeded, want it killed")
			}
			objects := f.list()
			if len(objects) != 3 {
				t.Errorf("List = %+v, want two processes and a port", objects)
			}
			for _, o := range objects {
				if err := f.ledger.Remove(t.Context(), o); err != nil {
					t.Errorf("Remove(%s %s) = %v, want nil", o.Kind, o.ID, err)
				}
			}
			f.nothing()
		})
	}
}

func TestInterruptedApplyReturnsAtOnceWithEverythingInTheState(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	root := f.root(endless()...)
	var output bytes.Buffer
	tofu := f.start(root.Command(t.Context(), "apply", "-input=false", "-auto-approve", "-parallelism=20"), &output)
	if err := tofu.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := tofu.Wait(); err == nil {
		t.Errorf("interrupted apply succeeded\n%s", &output)
	}
	if got := root.Addresses(); len(got) != 3 {
		t.Errorf("state has %q after the interrupt, want all three\n%s", got, &output)
	}
	if !strings.Contains(output.String(), "was interrupted") {
		t.Errorf("apply says\n%s\nwant that it was interrupted", &output)
	}
	root.Must("destroy", "-input=false", "-auto-approve")
	f.nothing()
}

// startApply starts an apply and returns once it has made everything that it
// will make.
func (f *fixture) startApply(resources ...string) *exec.Cmd {
	f.t.Helper()
	root := f.root(resources...)
	return f.start(root.Command(f.t.Context(), "apply", "-input=false", "-auto-approve", "-parallelism=20"), new(bytes.Buffer))
}

func (f *fixture) start(tofu *exec.Cmd, output *bytes.Buffer) *exec.Cmd {
	f.t.Helper()
	tofu.Stdout, tofu.Stderr = output, output
	if err := tofu.Start(); err != nil {
		f.t.Fatal(err)
	}
	// The port has nothing to wait for, but OpenTofu may come to it last.
	f.eventually("both processes live, and the port is taken", func() bool {
		alive, ports := 0, 0
		for _, o := range f.list() {
			switch {
			case o.Kind == "port":
				ports++
			case o.Alive:
				alive++
			}
		}
		return alive == 2 && ports == 1
	})
	return tofu
}

// plugin returns a pidfd of the provider that an OpenTofu has started, closed
// at the end of the test.
func plugin(t *testing.T, tofu *exec.Cmd) int {
	t.Helper()
	for _, pid := range processes(t) {
		exe, _ := os.Readlink(filepath.Join("/proc", strconv.Itoa(pid), "exe"))
		if !strings.Contains(exe, "terraform-provider-dec") || parent(pid) != tofu.Process.Pid {
			continue
		}
		fd, err := unix.PidfdOpen(pid, 0)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = unix.Close(fd) })
		return fd
	}
	t.Fatal("OpenTofu has no provider")
	return 0
}

// ended waits until the process of a pidfd has ended.
func ended(fd int) error {
	for {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 60_000)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return err
		case n == 0:
			return errors.New("the provider outlives OpenTofu")
		}
		return nil
	}
}

// processes are the pids of this machine.
func processes(t *testing.T) []int {
	t.Helper()
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Fatal(err)
	}
	var pids []int
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

// parent is the pid of a process's parent, 0 if it is gone.
func parent(pid int) int {
	status, _ := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, "PPid:"); ok {
			ppid, _ := strconv.Atoi(strings.TrimSpace(value))
			return ppid
		}
	}
	return 0
}

// nothingLives checks that no process works in the ledger, or was told of its
// folders: neither a service nor its supervisor.
func (f *fixture) nothingLives() {
	f.t.Helper()
	folders := filepath.Join(f.ledger.Dir(), "processes") + "/"
	for _, pid := range processes(f.t) {
		proc := filepath.Join("/proc", strconv.Itoa(pid))
		cwd, _ := os.Readlink(filepath.Join(proc, "cwd"))
		environ, _ := os.ReadFile(filepath.Join(proc, "environ"))
		if strings.HasPrefix(cwd, folders) || bytes.Contains(environ, []byte(folders)) {
			cmdline, _ := os.ReadFile(filepath.Join(proc, "cmdline"))
			f.t.Errorf("process %d lives on: %q", pid, cmdline)
		}
	}
}

// listen keeps a port busy until the test ends.
func (f *fixture) listen(port string) {
	f.t.Helper()
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", port))
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { _ = listener.Close() })
}
