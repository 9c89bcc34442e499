package all_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dec.local/dec/technology/all"
)

// TestToolsAreThoseOfTheStacks holds the versions that stack.json names against
// the pins from which make tools-<technology> installs.
func TestToolsAreThoseOfTheStacks(t *testing.T) {
	installed := installedTools(t)
	for _, technology := range all.Technologies() {
		stacks, err := filepath.Glob(filepath.Join("..", technology.Name, "stacks", "*", "stack.json"))
		if err != nil {
			t.Fatal(err)
		}
		for _, stack := range stacks {
			var description struct {
				Artifacts map[string]string `json:"artifacts"`
			}
			data, err := os.ReadFile(stack)
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(data, &description); err != nil {
				t.Fatalf("%s: %v", stack, err)
			}
			for _, artifact := range description.Artifacts {
				if have := installed["tools-"+technology.Name]; !slices.Contains(have, artifact) {
					t.Errorf("%s needs %s, but make tools-%s installs %q", stack, artifact, technology.Name, have)
				}
			}
		}
	}
}

// installedTools asks make what each of its targets tools-<technology> installs,
// as name@version.
func installedTools(t *testing.T) map[string][]string {
	t.Helper()
	// It prints its rules; with -q it runs none, and its exit code reports whether it would.
	out, err := exec.CommandContext(t.Context(), "make", "-C", "../..", "-pq", "tools").Output()
	if len(out) == 0 {
		t.Fatalf("make -pq tools: %v", err)
	}
	installed := map[string][]string{}
	for line := range strings.Lines(string(out)) {
		target, files, ok := strings.Cut(strings.TrimSpace(line), ": ")
		if !ok || !strings.HasPrefix(target, "tools-") {
			continue
		}
		for _, file := range strings.Fields(files) {
			if artifact, ok := strings.CutPrefix(file, ".tools/artifacts/"); ok {
				name, rest, _ := strings.Cut(artifact, "/")
				version, _, _ := strings.Cut(rest, "/")
				installed[target] = append(installed[target], name+"@"+version)
			}
		}
	}
	return installed
}
