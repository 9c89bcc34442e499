package server

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/tofu"
	"dec.local/dec/technology"
	"dec.local/dec/technology/all"
)

// LocalTarget is the one target of this version.
const LocalTarget = "local"

// SetupFix is the command that installs what is missing.
const SetupFix = "make setup"

// offer is a technology with its stacks, as they are in this build.
type offer struct {
	technology.Technology
	stacks []*tofu.Stack
}

// offers reads every technology and stack once: they do not change while the
// program runs.
var offers = sync.OnceValues(func() ([]offer, error) {
	var list []offer
	for _, tech := range all.Technologies() {
		dirs, err := fs.ReadDir(technology.Stacks, tech.Name+"/stacks")
		if err != nil {
			return nil, fmt.Errorf("stacks of %s: %w", tech.Name, err)
		}
		o := offer{Technology: tech}
		for _, dir := range dirs {
			stack, err := tofu.ReadStack(technology.Stacks, tech.Name, dir.Name())
			if err != nil {
				return nil, err
			}
			o.stacks = append(o.stacks, stack)
		}
		list = append(list, o)
	}
	return list, nil
})

func (o offer) name() string                    { return o.Name }
func stackName(s *tofu.Stack) string            { return s.Name }
func targetName(t api.Target) string            { return t.Name }
func (f *Folders) missing(s *tofu.Stack) string { return missingArtifact(f.artifacts(), s.Artifacts) }

// why says why a stack cannot be used here; "" if it can.
func (f *Folders) why(s *tofu.Stack) string {
	if missing := f.missing(s); missing != "" {
		return missing + " is not installed below " + f.Tools
	}
	return ""
}

// missingArtifact names the first artifact that is in none of the folders.
func missingArtifact(folders []string, artifacts []string) string {
	for _, artifact := range artifacts {
		name, version, _ := strings.Cut(artifact, "@")
		if !slices.ContainsFunc(folders, func(folder string) bool {
			_, err := os.Stat(filepath.Join(folder, name, version))
			return err == nil
		}) {
			return artifact
		}
	}
	return ""
}

// Catalog lists the technologies with their stacks, and the targets, each
// available or why not; slots are the runs at once by target, 1 if not given.
func (f *Folders) Catalog(slots map[string]int) (api.Catalog, error) {
	list, err := offers()
	if err != nil {
		return api.Catalog{}, err
	}
	c := api.Catalog{Targets: targets(slots), PlanSchema: experiment.Schema(), Vocabulary: api.NewVocabulary()}
	for _, o := range list {
		tech := api.Technology{Name: o.Name, Title: o.Title, ClientConfigSchema: o.ConfigSchema}
		for _, s := range o.stacks {
			stack := api.Stack{Name: s.Name, Title: s.Title, Description: s.Description, Targets: runsOn(s, c.Targets), Emulator: s.Emulator, Schema: s.Schema, Available: true}
			if why := f.why(s); why != "" {
				stack.Available, stack.Why, stack.Fix = false, why, SetupFix
			}
			tech.Stacks = append(tech.Stacks, stack)
		}
		c.Technologies = append(c.Technologies, tech)
	}
	return c, nil
}

// runsOn lists those of the targets that a stack runs on.
func runsOn(s *tofu.Stack, targets []api.Target) []string {
	on := []string{}
	for _, target := range targets {
		if s.RunsOn(target.Name) {
			on = append(on, target.Name)
		}
	}
	return on
}

// targets are the places where runs can be.
func targets(slots map[string]int) []api.Target {
	local := api.Target{Name: LocalTarget, Title: "This machine", Available: true, Slots: max(1, slots[LocalTarget])}
	if runtime.GOOS != "linux" {
		local.Available, local.Why = false, "it needs Linux; this is "+runtime.GOOS
	}
	return []api.Target{local}
}

func find[T any](list []T, name string, nameOf func(T) string) (T, bool) {
	for _, item := range list {
		if nameOf(item) == name {
			return item, true
		}
	}
	var zero T
	return zero, false
}

func names[T any](list []T, nameOf func(T) string) string {
	out := make([]string, len(list))
	for i, item := range list {
		out[i] = nameOf(item)
	}
	return strings.Join(out, ", ")
}
