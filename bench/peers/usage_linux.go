package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// cpuOf is the CPU time that a process and its threads have used so far, in
// seconds. The clock of another process is named by its id, as
// clock_getcpuclockid(3) makes it.
func cpuOf(pid int) (float64, error) {
	const scheduler = 2 // CPUCLOCK_SCHED of the kernel
	var ts unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|scheduler), &ts); err != nil {
		return 0, fmt.Errorf("CPU time of process %d: %w", pid, err)
	}
	return time.Duration(ts.Nano()).Seconds(), nil
}

// memoryOf is the resident memory of a process, at its highest and now, in bytes;
// zero when the process is gone.
func memoryOf(pid int) (peak, now int64) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, 0
	}
	for line := range strings.Lines(string(data)) {
		fields := strings.Fields(line)
		if len(fields) < 2 {
			continue
		}
		kib, err := strconv.ParseInt(fields[1], 10, 64)
		switch {
		case err != nil:
		case fields[0] == "VmHWM:":
			peak = kib << 10
		case fields[0] == "VmRSS:":
			now = kib << 10
		}
	}
	return peak, now
}
