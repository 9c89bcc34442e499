package tofu_test

import (
	"encoding/json"
	"errors"
	"os/exec"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/tofu"
)

// stackOf returns a file system with the stack t/stacks/s of these variables.
func stackOf(variables string) fstest.MapFS {
	return fstest.MapFS{
		"t/stacks/s/variables.tf": {Data: []byte(variables)},
		"t/stacks/s/stack.json":   {Data: []byte(`{"title": "S", "description": "D", "options": []}`)},
	}
}

// readStack reads t/stacks/s.
func readStack(t *testing.T, variables string) *tofu.Stack {
	t.Helper()
	s, err := tofu.ReadStack(stackOf(variables), "t", "s")
	if err != nil {
		t.Fatalf("ReadStack() = %v", err)
	}
	return s
}

func TestSchemaCarriesWhatJSONSchemaCanSay(t *testing.T) {
	tests := map[string]struct {
		variable string // the body of variable "x"
		want     string
	}{
		"a text with a default": {
			`type = string
			default = "a"
			description = "An x."`,
			`{"type": "string", "default": "a", "description": "An x."}`,
		},
		"contains is an enum": {
			`type = string
			default = "a"
			validation {
				condition = contains(["a", "b"], var.x)
				error_message = "Write a or b."
			}`,
			`{"type": "string", "default": "a", "enum": ["a", "b"], "x-message": {"enum": "Write a or b."}}`,
		},
		"comparisons are bounds, from either side": {
			`type = number
			default = 3
			validation {
				condition = 1 <= var.x && var.x < 9 && floor(var.x) == var.x
				error_message = "Write 1 to 8."
			}`,
			`{"type": "integer", "default": 3, "minimum": 1, "exclusiveMaximum": 9,
			  "x-message": {"type": "Write 1 to 8.", "minimum": "Write 1 to 8.", "exclusiveMaximum": "Write 1 to 8."}}`,
		},
		"a second rule of a kind holds as well": {
			`type = number
			default = 3
			validation {
				condition = var.x > 0
				error_message = "Write more than 0."
			}
			validation {
				condition = var.x > 1
				error_message = "Write more than 1."
			}`,
			`{"type": "number", "default": 3, "exclusiveMinimum": 0, "x-message": {"exclusiveMinimum": "Write more than 0."},
			  "allOf": [{"exclusiveMinimum": 1, "x-message": {"exclusiveMinimum": "Write more than 1."}}]}`,
		},
		"a regular expression is a pattern": {
			`type = string
			default = "5ms"
			validation {
				condition = can(regex("^[0-9]+ms$", var.x)) && length(var.x) > 2
				error_message = "Write 5ms."
			}`,
			`{"type": "string", "default": "5ms", "pattern": "^[0-9]+ms$", "minLength": 3, "x-message": {"pattern": "Write 5ms.", "minLength": "Write 5ms."}}`,
		},
		"a regular expression that JavaScript reads differently is left to the server": {
			`type = string
			default = "a"
			validation {
				condition = can(regex("(?i)^a$", var.x))
				error_message = "Write a."
			}`,
			`{"type": "string", "default": "a"}`,
		},
		"a default of null lets null pass": {
			`type = string
			default = null
			validation {
				condition = var.x == null ? true : contains(["a"], var.x)
				error_message = "Write a."
			}`,
			`{"type": ["string", "null"], "default": null, "enum": ["a", null], "x-message": {"enum": "Write a."}}`,
		},
		"a rule for all elements is a rule of the items": {
			`type = list(number)
			default = [1]
			validation {
				condition = length(var.x) >= 1 && alltrue([for p in var.x : p >= 0])
				error_message = "Write numbers."
			}`,
			`{"type": "array", "default": [1], "minItems": 1, "x-message": {"minItems": "Write numbers."},
			  "items": {"type": "number", "minimum": 0, "x-message": {"minimum": "Write numbers."}}}`,
		},
		"an object has its attributes": {
			`type = object({ a = number, b = optional(string) })
			default = { a = 1 }`,
			`{"type": "object", "properties": {"a": {"type": "number"}, "b": {"type": "string"}}, "required": ["a"],
			  "additionalProperties": false, "default": {"a": 1, "b": null}}`,
		},
		"a disjunction is left to the server": {
			`type = number
			default = 1
			validation {
				condition = var.x == 1 || var.x > 5
				error_message = "Write 1 or more than 5."
			}`,
			`{"type": "number", "default": 1}`,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := readStack(t, "variable \"x\" {\n"+tt.variable+"\n}\n")
			var got struct {
				Properties map[string]any `json:"properties"`
			}
			var want any
			if err := errors.Join(json.Unmarshal(s.Schema, &got), json.Unmarshal([]byte(tt.want), &want)); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got.Properties["x"]); diff != "" {
				t.Errorf("ReadStack().Schema of x (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSchemaOfAStack(t *testing.T) {
	fsys := stackOf(`
variable "b" { type = string }
variable "a" {
  type    = number
  default = 1
}
variable "addresses" { default = {} }
variable "network" { default = {} }
`)
	fsys["t/stacks/s/stack.json"].Data = []byte(`{"title": "S", "description": "D", "targets": ["local"], "options": ["a"]}`)
	s, err := tofu.ReadStack(fsys, "t", "s")
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(s.Schema, &got); err != nil {
		t.Fatal(err)
	}
	delete(got, "$schema")
	want := map[string]any{
		"type": "object", "additionalProperties": false, "required": []any{"b"}, "x-order": []any{"a", "b"},
		"properties": map[string]any{"a": map[string]any{"type": "number", "default": 1.0}, "b": map[string]any{"type": "string"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("ReadStack().Schema (-want +got):\n%s", diff)
	}
	if s.Title != "S" || s.Description != "D" || !cmp.Equal(s.Targets, []string{"local"}) {
		t.Errorf("ReadStack() = %+v, want what stack.json says", s)
	}
}

func TestReadStackRefuses(t *testing.T) {
	tests := map[string]struct {
		variables string
		want      string
	}{
		"a function that DEC can't evaluate": {
			`variable "x" {
				default = "a"
				validation {
					condition = fileexists(var.x)
					error_message = "No."
				}
			}`, `the function fileexists`,
		},
		"a reference to something else than options": {
			`variable "x" {
				default = "a"
				validation {
					condition = var.addresses == var.x
					error_message = "No."
				}
			}
			variable "addresses" {}`, `"x" refers to var`,
		},
		"a default that breaks a validation": {
			`variable "x" {
				default = "a"
				validation {
					condition = var.x == "b"
					error_message = "Write b."
				}
			}`, `a default violates a validation: x: Write b.`,
		},
		"a default of the wrong type": {
			`variable "x" {
				type = number
				default = "a"
			}`, `variables.tf:3: Invalid default of x`,
		},
		"a sensitive option": {
			`variable "x" {
				default = "a"
				sensitive = true
			}`, `"x" is sensitive`,
		},
		"broken HCL": {`variable "x" {`, `variables.tf:1`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := tofu.ReadStack(stackOf(tt.variables), "t", "s")
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("ReadStack() = %v, want an error with %q", err, tt.want)
			}
		})
	}
	if _, err := tofu.ReadStack(stackOf(""), "t", "none"); !errors.Is(err, experiment.ErrNotFound) {
		t.Errorf("ReadStack(none) = %v, want ErrNotFound", err)
	}
	if _, err := tofu.ReadStack(stackOf(""), "t", "../stacks/s"); !errors.Is(err, experiment.ErrNotFound) {
		t.Errorf("ReadStack(../stacks/s) = %v, want ErrNotFound", err)
	}
}

const checked = `
variable "brokers" {
  type        = number
  default     = 1
  validation {
    condition     = contains([1, 3], var.brokers)
    error_message = "Write 1 or 3, not ${var.brokers}."
  }
}
variable "storage" {
  type    = string
  default = "file"
  validation {
    condition     = length(var.storage) < 40 && !startswith(lower(var.storage), "mem")
    error_message = "Write file."
  }
}
variable "replicas" {
  type    = number
  default = null
  validation {
    condition     = var.replicas == null ? true : var.replicas <= var.brokers
    error_message = "There are only ${var.brokers} brokers."
  }
}
variable "limits" {
  type    = object({ memory = optional(number, 64), names = optional(list(string), []) })
  default = {}
}
`

func TestCheck(t *testing.T) {
	tests := map[string]struct {
		options string
		want    string // JSON of what differs from the defaults; "" for problems
		faults  experiment.Problems
	}{
		"nothing given means the defaults":   {options: `{}`, want: `{}`},
		"a value in its range":               {options: `{"brokers": 3}`, want: `{"brokers": 3}`},
		"null where the default is null":     {options: `{"replicas": null}`, want: `{}`},
		"optional attributes are filled in":  {options: `{"limits": {"names": ["a"]}}`, want: `{"limits": {"memory": 64, "names": ["a"]}}`},
		"a template is a text":               {options: `{"storage": "${file(\"x\")}"}`, want: `{"storage": "${file(\"x\")}"}`},
		"a command line is a text":           {options: `{"storage": "\"; rm -rf /"}`, want: `{"storage": "\"; rm -rf /"}`},
		"a rule over two options that holds": {options: `{"brokers": 3, "replicas": 2}`, want: `{"brokers": 3, "replicas": 2}`},
		"out of validation":                  {options: `{"brokers": 2}`, faults: experiment.Problems{{Path: "brokers", Message: "Write 1 or 3, not 2."}}},
		"a rule over two options":            {options: `{"replicas": 2}`, faults: experiment.Problems{{Path: "replicas", Message: "There are only 1 brokers."}}},
		"an unknown option":                  {options: `{"broker": 1}`, faults: experiment.Problems{{Path: "broker", Message: `unknown option; did you mean "brokers"?`}}},
		"an option like no other":            {options: `{"zzzzz": 1}`, faults: experiment.Problems{{Path: "zzzzz", Message: `unknown option; known names: brokers, storage, replicas, limits`}}},
		"a text is no number":                {options: `{"brokers": "3"}`, faults: experiment.Problems{{Path: "brokers", Message: `must be a number, not the text "3"`}}},
		"a number is no text":                {options: `{"storage": 3}`, faults: experiment.Problems{{Path: "storage", Message: `must be text, not the number 3`}}},
		"null where there is a default":      {options: `{"brokers": null}`, faults: experiment.Problems{{Path: "brokers", Message: `must not be null; omit it to use the default`}}},
		"faults inside a value have their path": {
			options: `{"limits": {"names": ["a", 1], "memry": 1}}`,
			faults: experiment.Problems{
				{Path: "limits.memry", Message: `unknown attribute; did you mean "memory"?`},
				{Path: "limits.names[1]", Message: `must be text, not the number 1`},
			},
		},
		"all faults at once": {
			options: `{"brokers": 2, "storage": "memory"}`,
			faults:  experiment.Problems{{Path: "brokers", Message: "Write 1 or 3, not 2."}, {Path: "storage", Message: "Write file."}},
		},
	}
	s := readStack(t, checked)
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var options map[string]json.RawMessage
			if err := json.Unmarshal([]byte(tt.options), &options); err != nil {
				t.Fatal(err)
			}
			got, err := s.Check(options)
			if len(tt.faults) > 0 {
				problems, ok := errors.AsType[*experiment.Problems](err)
				if !ok {
					t.Fatalf("Check(%s) = %v, want Problems", tt.options, err)
				}
				if diff := cmp.Diff(tt.faults, *problems); diff != "" {
					t.Errorf("Check(%s) (-want +got):\n%s", tt.options, diff)
				}
				return
			}
			if err != nil {
				t.Fatalf("Check(%s) = %v", tt.options, err)
			}
			want := map[string]json.RawMessage{
				"brokers": json.RawMessage(`1`), "storage": json.RawMessage(`"file"`), "replicas": json.RawMessage(`null`),
				"limits": json.RawMessage(`{"memory":64,"names":[]}`),
			}
			if err := json.Unmarshal([]byte(tt.want), &want); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(values(t, want), values(t, got)); diff != "" {
				t.Errorf("Check(%s) (-want +got):\n%s", tt.options, diff)
			}
		})
	}
}

