package tofu_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/tofu"
)

const canary = "canary-2236067977"

// secretStack has a secret option and one that is not.
const secretStack = `
variable "token" {
  type      = string
  default   = null
  sensitive = true
  ephemeral = true
  validation {
    condition     = var.token == null || can(regex("^[a-z0-9-]{8,}$", var.token))
    error_message = "token must be 8 letters or more."
  }
  validation {
    condition     = var.token == null || tonumber(split(":", "${var.token}:1")[1]) == 1
    error_message = "token must not have a colon."
  }
}
variable "size" {
  default = 1
}
`

func TestSplit(t *testing.T) {
	stack := readStack(t, secretStack)
	if !stack.Secret("token") || stack.Secret("size") || stack.Secret("other") {
		t.Error("Secret() is not true for token alone")
	}
	raw := func(text string) json.RawMessage { return json.RawMessage(text) }
	tests := map[string]struct {
		options, plain, secret map[string]json.RawMessage
	}{
		"both":          {map[string]json.RawMessage{"token": raw(`"abcdefgh"`), "size": raw("2")}, map[string]json.RawMessage{"size": raw("2")}, map[string]json.RawMessage{"token": raw(`"abcdefgh"`)}},
		"none":          {nil, map[string]json.RawMessage{}, map[string]json.RawMessage{}},
		"a null secret": {map[string]json.RawMessage{"token": raw(" null")}, map[string]json.RawMessage{}, map[string]json.RawMessage{}},
		"unknown":       {map[string]json.RawMessage{"x": raw("1")}, map[string]json.RawMessage{"x": raw("1")}, map[string]json.RawMessage{}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			plain, secret := stack.Split(tt.options)
			if diff := cmp.Diff([]map[string]json.RawMessage{tt.plain, tt.secret}, []map[string]json.RawMessage{plain, secret}); diff != "" {
				t.Errorf("Split() (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSchemaMarksSecrets(t *testing.T) {
	var schema struct {
		Properties map[string]map[string]any `json:"properties"`
	}
	if err := json.Unmarshal(readStack(t, secretStack).Schema, &schema); err != nil {
		t.Fatal(err)
	}
	if token := schema.Properties["token"]; token["writeOnly"] != true || token["x-secret"] != true {
		t.Errorf("schema of a secret = %v, want writeOnly and x-secret", token)
	}
	if size := schema.Properties["size"]; size["writeOnly"] != nil || size["x-secret"] != nil {
		t.Errorf("schema of size = %v, want neither writeOnly nor x-secret", size)
	}
}

func TestCheckTellsNoSecret(t *testing.T) {
	tests := map[string]struct {
		token, want string // no want: it is accepted
	}{
		"a good one":                    {`"abcdefgh"`, ""},
		"null":                          {`null`, ""},
		"against the pattern":           {`"CANARY"`, "token: token must be 8 letters or more."},
		"a number":                      {`314159265`, "token: must be text"},
		"an object":                     {`{"CANARY": 1}`, "token: must be text"},
		"no JSON":                       {`"CANARY`, "token: must be text"},
		"a rule that can't be computed": {`"abc:CANARY"`, "token: the stack's validation of it cannot be evaluated"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := readStack(t, secretStack).Check(map[string]json.RawMessage{"token": json.RawMessage(tt.token)})
			text := ""
			if err != nil {
				text = err.Error()
			}
			if (tt.want == "") != (err == nil) || !strings.Contains(text, tt.want) {
				t.Errorf("Check(token = %s) = %v, want %q", tt.token, err, tt.want)
			}
			if strings.Contains(text, "CANARY") || strings.Contains(text, "314159265") {
				t.Errorf("Check(token = %s) tells the secret: %v", tt.token, err)
			}
		})
	}
}

func TestReadStackRefusesLeakySecrets(t *testing.T) {
	tests := map[string]struct{ variables, want string }{
		"sensitive only":      {`variable "x" { sensitive = true }`, `"x" is sensitive but not ephemeral`},
		"ephemeral only":      {`variable "x" { ephemeral = true }`, `"x" is ephemeral but not sensitive`},
		"without a default":   {"variable \"x\" {\n sensitive = true\n ephemeral = true\n}", `"x" is secret: set default = null`},
		"with a default":      {"variable \"x\" {\n default = \"a\"\n sensitive = true\n ephemeral = true\n}", `"x" is secret: set default = null`},
		"told by its message": {strings.Replace(secretStack, "8 letters or more", "${var.token}", 1), `would reveal the secret "token"`},
		"told by another's": {secretStack + `variable "y" {
			default = 1
			validation {
				condition     = var.y == 1
				error_message = "not ${var.token}"
			}
		}`, `the error_message of "y" would reveal the secret "token"`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := tofu.ReadStack(stackOf(tt.variables), "t", "s")
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("ReadStack() = %v, want an error with %q", err, tt.want)
			}
		})
	}
}

func TestProvisionRefusesMisplacedSecrets(t *testing.T) {
	tests := map[string]struct {
		options, secrets map[string]json.RawMessage
		want             string
	}{
		"a secret among the options":  {map[string]json.RawMessage{"token": json.RawMessage(`"` + canary + `"`)}, nil, `the options contain the secrets ["token"]`},
		"an option among the secrets": {nil, map[string]json.RawMessage{"size": json.RawMessage("2")}, `"size" is given as a secret, but is not a secret option`},
		"a wrong secret":              {nil, map[string]json.RawMessage{"token": json.RawMessage("7")}, "token: must be text"},
		"a target that takes none":    {nil, map[string]json.RawMessage{"token": json.RawMessage(`"` + canary + `"`)}, `the target does not support secrets: remove ["token"]`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			o, log := options(t)
			o.Stacks = stackOf(secretStack)
			j := job(t, nil)
			j.Technology, j.Stack, j.Options, j.Secrets = "t", "s", tt.options, tt.secrets
			_, err := newRunner(t, o).Provision(t.Context(), j, func(experiment.Resource) {})
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), canary) {
				t.Errorf("Provision() = %v, want an error with %q", err, tt.want)
			}
			if len(log.attempts) > 0 {
				t.Errorf("attempts = %+v, want none", log.attempts)
			}
		})
	}
}
