package supervise

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// The descriptors that a supervisor is given, besides the standard ones.
const (
	lockFD           = 3
	supervisorLockFD = 4
)

// Main must be the first statement of every program that calls [Start]. When
// this process was started to be a supervisor, it becomes one, with the sidecars
// by name, and never returns. Otherwise it sees to it that no descriptor that
// this process happened to inherit is passed on to the processes it starts.
func Main(sidecars map[string]Sidecar) {
	folder := os.Getenv(folderVariable)
	if folder == "" {
		closeOnExec(lockFD)
		return
	}
	if err := supervise(folder, sidecars); err != nil {
		fmt.Fprintln(os.Stderr, "supervise:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// closeOnExec keeps descriptors from being inherited by what is started from
// now on, those above the standard three by default.
func closeOnExec(from uint) {
	// It fails only on a kernel older than 5.11, which has no such call; then
	// what was inherited stays inherited.
	_ = unix.CloseRange(from, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC)
}

// supervise is the life of a supervisor.
func supervise(folder string, sidecars map[string]Sidecar) error {
	closeInherited()
	closeOnExec(lockFD)
	signals := make(chan os.Signal, 64)
	// Caught, not ignored: a child would inherit that. It inherits the default
	// for them, even if the starter's starter had them ignored.
	signal.Notify(signals, unix.SIGTERM, unix.SIGINT, unix.SIGHUP, unix.SIGQUIT,
		unix.SIGUSR1, unix.SIGUSR2, unix.SIGALRM, unix.SIGXFSZ, unix.SIGCHLD)
	s := &supervisor{
		folder:   folder,
		sidecars: sidecars,
		lock:     os.NewFile(lockFD, lockFile),
		log:      slog.New(slog.NewTextHandler(os.Stderr, nil)),
		signals:  signals,
		watch:    watch(folder),
	}
	if err := s.takeOver(); err != nil {
		return err
	}
	secrets, err := readHandover()
	if err != nil {
		s.failStart(err)
	} else {
		s.run(secrets)
	}
	s.finish()
	return nil
}

// closeInherited closes what the starter leaked; whatever this process opened
// itself is marked to be closed on exec.
func closeInherited() {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return
	}
	for _, entry := range entries {
		fd, err := strconv.Atoi(entry.Name())
		if err != nil || fd <= supervisorLockFD {
			continue
		}
		if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err == nil && flags&unix.FD_CLOEXEC == 0 {
			unix.Close(fd)
		}
	}
}

// takeOver checks that the process was started by [Start], reads the spec, and
// says who it is.
func (s *supervisor) takeOver() error {
	for fd, name := range map[int]string{lockFD: lockFile, supervisorLockFD: supervisorLockFile} {
		given, err := idOf("/proc/self/fd/" + strconv.Itoa(fd))
		if err != nil {
			return fmt.Errorf("%s is set, but this process was not started as a supervisor: %w", folderVariable, err)
		}
		if want, err := idOf(filepath.Join(s.folder, name)); err != nil || given != want {
			return fmt.Errorf("%s is set, but this process was not given the lock %s of %s", folderVariable, name, s.folder)
		}
	}
	if err := readRecord(s.folder, specFile, &s.spec); err != nil {
		return err
	}
	s.log = s.log.With("process", s.spec.Name)
	var err error
	if s.self, err = identify(os.Getpid()); err != nil {
		return err
	}
	// Everything that descends from this process comes back to it, also what
	// leaves its session and its parents.
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("become the reaper of descendants: %w", err)
	}
	lock, err := idOf(filepath.Join(s.folder, lockFile))
	if err != nil {
		return err
	}
	s.tree = newTree(s.self.PID, lock)
	data, err := json.Marshal(s.self)
	if err != nil {
		return err
	}
	data = append(data, bytes.Repeat([]byte{' '}, max(0, identityBytes-len(data)))...)
	if _, err := unix.Pwrite(supervisorLockFD, data, 0); err != nil {
		return fmt.Errorf("write %s: %w", supervisorLockFile, err)
	}
	return nil
}

// readHandover reads standard input to its end.
func readHandover() (secrets map[string]string, err error) {
	defer os.Stdin.Close()
	data, err := io.ReadAll(os.Stdin)
	if err != nil {
		return nil, fmt.Errorf("read the starter's instructions: %w", err)
	}
	var h handover
	if err := json.Unmarshal(data, &h); err != nil {
		// Not the error itself, which may repeat a secret.
		return nil, errors.New("the starter ended before it had sent its instructions")
	}
	return h.Secrets, nil
}
