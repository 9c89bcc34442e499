package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"text/tabwriter"
	"time"

	"dec.local/dec/internal/client"
	"dec.local/dec/internal/server"
	"dec.local/dec/target/local"
)

// doctorCmd shows what works on this machine.
type doctorCmd struct {
	JSON bool `help:"Print as JSON."`
}

// finding is one thing that doctor looked at.
type finding struct {
	Kind   string `json:"kind"` // "tool", "technology", "target", "bucket", "machine" or "server"
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`        // what was found, or why it can't be used
	Fix    string `json:"fix,omitempty"` // the command that mends it
}

// The kinds of findings whose state is advice.
const (
	kindMachine = "machine"
	kindServer  = "server"
)

// advice tells whether a run may be tried all the same.
func (f finding) advice() bool { return f.Kind == kindMachine || f.Kind == kindServer }

// Run prints the findings; its exit code is 1 when a tool, technology, target or bucket
// can't be used. The state of the machine is advice.
func (c *doctorCmd) Run(ctx context.Context, env *Env, f *server.Folders) error {
	findings := examine(ctx, f)
	healthy := true
	for _, finding := range findings {
		healthy = healthy && (finding.OK || finding.advice())
	}
	if err := printFindings(env, findings, c.JSON); err != nil {
		return err
	}
	if !healthy {
		return &exitError{code: exitFailed}
	}
	return nil
}

func printFindings(env *Env, findings []finding, asJSON bool) error {
	if asJSON {
		return printJSON(env.Stdout, map[string]any{"findings": findings})
	}
	w := tabwriter.NewWriter(env.Stdout, 0, 0, 2, ' ', 0)
	for _, finding := range findings {
		mark := "ok"
		if !finding.OK && finding.advice() {
			mark = "!!"
		} else if !finding.OK {
			mark = "NO"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", mark, finding.Kind, finding.Name, finding.Detail)
		if finding.Fix != "" {
			fmt.Fprintf(w, "\t\t\tmend it: %s\n", finding.Fix)
		}
	}
	return w.Flush()
}

// examine looks at all that a run needs.
func examine(ctx context.Context, f *server.Folders) []finding {
	findings := []finding{findTofu(ctx, f), findBuilds(f)}
	findings = append(findings, findTechnologies(f)...)
	findings = append(findings, findLocal(ctx, f), findBucket(ctx, f))
	findings = append(findings, findMachine(f)...)
	return append(findings, findServer(ctx, f))
}

// findServer looks whether a server works on the data folder.
func findServer(ctx context.Context, f *server.Folders) finding {
	found := finding{Kind: kindServer, Name: "of this data folder", OK: true, Detail: "none: 'dec run' is its own, 'dec serve' starts one"}
	c, running, err := client.Discover(ctx, f.Data, client.Options{})
	switch {
	case err != nil:
		found.OK, found.Detail = false, err.Error()
	case running:
		found.Detail = "answers at " + c.URL()
	}
	return found
}

func findTofu(ctx context.Context, f *server.Folders) finding {
	found := finding{Kind: "tool", Name: "OpenTofu"}
	path, err := f.FindTofu()
	if err != nil {
		found.Detail, found.Fix = err.Error(), server.SetupFix
		return found
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, "version", "-json")
	cmd.Env = []string{"HOME=" + os.TempDir(), "CHECKPOINT_DISABLE=1"}
	out, err := cmd.Output()
	var version struct {
		Version string `json:"terraform_version"`
	}
	if err != nil || json.Unmarshal(out, &version) != nil {
		found.Detail, found.Fix = fmt.Sprintf("%s does not answer `version`: %v", path, err), server.SetupFix
		return found
	}
	var major, minor int
	fmt.Sscanf(version.Version, "%d.%d", &major, &minor)
	if major < 1 || major == 1 && minor < 12 {
		found.Detail, found.Fix = fmt.Sprintf("%s is version %s; 1.12 or newer is needed", path, version.Version), server.SetupFix
		return found
	}
	found.OK, found.Detail = true, fmt.Sprintf("%s at %s", version.Version, path)
	return found
}

func findBuilds(f *server.Folders) finding {
	found := finding{Kind: "tool", Name: "agent and provider"}
	bin := filepath.Dir(f.Executable)
	for _, name := range []string{"dec-agent", "terraform-provider-dec"} {
		if _, err := os.Stat(filepath.Join(bin, name)); err != nil {
			found.Detail, found.Fix = fmt.Sprintf("%s is not beside dec in %s", name, bin), server.SetupFix
			return found
		}
	}
	found.OK, found.Detail = true, "beside dec in "+bin
	return found
}

func findTechnologies(f *server.Folders) []finding {
	catalog, err := f.Catalog(nil)
	if err != nil {
		return []finding{{Kind: "technology", Name: "all", Detail: err.Error()}}
	}
	var findings []finding
	for _, tech := range catalog.Technologies {
		for _, stack := range tech.Stacks {
			found := finding{Kind: "technology", Name: tech.Name + "/" + stack.Name, OK: stack.Available, Detail: stack.Title}
			if !stack.Available {
				found.Detail, found.Fix = stack.Why, stack.Fix
			}
			findings = append(findings, found)
		}
	}
	return findings
}

func findLocal(ctx context.Context, f *server.Folders) finding {
	found := finding{Kind: "target", Name: "local"}
	if runtime.GOOS != "linux" {
		found.Detail = "the local target needs Linux; this is " + runtime.GOOS
		return found
	}
	ledger, err := local.Open(f.Ledger)
	if err != nil {
		found.Detail = err.Error()
		found.Fix = "make the folder writable, or set DEC_LOCAL_LEDGER to one that is"
		return found
	}
	objects, err := ledger.List(ctx, "")
	if err != nil {
		found.Detail = err.Error()
		return found
	}
	found.OK, found.Detail = true, "processes on this machine; nothing of DEC is running"
	if len(objects) > 0 {
		found.Detail = fmt.Sprintf("processes on this machine; %d processes and ports of runs exist now (dec inventory)", len(objects))
	}
	return found
}

// findBucket writes, reads and deletes an object of the bucket that was named.
func findBucket(ctx context.Context, f *server.Folders) finding {
	found := finding{Kind: "bucket", Name: "bucket", OK: true, Detail: "a folder in the data folder"}
	if f.Bucket == "" {
		return found
	}
	where, err := f.CheckBucket(ctx)
	if err != nil {
		found.OK, found.Detail = false, err.Error()
		found.Fix = "name another one with --bucket, or see docs/operations.md for the rights that it needs"
		return found
	}
	found.Detail = where + ": objects can be written once, read, listed and deleted"
	return found
}

// findMachine looks at what the machine has left.
func findMachine(f *server.Folders) []finding {
	m, err := f.Look()
	if err != nil {
		return []finding{{Kind: kindMachine, Name: "state", Detail: err.Error()}}
	}
	disk := finding{Kind: kindMachine, Name: "disk", OK: m.DiskFree >= server.EnoughDisk,
		Detail: fmt.Sprintf("%.1f GiB free below %s", server.GiB(m.DiskFree), m.DiskPath)}
	if !disk.OK {
		disk.Fix = fmt.Sprintf("free at least %.0f GiB, or name another data folder with --data DIR", server.GiB(server.EnoughDisk))
	}
	memory := finding{Kind: kindMachine, Name: "memory", OK: m.MemoryFree >= server.EnoughMemory,
		Detail: fmt.Sprintf("%.1f of %.1f GiB available", server.GiB(m.MemoryFree), server.GiB(m.Memory))}
	if !memory.OK {
		memory.Fix = fmt.Sprintf("end other programs: a broker and its agents want %.0f GiB", server.GiB(server.EnoughMemory))
	}
	load := finding{Kind: kindMachine, Name: "load", OK: m.Load < float64(m.CPUs),
		Detail: fmt.Sprintf("%.2f on %d CPUs in the last minute", m.Load, m.CPUs)}
	if !load.OK {
		load.Fix = "wait until the machine is idle: other work shows in the numbers"
	}
	return []finding{disk, memory, load}
}
