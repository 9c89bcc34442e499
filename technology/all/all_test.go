package all_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dec.local/dec/internal/registry"
	"dec.local/dec/technology/all"
)

func TestListIsFresh(t *testing.T) {
	want, err := registry.Technologies.Generate("..")
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("all.go")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("all.go is stale: run go generate ./technology/all (-want +got):\n%s", diff)
	}
}

func TestTechnologiesAreWhole(t *testing.T) {
	for _, technology := range all.Technologies() {
		t.Run(technology.Name, func(t *testing.T) {
			if technology.Title == "" || len(technology.ConfigSchema) == 0 || technology.CheckConfig == nil || technology.Open == nil {
				t.Errorf("Technology = %+v, want every field set", technology)
			}
			stacks, err := filepath.Glob(filepath.Join("..", technology.Name, "stacks", "*", "stack.json"))
			if err != nil || len(stacks) == 0 {
				t.Errorf("folder %s has no stacks/*/stack.json, want its name to be that of its folder", technology.Name)
			}
			if _, err := os.Stat(filepath.Join("..", technology.Name, "README.md")); err != nil {
				t.Errorf("technology %s has no README.md", technology.Name)
			}
			for _, program := range technology.Programs {
				if program.Name != technology.Name && !strings.HasPrefix(program.Name, technology.Name+"-") {
					t.Errorf("program %q does not begin with the technology's name: it may be that of another", program.Name)
				}
				if program.Help == "" || program.Run == nil {
					t.Errorf("program %q has no Help or no Run", program.Name)
				}
			}
		})
	}
}
