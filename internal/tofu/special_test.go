package tofu_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"dec.local/dec/internal/tofu"
)

// specialStack uses every variable that DEC gives.
var specialStack = fstest.MapFS{
	"s/stacks/all/stack.json": {Data: []byte(`{"title": "All", "description": "", "targets": ["local"], "options": []}`)},
	"s/stacks/all/main.tf": {Data: []byte(`
variable "addresses" { default = {} }
variable "network" { default = {} }
variable "topology" { default = {} }
variable "run" { default = {} }
variable "agent" { default = "" }
variable "ca" { default = {} }
variable "tls" {
  default   = null
  sensitive = true
  ephemeral = true
}
output "groups" { value = { member = { count = 1, ports = ["client"] } } }
output "services" {
  value = { member = { group = "member", index = 0, command = ["/usr/bin/tail", "-f", "/dev/null"], artifacts = { own = var.agent } } }
}
output "secrets" {
  ephemeral = true
  value = { member = { "key.pem" = try(var.tls.key, ""), "certificate.pem" = try(var.tls.certificate, "") } }
}
output "endpoints" { value = { topology = var.topology, run = var.run.id, ca = var.ca } }
`)},
}

// TestStacksGetWhatTheyDeclare provisions a stack that declares every special
// variable, with a bucket that needs credentials.
func TestStacksGetWhatTheyDeclare(t *testing.T) {
	o, _ := localOptions(t)
	o.Stacks, o.Artifacts = specialStack, []string{t.TempDir()}
	if err := os.MkdirAll(filepath.Join(o.Artifacts[0], "dec-agent", "test"), 0o700); err != nil {
		t.Fatal(err)
	}
	r := newRunner(t, o)
	j := job(t, nil)
	j.Target, j.Technology, j.Stack, j.AgentBuild = "local", "s", "all", "dec-agent@test"
	j.Topology = map[string]int{"partitions": 7}
	j.Bucket = json.RawMessage(`{"secret": "` + canary + `"}`)
	j.AgentGroups = map[string]tofu.Group{"producer": {Count: 1, Role: "agent"}}
	j.Agents = map[string]tofu.Service{"producer-0": {Group: "producer", Command: []string{"/usr/bin/tail", "-f", "/dev/null"}}}
	out, err := r.Provision(t.Context(), j, nil)
	if err != nil {
		t.Fatalf("Provision() = %v", err)
	}
	var endpoints struct {
		Topology map[string]int
		Run      string
		CA       struct{ Certificate, Name string }
	}
	if err := json.Unmarshal(out.Endpoints, &endpoints); err != nil {
		t.Fatal(err)
	}
	if endpoints.Topology["partitions"] != 7 || endpoints.Run != j.Run {
		t.Errorf("endpoints = %s, want 7 partitions and run %s", out.Endpoints, j.Run)
	}
	work := func(service, file string) string {
		return filepath.Join(ledgerOf(o), "processes", j.Run+"-"+service, "work", file)
	}
	if _, err := os.Stat(work("member", "own")); err != nil {
		t.Errorf("the artifact of the agent is not there: %v", err)
	}
	key := proves(t, work("member", "certificate.pem"), work("member", "key.pem"), endpoints.CA.Certificate, endpoints.CA.Name)
	if diff := cmp.Diff([]string{work("member", "key.pem")}, holdingText(t, key, o.Dir, ledgerOf(o))); diff != "" {
		t.Errorf("files with the key (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{work("producer-0", tofu.AgentBucketFile)}, holding(t, o.Dir, ledgerOf(o))); diff != "" {
		t.Errorf("files with the credentials of the bucket (-want +got):\n%s", diff)
	}
	if err := r.Destroy(t.Context(), tofu.Teardown{Run: j.Run, Target: j.Target}, nil); err != nil {
		t.Fatalf("Destroy() = %v", err)
	}
	if files := append(holding(t, o.Dir, ledgerOf(o)), holdingText(t, key, o.Dir, ledgerOf(o))...); len(files) > 0 {
		t.Errorf("%q hold a secret after the destroy", files)
	}
}

// proves wants a certificate to be signed by the authority and made out to the
// name, and returns a line of its key.
func proves(t *testing.T, certificate, key, authority, name string) string {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(certificate, key)
	if err != nil {
		t.Fatalf("the services have no identity: %v", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM([]byte(authority)) {
		t.Fatalf("the authority is %q, want a certificate", authority)
	}
	if _, err := pair.Leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: name}); err != nil {
		t.Errorf("clients that trust the authority don't trust the services: %v", err)
	}
	text, err := os.ReadFile(key)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(string(text), "\n")[1]
}
