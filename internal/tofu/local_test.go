package tofu_test

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/tofu"
)

// localStack is a stack of processes that do nothing.
var localStack = fstest.MapFS{
	"idle/stacks/plain/stack.json": {Data: []byte(`{"title": "Idle", "description": "", "targets": ["local"], "options": ["text"]}`)},
	"idle/stacks/plain/main.tf": {Data: []byte(`
variable "text" { type = string }
variable "addresses" { default = {} }
output "groups" { value = { member = { count = 2, ports = ["client"] } } }
output "services" {
  value = {
    for i in range(2) : "member-${i}" => {
      group     = "member"
      index     = i
      command   = ["/bin/sh", "-c", "echo \"ready $TEXT\" && exec /usr/bin/tail -f /dev/null"]
      environment = { TEXT = var.text }
      files     = { "peers" = join(",", [for node in lookup(var.addresses, "member", []) : "${node.host}:${node.ports.client}"]) }
      readiness = { log = "^ready" }
    }
  }
}
output "endpoints" { value = [for node in lookup(var.addresses, "member", []) : node.ports.client] }
`)},
}

// localOptions returns those of a runner on the real local target, with a ledger
// of its own.
func localOptions(t *testing.T) (tofu.Options, *attemptLog) {
	t.Helper()
	o, log := options(t)
	o.Targets, o.Providers, o.Mirror = localTarget(t), []tofu.Provider{ownBuild}, t.TempDir()
	name := "terraform-provider-dec_v" + ownBuild.Version
	platform := runtime.GOOS + "_" + runtime.GOARCH
	build(t, filepath.Join(o.Mirror, "dec.local", "dec", "dec", ownBuild.Version, platform, name), "./cmd/terraform-provider-dec")
	return o, log
}

// localTarget is the real local target with a ledger of its own.
func localTarget(t *testing.T) map[string]tofu.Target {
	t.Helper()
	return map[string]tofu.Target{"local": {
		Nodes:       os.DirFS(filepath.Join(repository(t), "target", "local", "nodes")),
		Environment: map[string]string{"DEC_LOCAL_LEDGER": filepath.Join(t.TempDir(), "ledger")},
	}}
}

// ledgerOf is the folder of the local target's ledger.
func ledgerOf(o tofu.Options) string { return o.Targets["local"].Environment["DEC_LOCAL_LEDGER"] }

// build builds a program of this repository.
func build(t *testing.T, to, program string) {
	t.Helper()
	command := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-o", to, program) // as make builds: it is compiled already
	command.Dir, command.Env = repository(t), append(os.Environ(), "CGO_ENABLED=0")
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", program, err, out)
	}
}

// TestLocalTarget provisions real processes through DEC's own provider.
func TestLocalTarget(t *testing.T) {
	o, log := localOptions(t)
	o.Stacks = localStack
	r := newRunner(t, o)
	j := job(t, map[string]any{"text": `${file("x")}`})
	j.Technology, j.Target = "idle", "local"
	t.Cleanup(func() { // whatever fails, no process is left
		if err := r.Destroy(context.WithoutCancel(t.Context()), tofu.Teardown{Run: j.Run, Target: j.Target}, nil); err != nil {
			t.Logf("Destroy() = %v", err)
		}
	})

	out, err := r.Provision(t.Context(), j, nil)
	if err != nil {
		t.Fatalf("Provision() = %v", err)
	}
	var ports []int
	if err := json.Unmarshal(out.Endpoints, &ports); err != nil || len(ports) != 2 || ports[0] < 20000 || ports[0] > 29999 {
		t.Errorf("Provision() endpoints = %s, %v, want two ports of the local target", out.Endpoints, err)
	}
	want := []experiment.Intent{}
	for i, port := range ports {
		want = append(want, experiment.Intent{Address: `module.nodes.dec_port.port["member-` + strconv.Itoa(i) + `-client"]`, Action: "create", Kind: "port", ID: strconv.Itoa(port)})
	}
	for i := range ports {
		name := "member-" + strconv.Itoa(i)
		want = append(want, experiment.Intent{Address: `module.nodes.dec_process.service["` + name + `"]`, Action: "create", Kind: "process", ID: "r1-" + name})
	}
	if diff := cmp.Diff(want, log.intents[1]); diff != "" {
		t.Errorf("intents of the plan, with the ids known before (-want +got):\n%s", diff)
	}
	if created, err := r.Created(j.Run); err != nil || !cmp.Equal(want, created) {
		t.Errorf("Created() = %+v, %v, want the intents", created, err)
	}
	if got := output(t, ledgerOf(o)); got != "ready ${file(\"x\")}\nready ${file(\"x\")}\n" {
		t.Errorf("the services wrote %q, want the literal text", got)
	}
	if err := r.Destroy(t.Context(), tofu.Teardown{Run: j.Run, Target: j.Target}, nil); err != nil {
		t.Fatalf("Destroy() = %v", err)
	}
	if got := output(t, ledgerOf(o)); got != "" {
		t.Errorf("after Destroy() there is still output of services: %q", got)
	}
}

// output returns what the processes of a ledger have written.
func output(t *testing.T, ledger string) string {
	t.Helper()
	var text strings.Builder
	err := filepath.WalkDir(ledger, func(name string, entry os.DirEntry, err error) error {
		if err != nil || entry.Name() != "stdout.log" {
			return err
		}
		data, err := os.ReadFile(name)
		text.Write(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return text.String()
}
