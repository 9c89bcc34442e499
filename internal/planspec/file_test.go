package planspec_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dec.local/dec/internal/planspec"
)

func write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const smallPlan = `
name: small
workload: {load: {rate: 10}, stages: {measure: 2s}}
variants:
  - {label: a, technology: nats, stack: jetstream}
  - {label: b, technology: kafka, stack: kraft, options: {brokers: 1}}
`

func TestReadFileAppliesOverrides(t *testing.T) {
	tests := map[string]struct {
		set  string
		path []string
		want any
	}{
		"a variant by its label":      {"variants.b.options.brokers=3", []string{"variants", "1", "options", "brokers"}, 3.0},
		"a variant by its position":   {"variants.0.label=z", []string{"variants", "0", "label"}, "z"},
		"a part that is not there":    {"limits.ttl=5m", []string{"limits", "ttl"}, "5m"},
		"a value that is a structure": {"workload.message={size: 2KiB}", []string{"workload", "message", "size"}, "2KiB"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			data, err := planspec.ReadFile(write(t, "plan.yaml", smallPlan), []string{tt.set})
			if err != nil {
				t.Fatal(err)
			}
			var node any
			if err := json.Unmarshal(data, &node); err != nil {
				t.Fatal(err)
			}
			for _, part := range tt.path {
				switch n := node.(type) {
				case map[string]any:
					node = n[part]
				case []any:
					node = n[int(part[0]-'0')]
				}
			}
			if node != tt.want {
				t.Errorf("ReadFile(--set %s) has %v at %v, want %v", tt.set, node, tt.path, tt.want)
			}
		})
	}
}

func TestReadFileRefuses(t *testing.T) {
	tests := map[string]struct{ plan, set, want string }{
		"an override without a value":        {smallPlan, "variants.a", "path=value"},
		"an override of an unknown variant":  {smallPlan, "variants.c.label=x", "a, b"},
		"an override below a single value":   {smallPlan, "name.first=x", "single value"},
		"an override of a whole variant":     {smallPlan, "variants.a=1", "add a field after"},
		"two documents":                      {"a: 1\n---\nb: 2\n", "", "several YAML documents"},
		"a key twice":                        {"name: a\nname: b\n", "", "name: is given twice, the second time on line 2"},
		"anchors that grow":                  {"a: &a [1]\nb: &b [*a, *a]\nc: &c [*b, *b]\n", "", "anchor"},
		"a workload file that is not there":  {"workload: nowhere.yaml\n", "", "nowhere.yaml"},
		"only a comment":                     {"# nothing\n", "", "empty"},
		"an alias of nothing":                {"a: *nothing\n", "", "YAML"},
		"an anchor that holds itself, twice": {"a: &a {b: *a}\n", "", "anchor"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var sets []string
			if tt.set != "" {
				sets = []string{tt.set}
			}
			data, err := planspec.ReadFile(write(t, "plan.yaml", tt.plan), sets)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("ReadFile() = %s, %v, want an error with %q", data, err, tt.want)
			}
		})
	}
}

func TestReadFileTakesTheWorkloadOfAnotherFile(t *testing.T) {
	path := write(t, "plan.yaml", "workload: load.yaml\n")
	if err := os.WriteFile(filepath.Join(filepath.Dir(path), "load.yaml"), []byte("load: {rate: 7}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	data, err := planspec.ReadFile(path, nil)
	if want := `{"workload":{"load":{"rate":7}}}`; err != nil || string(data) != want {
		t.Errorf("ReadFile() = %s, %v, want %s", data, err, want)
	}
}

// Whatever a plan is read from is bounded: each of these would take gigabytes.
func TestReadFileBoundsAllThatItReads(t *testing.T) {
	deep := strings.Repeat("[", 300_000)
	tests := map[string]struct {
		plan string
		sets []string
		want string // after the name of the file, if it begins with ":"
	}{
		"a plan":                     {"name: x\noptions: " + deep, nil, ": line 2: nested 65 levels deep; at most 64 are allowed"},
		"a workload of another file": {"workload: deep.yaml\n", nil, "deep.yaml: line 1: nested 65 levels deep; at most 64 are allowed"},
		"the value of an override":   {smallPlan, []string{"variants.a.options.x=" + deep}, "--set variants.a.options.x: line 1: nested 65 levels deep; at most 64 are allowed"},
		"the path of an override":    {smallPlan, []string{strings.Repeat("a.", 50_000) + "a=1"}, "the path has 50001 levels; at most 64 are allowed"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			path := write(t, "plan.yaml", tt.plan)
			if err := os.WriteFile(filepath.Join(filepath.Dir(path), "deep.yaml"), []byte(deep), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := planspec.ReadFile(path, tt.sets); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("ReadFile() = %.200v, want %q", err, tt.want)
			}
		})
	}
}
