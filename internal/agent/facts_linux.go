package agent

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"

	"dec.local/dec/internal/measure"
)

// hostFacts describes the machine from the kernel's own files. A fact that
// can't be read stays at its zero value: it is information, not a condition.
func hostFacts() measure.AgentFacts {
	host, _ := os.Hostname()
	facts := measure.AgentFacts{
		Host:      host,
		OS:        runtime.GOOS,
		CPUModel:  cpuModel(),
		CPUs:      runtime.NumCPU(), // that this process may use
		MachineID: machineID(host),
	}
	var name unix.Utsname
	if unix.Uname(&name) == nil {
		facts.OS = unix.ByteSliceToString(name.Sysname[:]) + " " + unix.ByteSliceToString(name.Release[:]) + " " + runtime.GOARCH
	}
	var info unix.Sysinfo_t
	if unix.Sysinfo(&info) == nil {
		facts.MemoryBytes = int64(info.Totalram) * int64(info.Unit)
	}
	return facts
}

// cpuModel is the first model name in /proc/cpuinfo; arm64 kernels give none.
func cpuModel() string {
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return ""
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if key, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// machineID tells machines apart without saying which they are. The boot id
// takes part because cloned machines share a machine id.
func machineID(host string) string {
	hash := sha256.New()
	hash.Write([]byte("dec machine\n" + host + "\n"))
	for _, name := range []string{"/etc/machine-id", "/proc/sys/kernel/random/boot_id"} {
		data, _ := os.ReadFile(name)
		hash.Write(data)
	}
	return hex.EncodeToString(hash.Sum(nil)[:8])
}

// clockBound is the kernel's own bound on the error of the wall clock, in nanoseconds;
// nil where nothing disciplines the clock (adjtimex(2)).
func clockBound() *int64 {
	var t unix.Timex
	if state, err := unix.Adjtimex(&t); err != nil || state == unix.TIME_ERROR || t.Status&unix.STA_UNSYNC != 0 {
		return nil
	}
	return new(int64(t.Maxerror) * 1000)
}

// cpuSeconds is the processor time this process has used so far, in user and
// kernel mode.
func cpuSeconds() float64 {
	var usage unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &usage) != nil {
		return 0
	}
	seconds := func(t unix.Timeval) float64 { return float64(t.Sec) + float64(t.Usec)/1e6 }
	return seconds(usage.Utime) + seconds(usage.Stime)
}
