package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"text/tabwriter"
	"time"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/client"
	"dec.local/dec/internal/datadir"
	"dec.local/dec/internal/server"
	"dec.local/dec/target"
)

// doctorCmd shows what works on this machine.
type doctorCmd struct {
	JSON bool `help:"Print as JSON."`
}

// finding is one thing that doctor looked at.
type finding struct {
	Kind   string `json:"kind"` // "tool", "technology", "target", "bucket", "server", or the name of a target for a part of it
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`        // what was found, or why it can't be used
	Fix    string `json:"fix,omitempty"` // how to fix it
	Advice bool   `json:"-"`             // other runs may be tried all the same
}

// Run prints the findings; its exit code is 1 when a tool, technology, target or bucket
// can't be used. What says that runs may be tried all the same is advice.
func (c *doctorCmd) Run(ctx context.Context, env *Env, f *datadir.Folders) error {
	findings := examine(ctx, env, f)
	healthy := true
	for _, finding := range findings {
		healthy = healthy && (finding.OK || finding.Advice)
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
		if !finding.OK && finding.Advice {
			mark = "!!"
		} else if !finding.OK {
			mark = "NO"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", mark, finding.Kind, finding.Name, finding.Detail)
		if finding.Fix != "" {
			fmt.Fprintf(w, "\t\t\tfix: %s\n", finding.Fix)
		}
	}
	return w.Flush()
}

// examine looks at all that a run needs.
func examine(ctx context.Context, env *Env, f *datadir.Folders) []finding {
	findings := []finding{findTofu(ctx, f), findBuilds(f, env.Targets)}
	findings = append(findings, findTechnologies(ctx, env, f)...)
	places := server.OpenTargets(ctx, f, env.Targets)
	for _, name := range places.Names() {
		findings = append(findings, findTarget(ctx, places[name])...)
	}
	return append(findings, findBucket(ctx, f), findServer(ctx, f))
}

// findServer looks whether a server works on the data folder.
func findServer(ctx context.Context, f *datadir.Folders) finding {
	found := finding{
		Kind: "server", Name: "of this data folder", OK: true, Advice: true,
		Detail: "none is running; 'dec serve' starts one, and 'dec run' starts its own",
	}
	c, running, err := client.Discover(ctx, f.Data, client.Options{})
	switch {
	case err != nil:
		found.OK, found.Detail = false, err.Error()
	case running:
		found.Detail = "running at " + c.URL()
	}
	return found
}

func findTofu(ctx context.Context, f *datadir.Folders) finding {
	found := finding{Kind: "tool", Name: "OpenTofu"}
	path, err := f.FindTofu()
	if err != nil {
		found.Detail, found.Fix = err.Error(), f.Setup()
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
		found.Detail, found.Fix = fmt.Sprintf("'%s version' failed: %v", path, err), f.Setup()
		return found
	}
	var major, minor int
	fmt.Sscanf(version.Version, "%d.%d", &major, &minor)
	if major < 1 || major == 1 && minor < 12 {
		found.Detail, found.Fix = fmt.Sprintf("%s is version %s; 1.12 or newer is needed", path, version.Version), f.Setup()
		return found
	}
	found.OK, found.Detail = true, fmt.Sprintf("%s at %s", version.Version, path)
	return found
}

// beside is the fix for programs of DEC that are not next to dec.
const beside = "run 'make setup' in a clone of the repository, or unpack the whole release archive"

func findBuilds(f *datadir.Folders, targets []target.Target) finding {
	found := finding{Kind: "tool", Name: "agent and providers"}
	bin := filepath.Dir(f.Executable)
	builds := []string{"dec-agent"}
	for _, t := range targets {
		for _, p := range t.Providers {
			builds = append(builds, p.Executable)
		}
	}
	for _, name := range builds {
		if _, err := os.Stat(filepath.Join(bin, name)); err != nil {
			found.Detail, found.Fix = fmt.Sprintf("%s is not next to dec in %s", name, bin), beside
			return found
		}
	}
	found.OK, found.Detail = true, "next to dec in "+bin
	return found
}

func findTechnologies(ctx context.Context, env *Env, f *datadir.Folders) []finding {
	planner, err := server.OpenPlanner(ctx, f, env.Targets)
	var catalog api.Catalog
	if err == nil {
		catalog, err = planner.Catalog(ctx)
	}
	if err != nil {
		return []finding{{Kind: "technology", Name: "all", Detail: err.Error()}}
	}
	var findings []finding
	for _, tech := range catalog.Technologies {
		for _, stack := range tech.Stacks {
			found := finding{Kind: "technology", Name: tech.Name + "/" + stack.Name, OK: stack.Available, Detail: stack.Title}
			if !stack.Available {
				found.Detail, found.Fix, found.Advice = stack.Why, stack.Fix, len(stack.Targets) == 0
			}
			findings = append(findings, found)
		}
	}
	return findings
}

// findTarget tells what a target found out about itself.
func findTarget(ctx context.Context, place target.Opened) []finding {
	var findings []finding
	for _, f := range place.Check(ctx, target.Demand{}) {
		found := finding{Kind: "target", Name: place.Name, OK: f.Level == target.OK, Detail: f.Detail, Fix: f.Fix, Advice: f.Level == target.Advice}
		if f.Subject != "" {
			found.Kind, found.Name = place.Name, f.Subject
		}
		findings = append(findings, found)
	}
	return findings
}

// findBucket writes, reads and deletes an object of the bucket that was named.
func findBucket(ctx context.Context, f *datadir.Folders) finding {
	found := finding{Kind: "bucket", Name: "bucket", OK: true, Detail: "a folder in the data folder"}
	if f.Bucket == "" {
		if folder := f.Home().Bucket(); f.Used() && !exists(folder) {
			found.OK, found.Advice = false, true // the next start makes a new one
			found.Detail = fmt.Sprintf("the folder %s is missing, and with it the timelines, distributions and logs of earlier runs", folder)
			found.Fix = "restore the folder from a backup"
		}
		return found
	}
	where, err := server.CheckBucket(ctx, f)
	if err != nil {
		found.OK, found.Detail = false, err.Error()
		found.Fix = "choose another one with --bucket; docs/operations.md lists the permissions it needs"
		return found
	}
	found.Detail = where + ": objects can be written once, read, listed and deleted"
	return found
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
