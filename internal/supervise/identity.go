package supervise

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// Identity names one process for good. A pid alone may be given to another
// process; together with its start time and the boot it does not.
type Identity struct {
	PID        int    `json:"pid"`
	Group      int    `json:"pgid"`
	StartTicks uint64 `json:"start_ticks"` // since boot, as in /proc/<pid>/stat
	BootID     string `json:"boot_id"`
}

// bootID returns the random id of this boot.
var bootID = sync.OnceValues(func() (string, error) {
	data, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return string(bytes.TrimSpace(data)), err
})

// identify returns the identity of a process that cannot end meanwhile: this
// one, or a child that was not waited for.
func identify(pid int) (Identity, error) {
	boot, err := bootID()
	if err != nil {
		return Identity{}, fmt.Errorf("identify process %d: %w", pid, err)
	}
	p, err := readProc(pid)
	if err != nil {
		return Identity{}, fmt.Errorf("identify process %d: %w", pid, err)
	}
	return Identity{PID: pid, Group: p.group, StartTicks: p.start, BootID: boot}, nil
}

// Alive reports whether this very process runs; a zombie does not.
func (i Identity) Alive() bool {
	_, err := i.proc()
	return err == nil
}

// Signal sends a signal to this very process. The error is
// [os.ErrProcessDone] when it runs no more.
func (i Identity) Signal(sig syscall.Signal) error {
	if i.PID <= 0 {
		return os.ErrProcessDone
	}
	fd, err := unix.PidfdOpen(i.PID, 0)
	if errors.Is(err, unix.ESRCH) || errors.Is(err, unix.EINVAL) {
		return os.ErrProcessDone
	} else if err != nil {
		return fmt.Errorf("signal process %d: %w", i.PID, err)
	}
	defer unix.Close(fd)
	// The descriptor stands for whatever has the pid now. If that is still the
	// process meant, the signal can reach no other.
	if _, err := i.proc(); err != nil {
		return os.ErrProcessDone
	}
	return signalFD(fd, sig)
}

// proc reads the process if it is still this one and runs.
func (i Identity) proc() (proc, error) {
	boot, err := bootID()
	if err != nil {
		return proc{}, err
	}
	p, err := readProc(i.PID)
	if err != nil || boot != i.BootID || p.start != i.StartTicks || p.gone() {
		return proc{}, os.ErrProcessDone
	}
	return p, nil
}

// signalFD sends a signal to the process that a pidfd stands for.
func signalFD(fd int, sig syscall.Signal) error {
	switch err := unix.PidfdSendSignal(fd, sig, nil, 0); {
	case errors.Is(err, unix.ESRCH):
		return os.ErrProcessDone
	case err != nil:
		return fmt.Errorf("send %s: %w", unix.SignalName(sig), err)
	}
	return nil
}

// kill ends processes found in /proc, each only if it is still the one found.
func kill(procs []proc) {
	boot, err := bootID()
	if err != nil {
		return
	}
	for _, p := range procs {
		// Already gone is what is wanted, and the caller looks again.
		_ = Identity{PID: p.pid, StartTicks: p.start, BootID: boot}.Signal(unix.SIGKILL)
	}
}
