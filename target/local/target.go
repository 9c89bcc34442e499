package local

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"dec.local/dec/target"
)

//go:embed nodes/*.tf
var files embed.FS

// LedgerVariable is the variable of the environment that names the ledger's
// folder, for the server and for the provider.
const LedgerVariable = "DEC_LOCAL_LEDGER"

// Target is this machine.
var Target = target.Target{
	Name:  "local",
	Title: "This machine",
	Facts: target.Facts{
		SharedMachine: true,
		OneHost:       true,
		SharedFiles:   true,
		Slots:         1,
		SweepInterval: time.Second,
	},
	Nodes:     nodes(),
	Providers: []target.Provider{{Source: "dec.local/dec/dec", Executable: "terraform-provider-dec", Artifacts: true}},
	Open:      open,
}

// nodes is the folder of the module alone.
func nodes() fs.FS {
	sub, err := fs.Sub(files, "nodes")
	if err != nil {
		panic(err) // the name is not a path
	}
	return sub
}

// place is the ledger as the server sees it.
type place struct {
	*Ledger
	data      string // of the server
	artifacts []string
}

var (
	_ target.Exclusive    = place{}
	_ target.Metered      = place{}
	_ target.Logging      = place{}
	_ target.ArtifactHost = place{}
)

func open(_ context.Context, o target.Options) (target.Place, error) {
	if runtime.GOOS != "linux" {
		return nil, errors.New("it requires Linux; this is " + runtime.GOOS)
	}
	dir, err := Folder(o.Getenv)
	if err != nil {
		return nil, err
	}
	ledger, err := At(dir)
	if err != nil {
		return nil, err
	}
	return place{ledger, o.Data, o.Artifacts}, nil
}

// LockMeasuring implements [target.Exclusive].
func (p place) LockMeasuring(ctx context.Context) (release func(), err error) {
	if _, err := Open(p.dir); err != nil { // the lock is a file of it
		return nil, err
	}
	return p.Ledger.LockMeasuring(ctx)
}

// Placement gives brokers and agents CPUs of their own, so that the load
// generator doesn't take from the broker what the broker's numbers need. On a
// single CPU they share it.
func (p place) Placement() target.Placement {
	return target.Placement{CPUs: splitCPUs(runtime.NumCPU()), Environment: map[string]string{LedgerVariable: p.dir}}
}

// splitCPUs gives the first half of n CPUs to brokers, the rest to agents.
func splitCPUs(n int) map[string][]int {
	if n < 2 {
		return nil
	}
	cpus := map[string][]int{}
	for cpu := range n {
		role := "broker"
		if cpu >= (n+1)/2 {
			role = "agent"
		}
		cpus[role] = append(cpus[role], cpu)
	}
	return cpus
}

// Missing implements [target.ArtifactHost]: services find artifacts in folders of this
// machine.
func (p place) Missing(artifacts []string) []string {
	var missing []string
	for _, artifact := range artifacts {
		name, version, _ := strings.Cut(artifact, "@")
		found := false
		for _, folder := range p.artifacts {
			_, err := os.Stat(filepath.Join(folder, name, version))
			found = found || err == nil
		}
		if !found {
			missing = append(missing, artifact)
		}
	}
	return missing
}

// Logs implements [target.Logging].
func (p place) Logs(_ context.Context, run string) ([]target.LogFile, error) {
	names, err := p.namesOf(run)
	if err != nil {
		return nil, fmt.Errorf("logs of run %s: %w", run, err)
	}
	var logs []target.LogFile
	for _, name := range names {
		paths, _ := filepath.Glob(filepath.Join(p.Folder(name), "*.log")) // the pattern is never wrong
		for _, path := range paths {
			logs = append(logs, target.FileLog(serviceOf(run, name), path))
		}
	}
	return logs, nil
}
