package agent

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	ticksPerSecond = 100 // of /proc/stat, on every platform that Go runs on
	stealField     = 8   // of its first line: user nice system idle iowait irq softirq steal (proc(5))
)

// readTakings reads the kernel's counters.
func readTakings() takings {
	var t takings
	if data, err := os.ReadFile("/proc/stat"); err == nil {
		t.stolen, t.whole = stolen(string(data))
	}
	if groups, err := os.ReadFile("/proc/self/cgroup"); err == nil {
		t.throttled = throttled("/sys/fs/cgroup", string(groups))
	}
	return t
}

// stolen returns the seconds of all CPUs that the hypervisor took, and all seconds.
func stolen(stat string) (*float64, float64) {
	line, _, _ := strings.Cut(stat, "\n")
	fields := strings.Fields(line)
	if len(fields) <= stealField || fields[0] != "cpu" {
		return nil, 0
	}
	var whole, steal float64
	for i, field := range fields[1 : stealField+1] { // guest time, which follows, is part of user time
		ticks, err := strconv.ParseFloat(field, 64)
		if err != nil {
			return nil, 0
		}
		whole += ticks / ticksPerSecond
		if i+1 == stealField {
			steal = ticks / ticksPerSecond
		}
	}
	return &steal, whole
}

// throttled returns the seconds for which the control group of this process was
// stopped by its CPU quota, from the file cpu.stat of version 2 or 1. It is nil where
// there is none.
func throttled(root, groups string) *float64 {
	for line := range strings.Lines(groups) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) != 3 {
			continue
		}
		folders := []string{}
		switch controllers := strings.Split(parts[1], ","); {
		case parts[1] == "":
			folders = append(folders, root, filepath.Join(root, "unified"))
		case slices.Contains(controllers, "cpu"):
			folders = append(folders, filepath.Join(root, parts[1]), filepath.Join(root, "cpu"))
		}
		for _, folder := range folders {
			data, err := os.ReadFile(filepath.Join(folder, parts[2], "cpu.stat"))
			if err != nil {
				continue
			}
			if seconds := throttledIn(string(data)); seconds != nil {
				return seconds
			}
		}
	}
	return nil
}

// throttledIn reads a cpu.stat.
func throttledIn(stat string) *float64 {
	for line := range strings.Lines(stat) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		n, err := strconv.ParseFloat(value, 64)
		switch {
		case err != nil:
		case name == "throttled_usec": // version 2
			return new(n / 1e6)
		case name == "throttled_time": // version 1, in nanoseconds
			return new(n / float64(time.Second))
		}
	}
	return nil
}
