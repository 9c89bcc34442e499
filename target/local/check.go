package local

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"

	"github.com/shirou/gopsutil/v4/disk"
	"github.com/shirou/gopsutil/v4/load"
	"github.com/shirou/gopsutil/v4/mem"
	"golang.org/x/sys/unix"

	"dec.local/dec/target"
)

// Least free space and memory with which a small comparison makes sense.
const (
	enoughDisk   = 5 << 30
	enoughMemory = 2 << 30
)

// What must remain when a run is at its largest. Below that other programs of
// the machine would be in danger, not only the numbers.
const (
	reserveDisk   = 512 << 20
	reserveMemory = 256 << 20
)

// Check implements [target.Place].
func (p place) Check(ctx context.Context, d target.Demand) []target.Finding {
	objects, err := p.List(ctx, "")
	if err == nil {
		err = unix.Access(existing(p.dir), unix.W_OK|unix.X_OK)
	}
	if err != nil {
		return []target.Finding{{Level: target.Refuse, Detail: fmt.Sprintf("the ledger %s cannot be used: %v", p.dir, err),
			Fix: fmt.Sprintf("make the folder writable, or set %s to one that is", LedgerVariable)}}
	}
	whole := target.Finding{Detail: "processes on this machine; none are running now"}
	if len(objects) > 0 {
		whole.Detail = fmt.Sprintf("processes on this machine; %d processes and ports of runs exist now; see 'dec inventory'", len(objects))
	}
	// What is used now is used by the run that is active.
	active := len(objects) > 0
	return []target.Finding{whole, p.checkDisk(d), checkMemory(active), checkLoad(active), checkCPUs(d.AgentCPUs, runtime.NumCPU())}
}

// checkDisk looks at the disks that brokers and the server write to: the one with
// less space counts.
func (p place) checkDisk(d target.Demand) target.Finding {
	found := target.Finding{Subject: "disk"}
	folder := existing(p.dir)
	usage, err := disk.Usage(folder)
	if data := existing(p.data); err == nil && data != "" {
		if of, dataErr := disk.Usage(data); dataErr == nil && of.Free < usage.Free {
			folder, usage = data, of
		}
	}
	if err != nil {
		found.Level, found.Detail = target.Advice, fmt.Sprintf("the free disk space is unknown: %v", err)
		return found
	}
	switch {
	case uint64(d.DiskBytes)+reserveDisk > usage.Free:
		found.Level = target.Refuse
		found.Detail = tooLittle(uint64(d.DiskBytes), usage.Free, folder)
		found.Fix = "lower workload.retention_bytes or the load, or free disk space"
	case usage.Free < enoughDisk:
		found.Level = target.Advice
		found.Detail = fmt.Sprintf("only %s of disk space are free in %s", size(usage.Free), folder)
		found.Fix = fmt.Sprintf("free at least %.0f GiB", gib(enoughDisk))
	default:
		found.Detail = fmt.Sprintf("%s free in %s", size(usage.Free), folder)
	}
	return found
}

// tooLittle says why a run is refused for lack of disk space.
func tooLittle(need, free uint64, folder string) string {
	return fmt.Sprintf("a run writes up to %s and %s must stay free, but only %s are free in %s", size(need), size(reserveDisk), size(free), folder)
}

func checkMemory(active bool) target.Finding {
	found := target.Finding{Subject: "memory"}
	memory, err := mem.VirtualMemory()
	if err != nil {
		found.Level, found.Detail = target.Advice, fmt.Sprintf("the free memory is unknown: %v", err)
		return found
	}
	free := fmt.Sprintf("%.1f of %.1f GiB of memory are available", gib(memory.Available), gib(memory.Total))
	switch {
	case memory.Available < reserveMemory:
		found.Level, found.Detail, found.Fix = target.Refuse, "only "+free, "stop other programs"
	case memory.Available < enoughMemory && !active:
		found.Level, found.Detail = target.Advice, "only "+free
		found.Fix = fmt.Sprintf("stop other programs: a broker and its agents need %.0f GiB", gib(enoughMemory))
	default:
		found.Detail = free
	}
	return found
}

func checkLoad(active bool) target.Finding {
	found := target.Finding{Subject: "load"}
	average, err := load.Avg()
	if err != nil {
		found.Level, found.Detail = target.Advice, fmt.Sprintf("the system load is unknown: %v", err)
		return found
	}
	found.Detail = fmt.Sprintf("%.1f on %d CPUs in the last minute", average.Load1, runtime.NumCPU())
	if average.Load1 >= float64(runtime.NumCPU()) && !active {
		found.Level = target.Advice
		found.Detail = fmt.Sprintf("the machine is busy: load %.1f on %d CPUs; this affects the results", average.Load1, runtime.NumCPU())
		found.Fix = "wait until the machine is idle"
	}
	return found
}

// spareShare is the share of CPUs that agents may need without being the limit: brokers
// run on them too.
const spareShare = 0.5

// checkCPUs looks whether the agents find the CPUs that they need. It refuses nothing: a
// system that takes less than it is offered needs less of them.
func checkCPUs(need float64, cpus int) target.Finding {
	found := target.Finding{Subject: "cpu"}
	found.Detail = fmt.Sprintf("%d CPUs", cpus)
	if share := need / float64(cpus); share > spareShare {
		found.Level = target.Advice
		found.Detail = fmt.Sprintf("the agents alone need about %.1f CPUs if all of the load is taken, and this machine has %d "+
			"for them and the brokers; agents alone on this many machines like it would carry the load: %.0f",
			need, cpus, math.Ceil(share/busyShare))
		found.Fix = "lower the rate, or the number of consumer groups"
	}
	return found
}

// busyShare is the share of its CPUs from which an agent is too busy to measure.
const busyShare = 0.9

// existing is the folder, or the nearest one above it that is there.
func existing(path string) string {
	for filepath.Dir(path) != path {
		if _, err := os.Stat(path); err == nil {
			break
		}
		path = filepath.Dir(path)
	}
	return path
}

// size writes a number of bytes in GiB, or in MiB where that is less than one.
func size(bytes uint64) string {
	if bytes < 1<<30 {
		return fmt.Sprintf("%d MiB", bytes>>20)
	}
	return fmt.Sprintf("%.1f GiB", gib(bytes))
}

// gib is a number of bytes in GiB.
func gib(bytes uint64) float64 { return float64(bytes) / (1 << 30) }
