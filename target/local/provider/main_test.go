package provider_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/supervise"
	"dec.local/dec/target"
	"dec.local/dec/target/local"
	"dec.local/dec/target/local/provider"
	"dec.local/dec/target/targettest"
)

// built holds what all tests here use: the provider in a mirror, and the probe
// among the artifacts.
var built struct{ mirror, artifacts string }

func TestMain(m *testing.M) {
	supervise.Main(nil)
	flag.Parse()
	dir, err := os.MkdirTemp("", "provider-test-")
	if err == nil {
		built.mirror, built.artifacts = filepath.Join(dir, "mirror"), filepath.Join(dir, "artifacts")
		err = errors.Join(
			targettest.BuildProvider(built.mirror, provider.Address, "dec.local/dec/cmd/terraform-provider-dec"),
			targettest.BuildProbe(built.artifacts),
		)
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

func TestTarget(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	place, err := local.Target.Open(t.Context(), target.Options{Data: t.TempDir(), Getenv: func(name string) string {
		return map[string]string{local.LedgerVariable: f.ledger.Dir()}[name]
	}})
	if err != nil {
		t.Fatal(err)
	}
	targettest.Suite{Target: local.Target, Place: place, Providers: providers(built.artifacts), Mirror: built.mirror}.Run(t)
	f.nothingLives()
}

const (
	run     = "raaaaaaaaa"
	service = run + "-broker-0"
)

// providers is the head of a root module.
func providers(artifacts string) string {
	return fmt.Sprintf(`
terraform {
  required_providers {
    dec = { source = %q }
  }
}
provider "dec" {
  artifacts = [%q]
}
locals {
  tags = {
    "dec:install"    = "install"
    "dec:run"        = %q
    "dec:expires-at" = %q
  }
}
`, provider.Address, artifacts, run, expires)
}

// expires is when everything of these tests does: the same for all, or else a
// second root module of the same things would not be the same.
var expires = time.Now().Add(time.Hour).UTC().Format(time.RFC3339)

// port is a resource dec_port.port.
const port = `
resource "dec_port" "port" {
  name = "` + run + `-broker-0-client"
  tags = merge(local.tags, { "dec:address" = "dec_port.port" })
}
`

// process is a resource dec_process.<label> that runs a script, with more
// attributes.
func process(label, script, more string) string {
	return fmt.Sprintf(`
resource "dec_process" %[1]q {
  name    = "%[2]s-%[1]s"
  command = ["/bin/sh", "-c", %[3]q]
  tags    = merge(local.tags, { "dec:address" = "dec_process.%[1]s" })
  %[4]s
}
`, label, run, script, more)
}

// fixture is a ledger of its own, with everything in it removed at the end.
type fixture struct {
	t      *testing.T
	ledger *local.Ledger
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	ledger, err := local.Open(filepath.Join(t.TempDir(), "ledger"))
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{t: t, ledger: ledger}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
		defer cancel()
		objects, err := ledger.List(ctx, "")
		for _, o := range objects {
			err = errors.Join(err, ledger.Remove(ctx, o))
		}
		if err != nil {
			t.Errorf("remove what is left: %v", err)
		}
	})
	return f
}

func (f *fixture) environment() []string { return []string{"DEC_LOCAL_LEDGER=" + f.ledger.Dir()} }

// root makes a root module of the resources.
func (f *fixture) root(resources ...string) *targettest.Root {
	f.t.Helper()
	return targettest.NewRoot(f.t, targettest.Options{
		Files:       map[string]string{"main.tf": module(resources...)},
		Mirror:      built.mirror,
		Environment: f.environment(),
	})
}

// module is the content of a root module.
func module(resources ...string) string {
	content := providers(built.artifacts)
	for _, r := range resources {
		content += r
	}
	return content
}

func (f *fixture) list() []experiment.Object {
	f.t.Helper()
	objects, err := f.ledger.List(f.t.Context(), run)
	if err != nil {
		f.t.Fatalf("List(%q) = %v", run, err)
	}
	return objects
}

// process opens a process of the ledger.
func (f *fixture) process(label string) *supervise.Process {
	f.t.Helper()
	p, err := f.ledger.Process(run + "-" + label)
	if err != nil {
		f.t.Fatal(err)
	}
	return p
}

// nothing checks that the ledger is empty and nothing of it lives.
func (f *fixture) nothing() {
	f.t.Helper()
	if got := f.list(); len(got) > 0 {
		f.t.Errorf("List = %+v, want nothing", got)
	}
	f.nothingLives()
}

// eventually waits until a condition holds.
func (f *fixture) eventually(what string, holds func() bool) {
	f.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	ctx, cancel := context.WithTimeout(f.t.Context(), time.Minute)
	defer cancel()
	for !holds() {
		select {
		case <-ctx.Done():
			f.t.Fatalf("waited in vain until %s", what)
		case <-tick.C:
		}
	}
}
