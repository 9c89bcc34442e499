package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dec.local/dec/technology"
	"dec.local/dec/technology/all"
)

const root = "../.."

func TestDocumentsSayWhatTheProgramDoes(t *testing.T) {
	files, err := generate(root, all.Technologies())
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 4 {
		t.Errorf("only %d files are generated", len(files))
	}
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(got), want); diff != "" {
			t.Errorf("%s is stale, run go generate ./internal/reference (-file +want):\n%s", name, diff)
		}
	}
}

// TestStackGetsItsTable adds a stack to a README without a table, changes an
// option, and wants nothing else to change. Then it registers the technology.
func TestStackGetsItsTable(t *testing.T) {
	root := t.TempDir()
	put := func(name, content string) {
		path := filepath.Join(root, "technology", "toy", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	readme := func(registered ...technology.Technology) string {
		t.Helper()
		if err := write(root, registered); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(filepath.Join(root, "technology", "toy", "README.md"))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	put("README.md", "# Toy\n")
	put("../../README.md", "# Top\n"+technologiesBegin+technologiesEnd+"The end.\n")
	put("stacks/one/stack.json", `{"title": "One", "description": "One toy.", "options": ["nodes", "disk", "password", "name"]}`)
	put("stacks/one/main.tf", `output "groups" { value = {} }`)
	variables := `
variable "nodes" {
  type        = number
  default     = 1
  description = "Nodes | machines."
  validation {
    condition     = var.nodes >= 1 && var.nodes < 6 && floor(var.nodes) == var.nodes
    error_message = "nodes must be a whole number from 1 to 5."
  }
}
variable "disk" {
  type        = string
  default     = "ssd"
  description = "Disk."
  validation {
    condition     = contains(["ssd", "hdd"], var.disk)
    error_message = "disk must be ssd or hdd."
  }
}
variable "password" {
  type        = string
  default     = null
  sensitive   = true
  ephemeral   = true
  description = "Password."
}
variable "name" {
  type        = string
  description = "Name."
}
`
	put("stacks/one/variables.tf", variables)
	want := "# Toy\n\n## Options of `one`\n\n" + `<!-- options of one: go generate ./internal/reference -->
| option | values | default | meaning |
|---|---|---|---|
| ` + "`nodes` | integer, ≥ 1, < 6 | `1`" + ` | Nodes \| machines. |
| ` + "`disk` | `\"ssd\"`, `\"hdd\"` | `\"ssd\"`" + ` | Disk. |
| ` + "`password`" + ` | string, secret | none | Password. |
| ` + "`name`" + ` | string | **required** | Name. |
<!-- end of options -->
`
	if diff := cmp.Diff(want, readme()); diff != "" {
		t.Errorf("README of a new stack (-want +got):\n%s", diff)
	}
	top, err := os.ReadFile(filepath.Join(root, "README.md"))
	if row := "| [Toy](technology/toy/README.md) | `one` | One toy. |\n"; err != nil || !strings.Contains(string(top), "---|\n"+row+technologiesEnd+"The end.\n") {
		t.Errorf("top README = %s, %v, want the row %s", top, err, row)
	}
	put("README.md", want+"\n## Traps\nNone.\n")
	put("stacks/one/variables.tf", strings.Replace(variables, "Disk.", "Kind of disk.", 1))
	want = strings.Replace(want, "Disk.", "Kind of disk.", 1) + "\n## Traps\nNone.\n"
	if diff := cmp.Diff(want, readme()); diff != "" {
		t.Errorf("README of a changed stack (-want +got):\n%s", diff)
	}
	toy := technology.Technology{Name: "toy", ConfigSchema: technology.ConfigSchema([]technology.ConfigField{
		{Name: "linger_ms", Default: 5, Max: 100, Doc: "How long."},
		{Name: "acks", Default: "all", Enum: []string{"all", "none"}, Doc: "Whose."},
	})}
	want += "\n## Client settings\n\n" + `<!-- client settings: go generate ./internal/reference -->
| setting | values | default | meaning |
|---|---|---|---|
| ` + "`linger_ms` | integer, ≥ 0, ≤ 100 | `5`" + ` | How long. |
| ` + "`acks` | `\"all\"`, `\"none\"` | `\"all\"`" + ` | Whose. |
<!-- end of client settings -->
`
	elsewhere := technology.Technology{Name: "elsewhere", ConfigSchema: toy.ConfigSchema}
	for range 2 {
		if diff := cmp.Diff(want, readme(toy, elsewhere)); diff != "" {
			t.Errorf("README of a registered technology (-want +got):\n%s", diff)
		}
	}
	if diff := cmp.Diff(want, readme(technology.Technology{Name: "toy", ConfigSchema: technology.ConfigSchema(nil)})); diff != "" {
		t.Errorf("README of a technology without settings (-want +got):\n%s", diff)
	}
}
