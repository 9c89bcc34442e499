package planspec_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dec.local/dec/internal/planspec"
)

// TestSchemaSaysWhatDecodeReads checks that each field of the normalised
// plan is in the schema, and none that this version does not support.
func TestSchemaSaysWhatDecodeReads(t *testing.T) {
	var schema struct {
		Properties map[string]json.RawMessage
	}
	if err := json.Unmarshal(planspec.Schema(), &schema); err != nil {
		t.Fatal(err)
	}
	text := string(planspec.Schema())
	for _, absent := range []string{"search", "burst", "compress_ratio", `"content"`, "zipf", "lognormal", `"consumer"`, "backlog", "verify", "destinations", "delivery", "ordering", "max_cost"} {
		if strings.Contains(text, absent) {
			t.Errorf("Schema() holds %s, which Decode refuses", absent)
		}
	}
	for _, name := range []string{"name", "target", "compare", "workload", "variants", "repeat", "limits"} {
		if schema.Properties[name] == nil {
			t.Errorf("Schema() lacks the property %s", name)
		}
	}
	for _, want := range []string{`"x-minimum": "64B"`, `"default": "20s"`, `"round_robin"`, `"maximum": 1000`, `"additionalProperties": false`} {
		if !strings.Contains(text, want) {
			t.Errorf("Schema() lacks %s", want)
		}
	}
}

// TestEveryFieldIsDescribed compares the structs with the table of fields.
func TestEveryFieldIsDescribed(t *testing.T) {
	var schema map[string]any
	if err := json.Unmarshal(planspec.Schema(), &schema); err != nil {
		t.Fatal(err)
	}
	var paths []string
	var walk func(path string, node map[string]any)
	walk = func(path string, node map[string]any) {
		if items, ok := node["items"].(map[string]any); ok {
			walk(path+"[]", items)
		}
		properties, _ := node["properties"].(map[string]any)
		for name, property := range properties {
			there := strings.TrimPrefix(path+"."+name, ".")
			paths = append(paths, there)
			if property.(map[string]any)["description"] == nil {
				t.Errorf("%s has no description", there)
			}
			walk(there, property.(map[string]any))
		}
	}
	walk("", schema)
	slices.Sort(paths)
	if diff := cmp.Diff(planspec.FieldPaths(), paths); diff != "" {
		t.Errorf("the table of fields and the structs differ (-table +structs):\n%s", diff)
	}
}
