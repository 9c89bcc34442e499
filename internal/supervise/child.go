package supervise

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// maxCPUs is the number of CPUs that an affinity mask has room for.
const maxCPUs = 1024

// child is the process that the spec names.
type child struct {
	Identity
	fd    int // pidfd
	ended bool
}

// launch starts the child with the given environment. Its end cannot be missed:
// only reap waits for children.
func (s *supervisor) launch(env map[string]string) error {
	if r := s.spec.Readiness; r.Port != 0 && accepts(r) {
		return fmt.Errorf("its readiness port %s is in use by another process: stop that process or use another port", r.address())
	}
	argv := slices.Clone(s.spec.Command)
	work := filepath.Join(s.folder, workFolder)
	program, err := lookPath(argv[0], work, env["PATH"])
	if err != nil {
		return err
	}
	files, err := s.openChildFiles()
	defer func() {
		for _, f := range files {
			f.Close()
		}
	}()
	if err != nil {
		return err
	}
	fd := -1
	attr := &os.ProcAttr{Dir: work, Env: environ(env), Files: append(files, s.lock),
		Sys: &syscall.SysProcAttr{Setsid: true, PidFD: &fd}}
	process, err := startPinned(s.spec.Limits.CPUs, program, argv, attr)
	if err != nil {
		return err
	}
	defer process.Release()
	id, err := identify(process.Pid)
	if err != nil {
		return errors.Join(err, signalFD(fd, unix.SIGKILL))
	}
	s.child = child{Identity: id, fd: fd}
	s.child.Group = id.PID // it may not have become the leader of its own yet when it was read
	return nil
}

// openChildFiles opens standard input, output and error of the child: nothing
// that ends with the supervisor, and two files that are only appended to.
func (s *supervisor) openChildFiles() ([]*os.File, error) {
	stdin, err := os.Open(os.DevNull)
	if err != nil {
		return nil, err
	}
	files := []*os.File{stdin}
	for _, name := range []string{stdoutFile, stderrFile} {
		f, err := os.OpenFile(filepath.Join(s.folder, name), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
		if err != nil {
			return files, err
		}
		files = append(files, f)
	}
	return files, nil
}

// startPinned starts a program on the given CPUs, on all if there are none. A
// child inherits affinity and signal mask of the thread that forks it, so a
// thread is prepared, and ended afterwards by its goroutine.
func startPinned(cpus []int, program string, argv []string, attr *os.ProcAttr) (*os.Process, error) {
	type result struct {
		process *os.Process
		err     error
	}
	results := make(chan result)
	go func() {
		runtime.LockOSThread()
		err := pin(cpus)
		if err == nil {
			err = unix.PthreadSigmask(unix.SIG_SETMASK, &unix.Sigset_t{}, nil)
		}
		var process *os.Process
		if err == nil {
			process, err = os.StartProcess(program, argv, attr)
		}
		results <- result{process, err}
	}()
	r := <-results
	return r.process, r.err
}

// pin lets the calling thread run on the given CPUs only.
func pin(cpus []int) error {
	if len(cpus) == 0 {
		return nil
	}
	var want, got unix.CPUSet
	for _, cpu := range cpus {
		want.Set(cpu)
	}
	err := unix.SchedSetaffinity(0, &want)
	if err == nil || errors.Is(err, unix.EINVAL) { // EINVAL: none of them exists
		err = errors.Join(err, unix.SchedGetaffinity(0, &got))
	}
	if err == nil && got == want {
		return nil
	}
	return errors.Join(fmt.Errorf("not all of the CPUs %v are available: choose others", cpus), err)
}

// lookPath finds a program: as it is when it has a slash, below the working
// folder if it is relative, else in the folders of path.
func lookPath(program, work, path string) (string, error) {
	if strings.Contains(program, "/") {
		full := program
		if !filepath.IsAbs(full) {
			full = filepath.Join(work, full)
		}
		return program, executable(full)
	}
	for _, folder := range filepath.SplitList(path) {
		full := filepath.Join(folder, program)
		if filepath.IsAbs(full) && executable(full) == nil {
			return full, nil
		}
	}
	return "", fmt.Errorf("program %q is in no folder of its PATH %q", program, path)
}

// executable returns nil if path is a program that this user may run.
func executable(path string) error {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return fmt.Errorf("no such program: %w", err)
	case info.IsDir():
		return fmt.Errorf("program %s is a folder", path)
	}
	if err := unix.Access(path, unix.X_OK); err != nil {
		return fmt.Errorf("program %s is not executable: %w", path, err)
	}
	return nil
}

// environ turns variables into the form of execve(2), in a stable order.
func environ(env map[string]string) []string {
	list := make([]string, 0, len(env))
	for _, name := range slices.Sorted(maps.Keys(env)) {
		list = append(list, name+"="+env[name])
	}
	return list
}

// accepts reports whether the port that tells of readiness accepts connections.
func accepts(r Readiness) bool {
	conn, err := net.DialTimeout("tcp", r.address(), time.Second)
	if err != nil {
		return false
	}
	conn.Close()
	return true
}
