// Package contributing_test follows CONTRIBUTING.md as a newcomer would, in a copy
// of the repository.
package contributing_test

import (
	"crypto/sha256"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestAddATechnology adds the toy of testdata with the commands that the document
// gives.
func TestAddATechnology(t *testing.T) {
	dir := copyRepository(t)
	before := contents(t, dir)
	if err := os.CopyFS(filepath.Join(dir, "technology", "toy"), os.DirFS("testdata/toy")); err != nil {
		t.Fatal(err)
	}
	if out := run(t, dir, "make -n tools"); !strings.Contains(out, "technology/toy/tools/start") {
		t.Errorf("make tools leaves out what the toy runs:\n%s", out)
	}
	var out string
	for _, command := range commands(t, filepath.Join(dir, "CONTRIBUTING.md"), "Add a technology") {
		out = run(t, dir, strings.ReplaceAll(command, "<name>", "toy"))
	}
	if !strings.Contains(out, "toy/single") || strings.Contains(out, "toy@1.0.0 is not installed") {
		t.Errorf("the last command printed a catalog without a usable toy:\n%s", out)
	}
	if readme, err := os.ReadFile(filepath.Join(dir, "README.md")); err != nil || !strings.Contains(string(readme), "| [Toy](technology/toy/README.md) |") {
		t.Errorf("the table of technologies lacks the toy: %v", err)
	}
	touched := []string{"technology/all/all.go", "README.md", "go.mod", "go.sum"} // the first two by go generate
	after := contents(t, dir)
	for file, content := range after {
		if before[file] == content {
			delete(before, file)
			continue
		}
		delete(before, file)
		if !strings.HasPrefix(file, "technology/toy/") && !slices.Contains(touched, file) {
			t.Errorf("%s was changed, want only the toy's folder, %q to be", file, touched)
		}
	}
	for file := range before {
		t.Errorf("%s was removed", file)
	}
}

// commands are the lines of the first shell block below a heading of a document,
// without their comments.
func commands(t *testing.T, document, heading string) []string {
	t.Helper()
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## "+heading+"\n")
	section, _, _ = strings.Cut(section, "\n## ")
	_, block, _ := strings.Cut(section, "```sh\n")
	block, _, found := strings.Cut(block, "```")
	if !found {
		t.Fatalf("%s has no shell commands below %q", document, heading)
	}
	var lines []string
	for line := range strings.Lines(block) {
		if command, _, _ := strings.Cut(strings.TrimSpace(line), " #"); command != "" {
			lines = append(lines, command)
		}
	}
	return lines
}

// run runs a command in a folder and returns what it printed.
func run(t *testing.T, dir, command string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "bash", "-euc", command)
	cmd.Dir = dir
	for _, variable := range os.Environ() {
		if name, _, _ := strings.Cut(variable, "="); !strings.HasPrefix(name, "MAKE") && name != "MFLAGS" && !strings.HasPrefix(name, "DEC_") {
			cmd.Env = append(cmd.Env, variable)
		}
	}
	// What other tests have built the same way need not be built again.
	cmd.Env = append(cmd.Env, "DEC_DATA="+t.TempDir(), "CGO_ENABLED=0", "GOFLAGS="+os.Getenv("GOFLAGS")+" -trimpath")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", command, err, out)
	}
	return string(out)
}

// notCopied are the paths of what is no part of the repository.
var notCopied = regexp.MustCompile(`^(\.git|\.tools|\.long|bin|dist|reports|ui/node_modules)$`)

// files calls a function with each file of a repository and its path in it.
func files(t *testing.T, root string, each func(file string) error) {
	t.Helper()
	err := filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(root, file)
		switch {
		case err != nil:
			return err
		case notCopied.MatchString(relative) && entry.IsDir():
			return filepath.SkipDir
		case notCopied.MatchString(relative) || !entry.Type().IsRegular():
			return nil
		}
		return each(relative)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// copyRepository copies the repository, with OpenTofu and the built page, but none
// of the technologies' tools.
func copyRepository(t *testing.T) string {
	t.Helper()
	root, dir := "../..", t.TempDir()
	files(t, root, func(file string) error {
		data, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			return err
		}
		info, err := os.Stat(filepath.Join(root, file))
		if err != nil {
			return err
		}
		return write(filepath.Join(dir, file), data, info.Mode())
	})
	programs, err := filepath.EvalSymlinks(filepath.Join(root, ".tools", "bin"))
	if err != nil {
		t.Fatalf("no tools: run make setup (%v)", err)
	}
	if programs, err = filepath.Abs(programs); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, ".tools"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(programs, filepath.Join(dir, ".tools", "bin")); err != nil {
		t.Fatal(err)
	}
	// Written last, they are newer than what the page is made of: make builds none.
	for _, file := range []string{"ui/node_modules/.package-lock.json", "ui/dist/index.html"} {
		page, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			page = []byte("{}")
		}
		if err := write(filepath.Join(dir, file), page, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func write(file string, data []byte, mode fs.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, data, mode)
}

// contents are the checksums of all files of a repository.
func contents(t *testing.T, root string) map[string][sha256.Size]byte {
	t.Helper()
	sums := map[string][sha256.Size]byte{}
	files(t, root, func(file string) error {
		data, err := os.ReadFile(filepath.Join(root, file))
		sums[file] = sha256.Sum256(data)
		return err
	})
	return sums
}
