//go:build !linux

package agent

import (
	"os"
	"runtime"

	"dec.local/dec/internal/measure"
)

// hostFacts describes the machine as far as Go itself knows it.
func hostFacts() measure.AgentFacts {
	host, _ := os.Hostname()
	return measure.AgentFacts{Host: host, OS: runtime.GOOS + " " + runtime.GOARCH, CPUs: runtime.NumCPU(), MachineID: host}
}

// clockBound is not known here.
func clockBound() *int64 { return nil }

// cpuSeconds is not known here.
func cpuSeconds() float64 { return 0 }

// readTakings knows nothing.
func readTakings() takings { return takings{} }
