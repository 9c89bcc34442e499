package provider_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dec.local/dec/target/local"
	"dec.local/dec/target/targettest"
)

// nodesRoot is a root module around the nodes module with the groups and
// services, in HCL.
func (f *fixture) nodesRoot(groups, services string) *targettest.Root {
	f.t.Helper()
	files := map[string]string{"main.tf": providers(built.artifacts) + fmt.Sprintf(`
module "nodes" {
  source = "./nodes"
  run = {
    id         = %q
    install    = "install"
    expires_at = %q
    logs       = "/logs"
    cpus       = { broker = [0], agent = [1] }
  }
  groups   = %s
  services = %s
}
`, run, expires, groups, services)}
	maps.Copy(files, targettest.Module(f.t, local.Target))
	return targettest.NewRoot(f.t, targettest.Options{Files: files, Mirror: built.mirror, Environment: f.environment()})
}

func TestNodesGiveAServiceWhatItsNodeHas(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	plan := f.nodesRoot(
		`{ broker = { count = 2, ports = ["client"] }, agent = { count = 1, role = "agent" } }`,
		`{
  broker-1 = { group = "broker", index = 1, command = ["b"], readiness = { port = "client", log = "up" } }
  agent-0  = { group = "agent", index = 0, command = ["a"], lifetime = "task" }
}`).Plan()
	planned := map[string]map[string]any{}
	for _, c := range plan.ResourceChanges {
		planned[c.Address], _ = c.Change.After.(map[string]any)
	}
	number := planned[`module.nodes.dec_port.port["broker-1-client"]`]["number"]
	if number == nil || len(planned) != 4 {
		t.Fatalf("plan = %v, want two ports with numbers and two processes", planned)
	}
	tests := map[string]map[string]any{
		"broker-1": {"cpus": []any{json.Number("0")}, "ready_port": number, "ready_log": "up", "ready_timeout": json.Number("60"), "lifetime": "service"},
		"agent-0":  {"cpus": []any{json.Number("1")}, "ready_port": json.Number("0"), "ready_log": "", "ready_timeout": json.Number("60"), "lifetime": "task"},
	}
	for service, want := range tests {
		address := fmt.Sprintf("module.nodes.dec_process.service[%q]", service)
		want["id"] = run + "-" + service
		want["folder"] = f.ledger.Folder(run + "-" + service)
		want["logs"] = filepath.Join("/logs", service)
		want["tags"] = map[string]any{"dec:install": "install", "dec:run": run, "dec:address": address, "dec:expires-at": expires}
		got := map[string]any{}
		for key := range want {
			got[key] = planned[address][key]
		}
		if diff := cmp.Diff(plain(t, want), plain(t, got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", address, diff)
		}
	}
}

// plain takes numbers for equal that are written the same.
func plain(t *testing.T, v any) string {
	t.Helper()
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestNodesRefuseWhatCannotBe(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ groups, services, want string }{
		"a service on a node too many": {
			`{ a = { count = 1 } }`, `{ a-1 = { group = "a", index = 1, command = ["x"] } }`, "must be on a node that exists"},
		"a service in a group that is not there": {
			`{ a = { count = 1 } }`, `{ b-0 = { group = "b", index = 0, command = ["x"] } }`, "must be on a node that exists"},
		"two ports of the same key": {
			`{ a = { count = 1, ports = ["0-x"] }, a-0 = { count = 1, ports = ["x"] } }`, `{}`, "Duplicate object key"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			fails(t, f.nodesRoot(tt.groups, tt.services), []string{"plan", "-input=false"}, tt.want)
			f.nothing()
		})
	}
}
