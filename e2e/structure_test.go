package e2e

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

const module = "dec.local/dec/"

// arrows lists what each package may import of this module. "technology/*"
// stands for any technology, which also has the packages of its own folder. A
// package that is absent may import nothing.
var arrows = map[string][]string{
	"cmd/dec":                    {"internal/buildinfo", "internal/supervise", "internal/tofu", "internal/cli", "target/all"},
	"cmd/dec-agent":              {"internal/buildinfo", "internal/supervise", "internal/agent", "internal/rendezvous", "technology", "technology/all"},
	"cmd/terraform-provider-dec": {"internal/buildinfo", "internal/supervise", "target/local/provider"},
	"internal/cli": {
		"internal/api", "internal/cli/terminal", "internal/client", "internal/datadir", "internal/experiment", "internal/planspec",
		"internal/report", "internal/server", "internal/yamltext", "target",
	},
	"internal/reference":    {"internal/cli", "internal/experiment", "internal/planspec", "internal/tofu"},
	"internal/yamltext":     {"internal/experiment"},
	"internal/planspec":     {"internal/experiment", "internal/yamltext"},
	"internal/cli/terminal": {"internal/api", "internal/experiment", "internal/format", "internal/measure"},
	// The one place where siblings meet.
	"internal/server": {
		"internal/buildinfo", "internal/httpapi", "internal/guard", "internal/stream", "internal/notify", "internal/client", "internal/api",
		"internal/orchestrator", "internal/phases", "internal/planner", "internal/evidence", "internal/upkeep", "internal/vault", "internal/datadir",
		"internal/store", "internal/tofu", "internal/rendezvous", "internal/comparison", "internal/measure", "internal/experiment", "internal/yamltext",
		"technology", "technology/all", "target", "ui",
	},
	"internal/planner":  {"internal/api", "internal/planspec", "internal/experiment", "internal/tofu", "technology", "target"},
	"internal/evidence": {"internal/api", "internal/datadir", "internal/experiment", "internal/measure", "internal/rendezvous", "target"},
	"internal/phases": {
		"internal/datadir", "internal/evidence", "internal/experiment", "internal/measure", "internal/orchestrator", "internal/reconcile",
		"internal/rendezvous", "internal/tofu", "internal/vault", "target",
	},
	"internal/vault":                     {"internal/experiment"},
	"internal/datadir":                   {"internal/experiment", "internal/rendezvous", "target"},
	"internal/upkeep":                    {"internal/comparison", "internal/experiment"},
	"internal/api":                       {"internal/comparison", "internal/experiment", "internal/measure"},
	"internal/client":                    {"internal/api", "internal/experiment", "internal/measure"},
	"internal/comparison":                {"internal/experiment", "internal/format", "internal/measure", "internal/stats"},
	"internal/comparison/comparisontest": {"internal/comparison", "internal/experiment", "internal/measure", "internal/planspec"},
	"internal/format":                    {"internal/experiment"},
	"internal/httpapi": {
		"internal/api", "internal/comparison", "internal/experiment", "internal/guard", "internal/measure",
		"internal/planspec", "internal/report", "internal/stats", "internal/stream", "internal/yamltext",
	},
	"internal/httpapi/internal/openapi": {"internal/httpapi"},
	"internal/stream":                   {"internal/api", "internal/experiment", "internal/measure"},
	"internal/store/pgtest":             {"internal/experiment"},
	"internal/orchestrator":             {"internal/experiment"},
	"internal/store":                    {"internal/experiment"},
	"internal/store/storetest":          {"internal/experiment", "internal/store"},
	"internal/reconcile":                {"internal/experiment"},
	"internal/tofu":                     {"internal/experiment", "internal/identity", "internal/supervise"},
	"internal/agent":                    {"internal/experiment", "internal/measure", "internal/pacing", "internal/rendezvous", "technology"},
	"internal/agent/agenttest":          {"internal/experiment", "technology"},
	"internal/stats":                    {"internal/experiment"},
	"internal/rendezvous":               {"internal/experiment", "internal/measure"},
	"internal/rendezvous/buckettest":    {"internal/experiment", "internal/measure", "internal/rendezvous"},
	"internal/measure":                  {"internal/experiment"},
	"internal/pacing":                   {"internal/experiment"},
	"internal/report":                   {"internal/comparison", "internal/experiment", "internal/format", "internal/measure", "internal/stats"},
	"technology":                        {"internal/experiment"},
	"technology/*":                      {"internal/experiment", "technology"},
	"technology/all":                    {"technology", "technology/*"},
	"technology/technologytest":         {"internal/experiment", "internal/identity", "technology"},
	"target":                            {"internal/experiment"},
	"target/targettest":                 {"internal/experiment", "target"},
	"target/all":                        {"target", "target/*"},
	"target/local":                      {"internal/experiment", "internal/supervise", "target"},
	"target/local/provider":             {"internal/supervise", "target/local"},
	"e2e/fakecloud":                     {"e2e/fakecloud/cloud", "internal/experiment", "target"},
	"e2e/fakecloud/cloud":               {"internal/experiment"},
	"e2e/fakecloud/simulator":           {"internal/supervise", "e2e/fakecloud/cloud"},
	"e2e/fakecloud/provider":            {"e2e/fakecloud/cloud"},
	"e2e/fakecloud/fakecloudtest":       {"e2e/fakecloud/cloud", "e2e/fakecloud/simulator"},

	"e2e/fakecloud/cmd/dec":                          {"e2e/fakecloud", "internal/buildinfo", "internal/cli", "internal/supervise", "internal/tofu", "target/all"},
	"e2e/fakecloud/cmd/terraform-provider-fakecloud": {"e2e/fakecloud/provider"},
}

