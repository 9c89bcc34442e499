package all_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dec.local/dec/internal/registry"
	"dec.local/dec/target/all"
)

func TestListIsFresh(t *testing.T) {
	want, err := registry.Targets.Generate("..")
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("all.go")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("all.go is stale: run go generate ./target/all (-want +got):\n%s", diff)
	}
}

func TestTargetsAreWhole(t *testing.T) {
	for _, target := range all.Targets() {
		t.Run(target.Name, func(t *testing.T) {
			if target.Nodes == nil {
				t.Fatal("Nodes is nil, want the nodes module")
			}
			if target.Title == "" || target.Open == nil || target.Facts.SweepInterval <= 0 || target.Facts.Slots < 1 {
				t.Errorf("Target = %+v, want every field set", target)
			}
			if _, err := os.Stat(filepath.Join("..", target.Name, "nodes")); err != nil {
				t.Errorf("target %s is not in a folder of its name: %v", target.Name, err)
			}
			if modules, err := fs.Glob(target.Nodes, "*.tf"); err != nil || len(modules) == 0 {
				t.Errorf("Nodes = %q, %v; want a module", modules, err)
			}
			for _, text := range target.Facts.Errors {
				if got := target.Facts.Classify(text.Example); got != text.Class {
					t.Errorf("Classify(%q) = %s, want %s", text.Example, got, text.Class)
				}
			}
		})
	}
}
