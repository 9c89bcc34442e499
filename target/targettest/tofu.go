package targettest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	tfjson "github.com/hashicorp/terraform-json"
)

// Options say how [NewRoot] makes a root module.
type Options struct {
	Files       map[string]string // path below the module's folder → content
	Mirror      string            // folder of providers, see [BuildProvider]; none if empty
	Environment []string          // added to OpenTofu's environment, which is made from nothing
}

// Root is a root module in a folder of its own, with its state, and the real
// OpenTofu to run it.
type Root struct {
	Dir string

	t      *testing.T
	binary string
	env    []string
}

// Result is what became of a command.
type Result struct {
	Args   []string
	Code   int    // -1 if a signal ended it
	Output string // both streams
}

// NewRoot makes a root module and initialises it.
func NewRoot(t *testing.T, o Options) *Root {
	t.Helper()
	base := t.TempDir()
	r := &Root{Dir: filepath.Join(base, "root"), t: t, binary: Tofu(t)}
	for name, content := range o.Files {
		r.Write(name, content)
	}
	config := filepath.Join(base, "tofu.rc")
	mirror := fmt.Sprintf("provider_installation {\n  filesystem_mirror {\n    path = %q\n  }\n}\n", o.Mirror)
	if err := os.WriteFile(config, []byte(mirror), 0o600); err != nil {
		t.Fatal(err)
	}
	r.env = append([]string{
		"TF_CLI_CONFIG_FILE=" + config,
		"TF_DATA_DIR=" + filepath.Join(base, "data"),
		"TF_IN_AUTOMATION=1",
		"HOME=" + base,
		"PATH=/usr/bin:/bin",
	}, o.Environment...)
	r.Must("init", "-input=false")
	return r
}

// Write writes a file of the module.
func (r *Root) Write(name, content string) {
	r.t.Helper()
	path := filepath.Join(r.Dir, name)
	if err := errors.Join(
		os.MkdirAll(filepath.Dir(path), 0o700),
		os.WriteFile(path, []byte(content), 0o600),
	); err != nil {
		r.t.Fatal(err)
	}
}

// Setenv sets a variable of OpenTofu's environment from now on.
func (r *Root) Setenv(name, value string) {
	r.env = append(r.env, name+"="+value) // the last one counts
}

// Command is an OpenTofu command that is ready to start, without colours.
func (r *Root) Command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, r.binary, append(args, "-no-color")...)
	cmd.Dir, cmd.Env = r.Dir, r.env
	cmd.WaitDelay = 10 * time.Second // for whoever still holds the output
	return cmd
}

// Run runs an OpenTofu command to its end, whatever that is.
func (r *Root) Run(args ...string) Result {
	r.t.Helper()
	var output bytes.Buffer
	cmd := r.Command(r.t.Context(), args...)
	cmd.Stdout, cmd.Stderr = &output, &output
	err := cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
		r.t.Fatalf("tofu %s: %v\n%s", strings.Join(args, " "), err, &output)
	} else if ok {
		return Result{Args: args, Code: exit.ExitCode(), Output: output.String()}
	}
	return Result{Args: args, Output: output.String()}
}

// Must runs an OpenTofu command that has to succeed.
func (r *Root) Must(args ...string) Result {
	r.t.Helper()
	result := r.Run(args...)
	if result.Code != 0 {
		r.t.Fatalf("tofu %s: exit code %d, want 0\n%s", strings.Join(args, " "), result.Code, result.Output)
	}
	return result
}

// Plan plans into the file "plan" and returns what was planned.
func (r *Root) Plan(args ...string) *tfjson.Plan {
	r.t.Helper()
	r.Must(append([]string{"plan", "-input=false", "-out=plan"}, args...)...)
	var plan tfjson.Plan
	r.decode(&plan, "show", "-json", "plan")
	return &plan
}

// Outputs returns the outputs of the state.
func (r *Root) Outputs() map[string]json.RawMessage {
	r.t.Helper()
	var outputs map[string]struct {
		Value json.RawMessage `json:"value"`
	}
	r.decode(&outputs, "output", "-json")
	values := make(map[string]json.RawMessage, len(outputs))
	for name, o := range outputs {
		values[name] = o.Value
	}
	return values
}

// decode decodes what a command prints.
func (r *Root) decode(into any, args ...string) {
	r.t.Helper()
	result := r.Must(args...)
	if err := json.Unmarshal([]byte(result.Output), into); err != nil {
		r.t.Fatalf("tofu %s: %v\n%s", strings.Join(args, " "), err, result.Output)
	}
}

// Addresses returns the addresses of the resources in the state, by line.
func (r *Root) Addresses() []string {
	r.t.Helper()
	return strings.Fields(r.Must("state", "list").Output)
}

// Tofu is the OpenTofu of this repository.
func Tofu(t *testing.T) string {
	t.Helper()
	root, err := repository()
	if err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(root, ".tools", "bin", "tofu")
	if _, err := os.Stat(binary); err != nil {
		t.Fatalf("no OpenTofu to test with: %v: run make setup", err)
	}
	return binary
}

// BuildProvider builds a provider of this repository into a mirror for
// [Options]. The source is its address in OpenTofu, the package one of this
// module.
func BuildProvider(mirror, source, pkg string) error {
	const version = "0.0.1"
	name := "terraform-provider-" + filepath.Base(source) + "_v" + version
	return build(filepath.Join(mirror, source, version, runtime.GOOS+"_"+runtime.GOARCH, name), pkg)
}

// BuildProbe builds the suite's service into a folder of artifacts, as
// probe@1.
func BuildProbe(artifacts string) error {
	return build(filepath.Join(artifacts, "probe", "1", "probe"), "dec.local/dec/target/targettest/probe")
}

func build(to, pkg string) error {
	root, err := repository()
	if err != nil {
		return err
	}
	cmd := exec.Command("go", "build", "-trimpath", "-o", to, pkg) // as make builds: it is compiled already
	cmd.Dir, cmd.Env = root, append(os.Environ(), "CGO_ENABLED=0")
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", pkg, err, output)
	}
	return nil
}

// repository finds the root of this repository from the folder of a test.
func repository() (string, error) {
	start, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("no go.mod above %s", start)
		}
	}
}
