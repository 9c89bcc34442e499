package agent

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

const (
	// gcPercent lets the heap grow to five times what is live. An agent's live
	// heap is small and its garbage, made by the client library, is plenty: at
	// the default of 100 a collection would run several times a second, and each
	// takes processor time from the pacer.
	gcPercent = 400
	// garbage is how much of it there may be during a load before it is collected; half
	// of that with many clients, which send less often each. leastPercent is at least
	// allowed of the live heap.
	garbage      = 32 << 20
	manyClients  = 100
	leastPercent = 25
	// memoryShare is the part of the machine's memory, one in so many, beyond
	// which collections become more frequent again: an agent may share its
	// machine with the broker that it measures. Below leastMemory the limit
	// would not hold thousands of clients.
	memoryShare = 4
	leastMemory = 1 << 30
	// spareThreads is how many goroutines may run beyond the number of CPUs. A
	// pacer that wakes up needs a place among GOMAXPROCS; where all are taken by
	// goroutines that handle acknowledgements, it would wait for the Go
	// scheduler, up to 10 ms. With places to spare, the kernel decides at once.
	spareThreads = 2
)

// Tune sets the process up for pacing. The usual variables GOGC, GOMEMLIMIT and
// GOMAXPROCS go first where they are set.
func Tune() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if memory := hostFacts().MemoryBytes; os.Getenv("GOMEMLIMIT") == "" && memory > 0 {
		debug.SetMemoryLimit(max(memory/memoryShare, leastMemory))
	}
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(runtime.NumCPU() + spareThreads)
	}
}

// settleHeap collects what was needed to get to the load, so that it is not collected
// during it, and bounds the garbage of the load: many clients have a large live heap,
// and may not have five times as much for that.
func settleHeap(clients int) {
	runtime.GC()
	if os.Getenv("GOGC") != "" {
		return
	}
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	live, most := max(sample[0].Value.Uint64(), 1), uint64(garbage)
	if clients >= manyClients {
		most /= 2
	}
	debug.SetGCPercent(int(min(max(100*most/live, leastPercent), gcPercent)))
}
