package server

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"github.com/shirou/gopsutil/v4/disk"
	"github.com/shirou/gopsutil/v4/load"
	"github.com/shirou/gopsutil/v4/mem"
)

// Least free space and memory with which a small comparison makes sense.
const (
	EnoughDisk   = 5 << 30
	EnoughMemory = 2 << 30
)

// Machine is what this machine has left.
type Machine struct {
	DiskFree   uint64 // bytes, where the data folder is or will be
	DiskPath   string // an existing folder on that disk
	MemoryFree uint64 // bytes available without swapping
	Memory     uint64 // bytes
	Load       float64
	CPUs       int
}

// Look reads the machine's state.
func (f *Folders) Look() (Machine, error) {
	m := Machine{CPUs: runtime.NumCPU(), DiskPath: existing(f.Data)}
	usage, err := disk.Usage(m.DiskPath)
	if err != nil {
		return m, fmt.Errorf("free disk space: %w", err)
	}
	memory, err := mem.VirtualMemory()
	if err != nil {
		return m, fmt.Errorf("free memory: %w", err)
	}
	average, err := load.Avg()
	if err != nil {
		return m, fmt.Errorf("load: %w", err)
	}
	m.DiskFree, m.MemoryFree, m.Memory, m.Load = usage.Free, memory.Available, memory.Total, average.Load1
	return m, nil
}

// existing is the folder, or the nearest one above it that is there.
func existing(path string) string {
	for path != string(filepath.Separator) {
		if _, err := os.Stat(path); err == nil {
			break
		}
		path = filepath.Dir(path)
	}
	return path
}

// GiB is a number of bytes in GiB.
func GiB[T ~int64 | ~uint64 | ~int](bytes T) float64 { return float64(bytes) / (1 << 30) }
