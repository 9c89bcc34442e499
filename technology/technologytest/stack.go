package technologytest

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"dec.local/dec/internal/identity"
	"dec.local/dec/technology"
)

// Stack is what a stack outputs for some options and addresses.
type Stack struct {
	Groups    map[string]Group             `json:"groups"`
	Services  map[string]Service           `json:"services"`
	Secrets   map[string]map[string]string `json:"secrets"` // service → path → content
	Endpoints json.RawMessage              `json:"endpoints"`
}

// Group is a number of equal nodes.
type Group struct {
	Count int      `json:"count"`
	Ports []string `json:"ports"`
}

// Service is one process on a node.
type Service struct {
	Group       string            `json:"group"`
	Index       int               `json:"index"`
	Command     []string          `json:"command"`
	Environment map[string]string `json:"environment"`
	Files       map[string]string `json:"files"`
	Artifacts   map[string]string `json:"artifacts"` // link in the working folder → name@version
	Readiness   struct {
		Log     string  `json:"log"`     // a regular expression that a line of the output matches
		Port    string  `json:"port"`    // name of a port of its node
		Timeout float64 `json:"timeout"` // seconds
	} `json:"readiness"`
	Grace float64 `json:"grace"` // seconds
}

// Address is where a node listens.
type Address struct {
	Host  string         `json:"host"`
	Ports map[string]int `json:"ports"`
}

// Evaluate lets OpenTofu compute the outputs of a stack, without any target.
// The error is what OpenTofu says, such as the message of a validation.
func Evaluate(t testing.TB, technologyName, stackName string, options map[string]any, addresses map[string][]Address) (Stack, error) {
	t.Helper()
	dir := t.TempDir()
	stackFiles, err := fs.Sub(technology.Stacks, technologyName+"/stacks/"+stackName)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(filepath.Join(dir, "stack"), stackFiles); err != nil {
		t.Fatalf("copy stack %s/%s: %v", technologyName, stackName, err)
	}
	unveil(t, filepath.Join(dir, "stack"))
	if addresses == nil {
		addresses = map[string][]Address{}
	}
	module := map[string]any{"source": "./stack", "addresses": "${var.addresses}"}
	given := special(t, filepath.Join(dir, "stack"))
	for name := range given {
		module[name] = fmt.Sprintf("${var.special[%q]}", name)
	}
	for option := range options {
		module[option] = fmt.Sprintf("${var.options[%q]}", option)
	}
	anyType := map[string]any{"type": "any"}
	writeJSON(t, filepath.Join(dir, "main.tf.json"), map[string]any{
		"variable": map[string]any{"options": anyType, "addresses": anyType, "special": anyType},
		"module":   map[string]any{"stack": module},
		"output":   map[string]any{"stack": map[string]any{"value": "${module.stack}", "sensitive": true}},
	})
	writeJSON(t, filepath.Join(dir, "terraform.tfvars.json"), map[string]any{"options": options, "addresses": addresses, "special": given})

	var output []byte
	for _, arguments := range [][]string{{"init"}, {"apply", "-auto-approve", "-compact-warnings"}, {"output", "-json", "stack"}} {
		if output, err = tofu(t, dir, arguments...); err != nil {
			return Stack{}, err
		}
	}
	var s Stack
	if err := json.Unmarshal(output, &s); err != nil {
		t.Fatalf("decode the outputs of stack %s/%s: %v", technologyName, stackName, err)
	}
	return s, nil
}

// special are the values of the variables that DEC gives to a stack, of those
// that it declares.
func special(t testing.TB, dir string) map[string]any {
	t.Helper()
	ca, tls, err := identity.New("test.dec.internal", time.Now().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]any{
		"topology": map[string]any{"partitions": 1, "replicas": 1, "consumer_groups": 1, "retention_bytes": 2 << 30, "outgrows": false},
		"run":      map[string]any{"id": "run-1", "install": "test", "expires_at": time.Now().Add(time.Hour).UTC().Format(time.RFC3339)},
		"agent":    AgentArtifact,
		"ca":       ca,
		"tls":      tls,
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.tf"))
	if err != nil {
		t.Fatal(err)
	}
	declared := map[string]any{}
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range all {
			if regexp.MustCompile(`(?m)^variable "` + name + `"`).Match(source) {
				declared[name] = value
			}
		}
	}
	return declared
}

// AgentArtifact is what a stack gets for the build of dec-agent. [Start] makes
// one of the present source.
const AgentArtifact = "dec-agent@test"

// unveil lets the secrets of a copied stack, which OpenTofu would show nobody, be
// outputs like any other.
func unveil(t testing.TB, dir string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.tf"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, ephemeral.ReplaceAll(source, nil), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// ephemeral is the line that makes a variable or an output ephemeral.
var ephemeral = regexp.MustCompile(`(?m)^\s*ephemeral\s*=\s*true$`)

// tofu runs the pinned OpenTofu in an environment of its own.
func tofu(t testing.TB, dir string, arguments ...string) ([]byte, error) {
	t.Helper()
	config := filepath.Join(dir, "tofurc")
	if err := os.WriteFile(config, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), tool(t, "bin/tofu"), arguments...)
	command.Dir = dir
	command.Env = []string{
		"TF_CLI_CONFIG_FILE=" + config, "TF_IN_AUTOMATION=1", "TF_INPUT=0", "TF_CLI_ARGS=-no-color",
		"HOME=" + dir, "CHECKPOINT_DISABLE=1",
	}
	var stderr strings.Builder
	command.Stderr = &stderr
	output, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("tofu %s: %w\n%s", arguments[0], err, stderr.String())
	}
	return output, nil
}

// tool returns the absolute path of something that make setup installs.
func tool(t testing.TB, path string) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the test's folder")
		}
		dir = filepath.Dir(dir)
	}
	found := filepath.Join(dir, ".tools", path)
	if _, err := os.Stat(found); err != nil {
		t.Fatalf(".tools/%s is missing: run make setup", path)
	}
	return found
}

func writeJSON(t testing.TB, path string, value any) {
	t.Helper()
	data, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}
