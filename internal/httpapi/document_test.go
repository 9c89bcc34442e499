package httpapi_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/httpapi"
)

// TestDocumentIsOpenAPI asks a validator that 'make test' installs.
func TestDocumentIsOpenAPI(t *testing.T) {
	document, err := httpapi.Document()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "openapi.json")
	if err := os.WriteFile(file, document, 0o600); err != nil {
		t.Fatal(err)
	}
	validator := filepath.Join("..", "..", ".tools", "python", "bin", "openapi-spec-validator")
	if out, err := exec.CommandContext(t.Context(), validator, "--schema", "3.1", file).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestEverySchemaIsJSONSchema(t *testing.T) {
	s, err := document()
	if err != nil {
		t.Fatal(err)
	}
	components, _ := valueAt(s.document, "components", "schemas")
	for name := range components.(map[string]any) {
		if _, err := s.at("components", "schemas", name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestEveryOperationIsDescribed(t *testing.T) {
	s, err := document()
	if err != nil {
		t.Fatal(err)
	}
	ids := map[string]bool{}
	for path, item := range s.document["paths"].(map[string]any) {
		if !strings.HasPrefix(path, api.Prefix+"/") {
			t.Errorf("%s is not below %s", path, api.Prefix)
		}
		for method, operation := range item.(map[string]any) {
			op := operation.(map[string]any)
			id, _ := op["operationId"].(string)
			if summary, _ := op["summary"].(string); id == "" || ids[id] || summary == "" {
				t.Errorf("%s %s has the id %q, which must be its own, and the summary %q", method, path, id, summary)
			}
			ids[id] = true
			for _, status := range []string{"401", "403", "422", "429", "500", "503"} {
				if _, ok := valueAt(op, "responses", status); !ok {
					t.Errorf("%s does not document %s", id, status)
				}
			}
			if strings.Contains(path, "{id}") && op["responses"].(map[string]any)["404"] == nil {
				t.Errorf("%s does not document 404", id)
			}
		}
	}
}

func TestDocumentIsServedAsItIsWritten(t *testing.T) {
	w := newFixture(t)
	document, err := httpapi.Document()
	if err != nil {
		t.Fatal(err)
	}
	served := w.get("/api/openapi.json").is(200)
	want, err := jsonschema.UnmarshalJSON(bytes.NewReader(document))
	if err != nil {
		t.Fatal(err)
	}
	yaml := w.get("/api/openapi.yaml").is(200)
	fromYAML, err := toJSON(yaml.body)
	if err != nil {
		t.Fatal(err)
	}
	for form, data := range map[string][]byte{"JSON": served.body, "YAML": fromYAML} {
		got, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		if paths, ok := valueAt(got, "paths"); !ok || len(paths.(map[string]any)) != len(want.(map[string]any)["paths"].(map[string]any)) {
			t.Errorf("the %s has other paths", form)
		}
	}
}

// TestUnitsAreListed holds the units that the document lists by hand against those
// of the vocabulary.
func TestUnitsAreListed(t *testing.T) {
	s, err := document()
	if err != nil {
		t.Fatal(err)
	}
	units := map[any]bool{}
	for _, m := range experiment.Metrics() {
		units[string(m.Unit())] = true
	}
	listed, _ := valueAt(s.document, "components", "schemas", "Metric", "properties", "unit", "enum")
	figures, _ := valueAt(s.document, "components", "schemas", "Figure", "properties", "unit", "enum")
	for unit := range units {
		if !slices.Contains(listed.([]any), unit) || !slices.Contains(figures.([]any), unit) {
			t.Errorf("unit %v is not in the document: metrics have %v, figures %v", unit, listed, figures)
		}
	}
	if len(listed.([]any)) != len(units) {
		t.Errorf("metrics have the units %v in the document, want %v", listed, units)
	}
}

func TestMetricsAreListed(t *testing.T) {
	s, err := document()
	if err != nil {
		t.Fatal(err)
	}
	parameters, _ := valueAt(s.document, "paths", api.Prefix+"/comparison", "get", "parameters")
	for _, p := range parameters.([]any) {
		if name, _ := valueAt(p, "name"); name == "metric" {
			listed, _ := valueAt(p, "schema", "enum")
			if len(listed.([]any)) != len(experiment.Metrics()) {
				t.Errorf("the parameter takes %v, want all metrics", listed)
			}
			return
		}
	}
	t.Error("the comparison has no parameter of the metric")
}
