package tofu_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"

	"dec.local/dec/internal/tofu"
)

// ownTarget is a target whose nodes module uses DEC's own provider.
var ownTarget = fstest.MapFS{"main.tf": {Data: []byte(`
terraform {
  required_providers {
    dec = { source = "dec.local/dec/dec" }
  }
}
variable "run" {}
variable "groups" {}
variable "services" {}
output "addresses" { value = {} }
output "network" { value = {} }
`)}}

// ownBuild is a build of DEC's own provider.
var ownBuild = tofu.Provider{Source: "dec.local/dec/dec", Version: "0.0.0-gtest", Artifacts: true}

// ownProvider changes o to use a build of DEC's own provider that is none.
func ownProvider(t *testing.T, o *tofu.Options) (build string) {
	t.Helper()
	o.Mirror = filepath.Join(t.TempDir(), "mirror")
	o.Targets, o.Providers, o.Artifacts = map[string]tofu.Target{"own": {Nodes: ownTarget}}, []tofu.Provider{ownBuild}, []string{"/opt/artifacts"}
	dir := filepath.Join(o.Mirror, "dec.local", "dec", "dec", ownBuild.Version, runtime.GOOS+"_"+runtime.GOARCH)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	build = filepath.Join(dir, "terraform-provider-dec_v"+ownBuild.Version)
	if err := os.WriteFile(build, []byte("#!/bin/sh\nexit 1\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return build
}

func TestRunIsBoundToAnExactBuildOfTheProvider(t *testing.T) {
	o, log := options(t)
	build := ownProvider(t, &o)
	r := newRunner(t, o)
	j := job(t, nil)
	j.Target = "own"
	// The build is no provider, so that the plan fails; the lock held in init.
	if _, err := r.Provision(t.Context(), j, nil); err == nil || !strings.Contains(err.Error(), "tofu plan") {
		t.Errorf("Provision() = %v, want an error of the plan", err)
	}
	root := filepath.Join(o.Dir, j.Run, "root")
	golden(t, filepath.Join(root, "main.tf.json"), "own_main.tf.json")
	golden(t, filepath.Join(root, ".terraform.lock.hcl"), "own_lock.hcl")

	if err := os.WriteFile(build, []byte("#!/bin/sh\nexit 2\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	before := len(log.attempts)
	j.Run = "r2"
	if _, err := r.Provision(t.Context(), j, nil); err == nil {
		t.Error("Provision() with another build = nil, want an error")
	}
	lock, err := os.ReadFile(filepath.Join(o.Dir, "r2", "root", ".terraform.lock.hcl"))
	if err != nil {
		t.Fatal(err)
	}
	if first, err := os.ReadFile(filepath.Join(root, ".terraform.lock.hcl")); err != nil || string(first) == string(lock) {
		t.Errorf("lock files of two builds are equal, or %v", err)
	}
	if len(log.attempts) == before {
		t.Error("the second run never came to its plan")
	}
}

func TestMissingProviderIsTold(t *testing.T) {
	o, _ := options(t)
	ownProvider(t, &o)
	o.Providers = []tofu.Provider{{Source: ownBuild.Source, Version: "0.0.0-gnone", Artifacts: true}}
	j := job(t, nil)
	j.Target = "own"
	if _, err := newRunner(t, o).Provision(t.Context(), j, nil); err == nil || !strings.Contains(err.Error(), "run 'make setup'") {
		t.Errorf("Provision() = %v, want an error that says what to do", err)
	}
}
