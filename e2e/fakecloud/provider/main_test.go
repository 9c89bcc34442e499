package provider_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"dec.local/dec/e2e/fakecloud/cloud"
	"dec.local/dec/e2e/fakecloud/fakecloudtest"
	"dec.local/dec/e2e/fakecloud/provider"
	"dec.local/dec/e2e/fakecloud/simulator"
	"dec.local/dec/internal/supervise"
	"dec.local/dec/target/targettest"
)

// mirror holds the provider, for all tests here.
var mirror string

func TestMain(m *testing.M) {
	supervise.Main(nil)
	flag.Parse()
	dir, err := os.MkdirTemp("", "fakecloud-provider-")
	if err == nil {
		mirror = filepath.Join(dir, "mirror")
		err = targettest.BuildProvider(mirror, provider.Address, "dec.local/dec/e2e/fakecloud/cmd/terraform-provider-fakecloud")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "prepare the tests:", err)
		os.Exit(1)
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		if err := os.RemoveAll(dir); err != nil {
			fmt.Fprintln(os.Stderr, "clean up after the tests:", err)
			code = 1
		}
		os.Exit(code)
	}))
}

const run = "raaaaaaaaa"

// fixture is a cloud of its own.
type fixture struct {
	*fakecloudtest.Cloud
	t *testing.T
}

func newFixture(t *testing.T, faults ...cloud.Fault) *fixture {
	t.Helper()
	c := fakecloudtest.Run(t, simulator.Options{Faults: cloud.Faults{List: faults}})
	return &fixture{c, t}
}

// head is the beginning of every root module here.
const head = `
terraform {
  required_providers {
    fakecloud = { source = "` + provider.Address + `" }
  }
}
provider "fakecloud" {
  artifacts = []
}
locals {
  tags = { "dec:run" = "` + run + `" }
}
`

const network = `
resource "fakecloud_network" "network" {
  name = "` + run + `-network"
  tags = local.tags
}
`

const address = `
resource "fakecloud_address" "node" {
  name       = "` + run + `-broker-0"
  network_id = fakecloud_network.network.id
  ports      = ["peers", "client"]
  tags       = local.tags
}
`

// instance is a resource fakecloud_instance.node that runs a script, with more
// attributes.
func instance(script, more string) string {
	return fmt.Sprintf(`
resource "fakecloud_instance" "node" {
  name       = "%s-broker-0"
  address_id = fakecloud_address.node.id
  user_data  = jsonencode({
    command     = ["/bin/sh", "-c", %q]
    environment = { PORT = tostring(fakecloud_address.node.numbers["client"]) }
    readiness   = { log = "^up" }
    grace       = 1
  })
  tags = local.tags
  %s
}
`, run, script, more)
}

// serving is a service that gets ready.
const serving = "echo up $PORT; exec sleep 600"

// root makes a root module of the resources.
func (f *fixture) root(resources ...string) *targettest.Root {
	f.t.Helper()
	variables := cloud.Environment(f.URL(), time.Minute)
	maps.Copy(variables, f.Credentials())
	var environment []string
	for name, value := range variables {
		environment = append(environment, name+"="+value)
	}
	return targettest.NewRoot(f.t, targettest.Options{
		Files:       map[string]string{"main.tf": head + strings.Join(resources, "")},
		Mirror:      mirror,
		Environment: environment,
	})
}

var (
	apply   = []string{"apply", "-input=false", "-auto-approve"}
	destroy = []string{"destroy", "-input=false", "-auto-approve"}
)

// unchanged checks that a plan finds nothing to do.
func unchanged(t *testing.T, root *targettest.Root) {
	t.Helper()
	if result := root.Run("plan", "-input=false", "-detailed-exitcode"); result.Code != 0 {
		t.Errorf("tofu plan exits with %d, want 0: no changes\n%s", result.Code, result.Output)
	}
}

// fails runs a command that has to fail and to say why.
func fails(t *testing.T, root *targettest.Root, args []string, want ...string) {
	t.Helper()
	result := root.Run(args...)
	if result.Code == 0 {
		t.Errorf("tofu %s succeeded, want it to fail\n%s", args, result.Output)
	}
	flat := strings.Join(strings.Fields(strings.ReplaceAll(result.Output, "│", " ")), " ")
	for _, f := range want {
		if !strings.Contains(flat, f) {
			t.Errorf("tofu %s says\n%s\nwant %q", args, result.Output, f)
		}
	}
}

// objects are those of the cloud, by kind.
func (f *fixture) objects() map[cloud.Kind]cloud.Object {
	f.t.Helper()
	list, err := f.List(f.t.Context())
	if err != nil {
		f.t.Fatalf("List = %v", err)
	}
	objects := map[cloud.Kind]cloud.Object{}
	for _, o := range list {
		objects[o.Kind] = o
	}
	if len(objects) != len(list) {
		f.t.Errorf("List = %+v, want one object of each kind", list)
	}
	return objects
}

// state are the addresses of the state, in order.
func state(root *targettest.Root) []string {
	return slices.Sorted(slices.Values(root.Addresses()))
}

// nothing checks that the cloud is empty, and that its log says so too.
func (f *fixture) nothing() {
	f.t.Helper()
	if left := cloud.Left(f.Log()); len(left) > 0 {
		f.t.Errorf("the log shows as left: %+v", left)
	}
	if got := f.objects(); len(got) > 0 {
		f.t.Errorf("List = %+v, want nothing", got)
	}
}
