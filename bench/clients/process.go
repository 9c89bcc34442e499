package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// process is one whose memory is watched. The peak that the kernel reports at its end is
// that of the parent if that is larger, so its own is read while it runs.
type process struct {
	role string
	cmd  *exec.Cmd
	peak int64 // bytes; read after done
	done chan struct{}
}

func start(role string, cmd *exec.Cmd) (*process, error) {
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{role: role, cmd: cmd, done: make(chan struct{})}
	go func() {
		defer close(p.done)
		for {
			peak, alive := highWater(cmd.Process.Pid)
			if !alive {
				return
			}
			p.peak = max(p.peak, peak)
			time.Sleep(100 * time.Millisecond)
		}
	}()
	return p, nil
}

// wait waits for processes and returns the peak memory of each role.
func wait(processes ...*process) (map[string]int64, error) {
	memory := map[string]int64{}
	var errs []error
	for _, p := range processes {
		errs = append(errs, p.cmd.Wait())
		<-p.done
		memory[p.role] += p.peak
	}
	return memory, errors.Join(errs...)
}

// highWater is the largest resident memory that a process had so far, in bytes.
func highWater(pid int) (bytes int64, alive bool) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, false
	}
	_, rest, found := strings.Cut(string(status), "VmHWM:")
	if !found { // a zombie has none
		return 0, false
	}
	var kib int64
	_, err = fmt.Sscan(rest, &kib)
	return kib << 10, err == nil
}
