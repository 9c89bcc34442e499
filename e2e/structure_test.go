package e2e

import (
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

const module = "dec.local/dec/"

// arrows lists what each package may import of this module. "technology/*" and
// "target/*" stand for any folder there, all of whose packages may import each other,
// "cmd/terraform-provider-*" for the program of any target's provider. A package that
// is absent may import nothing.
var arrows = map[string][]string{
	"cmd/dec": {"internal/buildinfo", "internal/supervise", "internal/tofu", "internal/cli", "target/all"},
	"cmd/dec-agent": {
		"internal/buildinfo", "internal/supervise", "internal/agent", "internal/certify/reference", "internal/rendezvous", "technology", "technology/all",
	},
	"cmd/terraform-provider-*": {"internal/buildinfo", "internal/supervise", "target/*/provider"},
	"internal/cli": {
		"internal/api", "internal/cli/terminal", "internal/client", "internal/datadir", "internal/experiment", "internal/planspec",
		"internal/report", "internal/server", "internal/yamltext", "target",
	},
	"internal/reference":    {"internal/cli", "internal/experiment", "internal/planspec", "internal/tofu", "technology", "technology/all"},
	"internal/yamltext":     {"internal/experiment"},
	"internal/planspec":     {"internal/experiment", "internal/yamltext"},
	"internal/cli/terminal": {"internal/api", "internal/certify", "internal/experiment", "internal/format", "internal/measure"},
	// The one place where siblings meet.
	"internal/server": {
		"internal/buildinfo", "internal/certify", "internal/httpapi", "internal/guard", "internal/stream", "internal/notify", "internal/client", "internal/api",
		"internal/orchestrator", "internal/phases", "internal/planner", "internal/evidence", "internal/upkeep", "internal/vault", "internal/datadir",
		"internal/store", "internal/tofu", "internal/rendezvous", "internal/comparison", "internal/measure", "internal/experiment", "internal/yamltext",
		"technology", "technology/all", "target", "ui",
	},
	"internal/planner": {
		"internal/api", "internal/comparison", "internal/format", "internal/planspec", "internal/experiment", "internal/stats", "internal/tofu", "technology", "target",
	},
	"internal/evidence": {"internal/api", "internal/datadir", "internal/experiment", "internal/measure", "internal/rendezvous", "target"},
	"internal/phases": {
		"internal/datadir", "internal/evidence", "internal/experiment", "internal/measure", "internal/orchestrator", "internal/reconcile",
		"internal/rendezvous", "internal/tofu", "internal/vault", "target",
	},
	"internal/vault":                     {"internal/experiment"},
	"internal/datadir":                   {"internal/buildinfo", "internal/experiment", "internal/rendezvous", "target"},
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
	"internal/certify": {
		"internal/certify/reference", "internal/experiment", "internal/format", "internal/measure", "internal/pacing", "internal/rendezvous",
	},
	"internal/certify/reference":     {"internal/experiment", "internal/measure", "internal/pacing", "technology"},
	"internal/stats":                 {"internal/experiment"},
	"internal/rendezvous":            {"internal/experiment", "internal/measure", "internal/pacing"},
	"internal/rendezvous/buckettest": {"internal/experiment", "internal/measure", "internal/rendezvous"},
	"internal/measure":               {"internal/experiment"},
	"internal/pacing":                {"internal/experiment"},
	"internal/report":                {"internal/comparison", "internal/experiment", "internal/format", "internal/measure", "internal/stats"},
	"technology":                     {"internal/experiment"},
	"technology/*":                   {"internal/experiment", "technology"},
	"technology/all":                 {"technology", "technology/*"},
	"technology/technologytest":      {"internal/experiment", "internal/identity", "technology"},
	"target":                         {"internal/experiment"},
	"target/targettest":              {"internal/experiment", "target"},
	"target/all":                     {"target", "target/*"},
	"target/*":                       {"internal/experiment", "internal/supervise", "target"},
	"e2e/fakecloud":                  {"e2e/fakecloud/cloud", "internal/experiment", "target"},
	"e2e/fakecloud/cloud":            {"internal/experiment"},
	"e2e/fakecloud/simulator":        {"internal/supervise", "e2e/fakecloud/cloud"},
	"e2e/fakecloud/provider":         {"e2e/fakecloud/cloud"},
	"e2e/fakecloud/fakecloudtest":    {"e2e/fakecloud/cloud", "e2e/fakecloud/simulator"},

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

// maxImports is how many packages of ours a package may import; the wiring may import
// more.
const maxImports = 10

func TestPackagesImportFewOthers(t *testing.T) {
	for _, pkg := range listPackages(t) {
		ours := 0
		for _, imported := range pkg.Imports {
			if strings.HasPrefix(imported, module) {
				ours++
			}
		}
		if ours > maxImports && pkg.ImportPath != module+"internal/server" {
			t.Errorf("%s imports %d packages of ours, want at most %d: split it", pkg.ImportPath, ours, maxImports)
		}
	}
}

// allowed reports whether package from may import package to.
func allowed(from, to string) bool {
	matches := func(pattern string) bool {
		ok, _ := path.Match(pattern, to)
		return ok
	}
	if _, listed := arrows[from]; !listed {
		plugin := pluginOf(from)
		if plugin != "" && plugin == pluginOf(to) {
			return true
		}
		for pattern := range arrows {
			if ok, _ := path.Match(pattern, cmp.Or(plugin, from)); ok {
				from = pattern
				break
			}
		}
	}
	return slices.ContainsFunc(arrows[from], matches)
}

// pluginOf is the folder of the technology or target that a package is part of, or
// "".
func pluginOf(pkg string) string {
	if _, listed := arrows[pkg]; listed {
		return ""
	}
	parts := strings.Split(pkg, "/")
	if len(parts) < 2 || parts[0] != "technology" && parts[0] != "target" {
		return ""
	}
	return path.Join(parts[:2]...)
}

func TestAnyPluginHasItsArrows(t *testing.T) {
	for _, tt := range []struct {
		from, to string
		want     bool
	}{
		{"technology/rabbitmq", "technology", true}, {"technology/rabbitmq/proxy", "technology/rabbitmq", true},
		{"technology/rabbitmq", "technology/kafka", false}, {"technology/rabbitmq", "internal/agent", false},
		{"target/gcp", "target", true}, {"target/gcp/provider", "target/gcp", true}, {"target/gcp", "target/local", false},
		{"target/gcp", "internal/server", false}, {"cmd/terraform-provider-gcp", "target/gcp/provider", true},
		{"cmd/terraform-provider-gcp", "internal/server", false}, {"internal/unknown", "internal/experiment", false},
		{"target/all", "target/gcp", true}, {"target", "target/local", false},
	} {
		if got := allowed(tt.from, tt.to); got != tt.want {
			t.Errorf("allowed(%s, %s) = %t, want %t", tt.from, tt.to, got, tt.want)
		}
	}
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
	var out []byte
	for _, system := range []string{"linux", "darwin"} { // some files are of other systems
		cmd := exec.Command("go", "list", "-e", "-json=ImportPath,Doc,Imports,GoFiles", "./...")
		cmd.Dir = ".."
		cmd.Env = append(os.Environ(), "GOOS="+system)
		listed, err := cmd.Output()
		if err != nil {
			t.Fatalf("go list: %v", err)
		}
		out = append(out, listed...)
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