type listedPackage struct {
	ImportPath string
	Doc        string
	Imports    []string
	GoFiles    []string
}

func TestImportsFollowTheArrows(t *testing.T) {
	for _, pkg := range listPackages(t) {
		name := strings.TrimPrefix(pkg.ImportPath, module)
		if strings.HasPrefix(name, "bench/") {
			continue // programs that measure a part may import it
		}
		for _, imported := range pkg.Imports {
			to, ours := strings.CutPrefix(imported, module)
			if ours && !allowed(name, to) {
				t.Errorf("%s imports %s: no such arrow; see the list in this file and ARCHITECTURE.md", name, to)
			}
		}
	}
}

// allowed reports whether package from may import package to.
func allowed(from, to string) bool {
	targets, ok := arrows[from]
	if !ok && technologyOf(from) != "" {
		if technologyOf(from) == technologyOf(to) {
			return true
		}
		targets = arrows["technology/*"]
	}
	for _, target := range targets {
		if ok, _ := path.Match(target, to); ok {
			return true
		}
	}
	return false
}

// technologyOf is the name of the technology in whose folder a package lies, or
// "".
func technologyOf(pkg string) string {
	below, ok := strings.CutPrefix(pkg, "technology/")
	if _, listed := arrows[pkg]; !ok || listed {
		return ""
	}
	name, _, _ := strings.Cut(below, "/")
	return name
}

func TestVocabularyAndPacingNeedNoLibraries(t *testing.T) {
	for _, pkg := range listPackages(t) {
		name := strings.TrimPrefix(pkg.ImportPath, module)
		if name != "internal/experiment" && name != "internal/pacing" {
			continue
		}
		for _, imported := range pkg.Imports {
			first, _, _ := strings.Cut(imported, "/")
			outside := strings.Contains(first, ".") && !strings.HasPrefix(imported, module)
			if outside && !strings.HasPrefix(imported, "golang.org/x/sys/") {
				t.Errorf("%s imports %s; it may use the standard library alone", name, imported)
			}
		}
	}
}

// TestClientsDrawNothing keeps what draws comparisons out of the client, which
// other programs may use for a call or two.
func TestClientsDrawNothing(t *testing.T) {
	cmd := exec.Command("go", "list", "-deps", "./internal/client", "./internal/api")
	cmd.Dir = ".."
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for imported := range strings.Lines(string(out)) {
		imported = strings.TrimSpace(imported)
		if slices.Contains([]string{"text/template", "html/template", module + "internal/report"}, imported) || strings.HasPrefix(imported, "charm.land/") {
			t.Errorf("the client comes with %s", imported)
		}
	}
}

func TestEveryPackageSaysWhatItIsFor(t *testing.T) {
	for _, pkg := range listPackages(t) {
		if len(pkg.GoFiles) > 0 && pkg.Doc == "" {
			t.Errorf("%s has no package comment", pkg.ImportPath)
		}
	}
}

func listPackages(t *testing.T) []listedPackage {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Doc,Imports,GoFiles", "./...")
	cmd.Dir = ".."
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var packages []listedPackage
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var pkg listedPackage
		if err := dec.Decode(&pkg); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatalf("decode go list: %v", err)
		}
		packages = append(packages, pkg)
	}
}
