package buildinfo_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestEveryProgramTellsTheStampedVersion builds the programs as a release does.
func TestEveryProgramTellsTheStampedVersion(t *testing.T) {
	dir := t.TempDir()
	for stamp, want := range map[string]string{"": "development", "v1.2.3-test": "v1.2.3-test"} {
		build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-buildvcs=false",
			"-ldflags", "-s -w -X dec.local/dec/internal/buildinfo.version="+stamp, "-o", dir, "./cmd/...")
		build.Dir, build.Env = filepath.Join("..", ".."), append(os.Environ(), "CGO_ENABLED=0") // as make builds: it is compiled already
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("go build: %v\n%s", err, out)
		}
		for _, program := range []string{"dec", "dec-agent", "terraform-provider-dec"} {
			out, err := exec.CommandContext(t.Context(), filepath.Join(dir, program), "version").Output()
			if err != nil {
				t.Errorf("%s version: %v", program, err)
			}
			if got := firstVersion(string(out)); got != want {
				t.Errorf("%s stamped %q prints %q, want %s in it", program, stamp, out, want)
			}
		}
	}
}

// firstVersion returns the second word of "dec v1.2.3 (…)", or the only one.
func firstVersion(out string) string {
	words := strings.Fields(out)
	if len(words) > 1 {
		return words[1]
	}
	return strings.Join(words, "")
}
