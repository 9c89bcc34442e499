package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/shirou/gopsutil/v4/disk"
	"github.com/shirou/gopsutil/v4/load"
	"github.com/shirou/gopsutil/v4/mem"

	"dec.local/dec/target/local"
)

// doctorCmd shows what works on this machine.
type doctorCmd struct {
	JSON bool `help:"Print as JSON."`
}

// finding is one thing that doctor looked at.
type finding struct {
	Kind   string `json:"kind"` // "tool", "technology", "target" or "machine"
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`        // what was found, or why it can't be used
	Fix    string `json:"fix,omitempty"` // the command that mends it
}

// Least free space and memory with which a small comparison makes sense.
const (
	minDiskBytes   = 5 << 30
	minMemoryBytes = 2 << 30
)

const (
	setupFix    = "make setup"
	kindMachine = "machine"
)

// Run prints the findings; its exit code is 1 when a tool, technology or target
// can't be used. The state of the machine is advice.
func (c *doctorCmd) Run(ctx context.Context, env *Env, f *folders) error {
	findings := f.examine(ctx, env)
	healthy := true
	for _, finding := range findings {
		healthy = healthy && (finding.OK || finding.Kind == kindMachine)
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
		if !finding.OK && finding.Kind == kindMachine {
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
func (f *folders) examine(ctx context.Context, env *Env) []finding {
	findings := []finding{f.findTofu(ctx), f.findBuilds(env)}
	findings = append(findings, f.findTechnologies()...)
	return append(findings, f.findLocal(), f.findDisk(), findMemory(), findLoad())
}

func (f *folders) findTofu(ctx context.Context) finding {
	found := finding{Kind: "tool", Name: "OpenTofu"}
	path, err := f.tofu()
	if err != nil {
		found.Detail, found.Fix = err.Error(), setupFix
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
		found.Detail, found.Fix = fmt.Sprintf("%s does not answer `version`: %v", path, err), setupFix
		return found
	}
	var major, minor int
	fmt.Sscanf(version.Version, "%d.%d", &major, &minor)
	if major < 1 || major == 1 && minor < 12 {
		found.Detail, found.Fix = fmt.Sprintf("%s is version %s; 1.12 or newer is needed", path, version.Version), setupFix
		return found
	}
	found.OK, found.Detail = true, fmt.Sprintf("%s at %s", version.Version, path)
	return found
}

func (f *folders) findBuilds(env *Env) finding {
	found := finding{Kind: "tool", Name: "agent and provider"}
	bin := filepath.Dir(env.Executable)
	for _, name := range []string{"dec-agent", "terraform-provider-dec"} {
		if _, err := os.Stat(filepath.Join(bin, name)); err != nil {
			found.Detail, found.Fix = fmt.Sprintf("%s is not beside dec in %s", name, bin), setupFix
			return found
		}
	}
	found.OK, found.Detail = true, "beside dec in "+bin
	return found
}

func (f *folders) findTechnologies() []finding {
	catalog, err := f.catalog()
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

func (f *folders) findLocal() finding {
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
	objects, err := ledger.List(context.Background(), "")
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

func (f *folders) findDisk() finding {
	found := finding{Kind: kindMachine, Name: "disk"}
	path := f.Data
	for path != "/" {
		if _, err := os.Stat(path); err == nil {
			break
		}
		path = filepath.Dir(path)
	}
	usage, err := disk.Usage(path)
	if err != nil {
		found.Detail = err.Error()
		return found
	}
	found.OK = usage.Free >= minDiskBytes
	found.Detail = fmt.Sprintf("%.1f GiB free below %s", gib(usage.Free), path)
	if !found.OK {
		found.Fix = fmt.Sprintf("free at least %.0f GiB, or name another data folder with --data DIR", gib(minDiskBytes))
	}
	return found
}

func findMemory() finding {
	found := finding{Kind: kindMachine, Name: "memory"}
	memory, err := mem.VirtualMemory()
	if err != nil {
		found.Detail = err.Error()
		return found
	}
	found.OK = memory.Available >= minMemoryBytes
	found.Detail = fmt.Sprintf("%.1f of %.1f GiB available", gib(memory.Available), gib(memory.Total))
	if !found.OK {
		found.Fix = fmt.Sprintf("end other programs: a broker and its agents want %.0f GiB", gib(minMemoryBytes))
	}
	return found
}

func findLoad() finding {
	found := finding{Kind: kindMachine, Name: "load"}
	average, err := load.Avg()
	if err != nil {
		found.Detail = err.Error()
		return found
	}
	cpus := runtime.NumCPU()
	found.OK = average.Load1 < float64(cpus)
	found.Detail = fmt.Sprintf("%.2f on %d CPUs in the last minute", average.Load1, cpus)
	if !found.OK {
		found.Fix = "wait until the machine is idle: other work shows in the numbers"
	}
	return found
}

func gib[T ~int64 | ~uint64 | ~int](bytes T) float64 { return float64(bytes) / (1 << 30) }

// missingArtifact names the first artifact that is in none of the folders.
func missingArtifact(folders []string, artifacts []string) string {
	for _, artifact := range artifacts {
		name, version, _ := strings.Cut(artifact, "@")
		found := false
		for _, folder := range folders {
			if _, err := os.Stat(filepath.Join(folder, name, version)); err == nil {
				found = true
			}
		}
		if !found {
			return artifact
		}
	}
	return ""
}
