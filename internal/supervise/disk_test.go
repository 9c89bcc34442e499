package supervise_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"dec.local/dec/internal/supervise"
	"golang.org/x/sys/unix"
)

func TestAFullDisk(t *testing.T) {
	t.Parallel()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, t.TempDir())
	cmd.Env = append(os.Environ(), modeVariable+"=full-disk")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNS}
	if os.Geteuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= unix.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
	}
	out, err := cmd.CombinedOutput()
	if errors.Is(err, fs.ErrPermission) || strings.Contains(string(out), errNoMount.Error()) {
		t.Logf("no small disk can be made here, see TestADiskThatTakesNothing: %v %s", err, out)
		return
	}
	if err != nil {
		t.Errorf("with a full disk: %v\n%s", err, out)
	}
}

var errNoMount = errors.New("mounting is not allowed")

// fullDisk is the test, in a process that sees a small disk at dir.
func fullDisk(dir string) error {
	supervise.Main(sidecars)
	err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "")
	if err == nil {
		err = unix.Mount("small", dir, "tmpfs", 0, "size=512k,nr_inodes=100")
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errNoMount, err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	for _, stops := range []bool{true, false} {
		spec := supervise.Spec{
			Name: "graceful", Command: []string{exe}, Environment: map[string]string{modeVariable: "graceful"},
			Readiness: supervise.Readiness{Log: "^ready$"}, Logs: filepath.Join(dir, "logs"),
		}
		p, err := supervise.Start(ctx, filepath.Join(dir, fmt.Sprintf("stops-%t", stops)), spec, supervise.Secrets{})
		if err == nil {
			err = p.WaitReady(ctx)
		}
		if err != nil {
			return err
		}
		if err := endOnAFullDisk(ctx, p, dir, stops); err != nil {
			return fmt.Errorf("asked to stop = %t: %w\nsupervisor: %s", stops, err, supervisorLog(p))
		}
		another := filepath.Join(dir, "another")
		if _, err := supervise.Start(ctx, another, spec, supervise.Secrets{}); !errors.Is(err, unix.ENOSPC) {
			return fmt.Errorf("Start() = %v, want ENOSPC", err)
		}
		if _, err := os.Stat(another); !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("folder after a failed start = %v, want none", err)
		}
		if err := p.Remove(); err != nil {
			return err
		}
		for _, name := range []string{"ballast", "logs"} {
			if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
				return err
			}
		}
	}
	return nil
}

func supervisorLog(p *supervise.Process) string {
	data, _ := os.ReadFile(filepath.Join(p.Folder(), "supervisor.log"))
	return string(data)
}

// endOnAFullDisk fills the disk to its last byte and file, ends the process,
// and checks its record.
func endOnAFullDisk(ctx context.Context, p *supervise.Process, dir string, stops bool) error {
	ballast := filepath.Join(dir, "ballast")
	if err := os.Mkdir(ballast, 0o700); err != nil {
		return err
	}
	var err error
	for i := 0; err == nil; i++ {
		err = os.WriteFile(filepath.Join(ballast, strconv.Itoa(i)), make([]byte, 8<<10), 0o600)
	}
	for i := 0; errors.Is(err, unix.ENOSPC); i++ {
		if err = os.Symlink("x", filepath.Join(ballast, "link"+strconv.Itoa(i))); err != nil {
			break
		}
		err = unix.ENOSPC
	}
	if !errors.Is(err, unix.ENOSPC) {
		return fmt.Errorf("fill the disk: %w", err)
	}
	want := supervise.CauseExited
	if stops {
		want = supervise.CauseStopped
		if err := p.Stop(ctx); err != nil {
			return err
		}
	} else if id, err := p.Child(); err != nil || id.Signal(unix.SIGTERM) != nil {
		return fmt.Errorf("signal the child: %w", err)
	}
	exit, err := p.Wait(ctx)
	if err != nil || exit.Cause != want || exit.Code != 0 {
		return fmt.Errorf("Wait() = %+v, %w, want cause %s", exit, err, want)
	}
	return nil
}

func TestADiskThatTakesNothing(t *testing.T) {
	t.Parallel()
	p := startReady(t, program(t, "graceful"))
	limit := unix.Rlimit{}
	if err := unix.Prlimit(supervisor(t, p).PID, unix.RLIMIT_FSIZE, &limit, nil); err != nil {
		t.Fatal(err)
	}
	stop(t, p)
	if exit, err := waitAny(t, p); !errors.Is(err, supervise.ErrNoExit) {
		t.Errorf("Wait() = %+v, %v, want an end with ErrNoExit", exit, err)
	}
	if got := workFile(t, p, "signals"); got != "SIGTERM\n" {
		t.Errorf("signals = %q, want one SIGTERM", got)
	}
}