// values decodes each value.
func values(t *testing.T, raw map[string]json.RawMessage) map[string]any {
	t.Helper()
	decoded := map[string]any{}
	for name, data := range raw {
		var value any
		if err := json.Unmarshal(data, &value); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		decoded[name] = value
	}
	return decoded
}

func TestFunctionsAgreeWithOpenTofu(t *testing.T) {
	conditions := []string{
		`length("aé") == 2`, `length([1, 2]) == 2`, `length({ a = 1 }) == 1`, `length(toset(["a", "a"])) == 1`,
		`alltrue([])`, `!anytrue([])`, `alltrue([true, true])`, `!alltrue([true, false])`, `anytrue([false, true])`, `!alltrue([true, null])`,
		`sum([1, 2.5]) == 3.5`, `startswith("ab", "a")`, `endswith("ab", "b")`, `strcontains("abc", "b")`,
		`can(regex("^a+$", "aaa"))`, `!can(regex("^a+$", "b"))`, `can(tonumber("3"))`, `!can(tonumber("x"))`, `try(tonumber("x"), 4) == 4`,
		`max(1, 2) == 2`, `min(1, 2) == 1`, `floor(1.5) == 1`, `ceil(1.5) == 2`, `lower("A") == "a"`, `contains(["a"], "a")`, `tostring(3) == "3"`,
		`!can(sum([]))`, `!can(length(3))`,
	}
	for _, condition := range conditions {
		t.Run(condition, func(t *testing.T) {
			s := readStack(t, "variable \"x\" {\n  default = 1\n  validation {\n    condition = ("+condition+") && var.x == 1\n    error_message = \"Broken.\"\n  }\n}\n")
			if _, err := s.Check(nil); err != nil {
				t.Errorf("Check() = %v, want %s to hold", err, condition)
			}
		})
	}
	command := exec.CommandContext(t.Context(), binary(t), "-chdir="+t.TempDir(), "console")
	command.Env = []string{"HOME=" + t.TempDir()}
	command.Stdin = strings.NewReader("alltrue([" + strings.Join(conditions, ", ") + "])\n")
	if out, err := command.CombinedOutput(); err != nil || strings.TrimSpace(string(out)) != "true" {
		t.Errorf("OpenTofu does not agree that all hold: %s, %v", out, err)
	}
}
