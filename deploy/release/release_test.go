package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

var at = time.Unix(1_700_000_000, 0).UTC()

func TestVersionsAreChecked(t *testing.T) {
	const changelog = "# Changelog\n\n## Unreleased\n\n## 0.2.0 - 2026-12-01\n\n## 0.1.0\n"
	for version, refusal := range map[string]string{
		"v0.2.0":      "",
		"v0.1.0":      "",
		"v0.3.0-rc.1": "", // a trial
		"v0.3.0":      "no section",
		"v0.2":        "not a version",
		"0.2.0":       "not a version",
		"v0.2.0;ls":   "not a version",
		"":            "not a version",
	} {
		err := checkVersion(version, changelog)
		if (err == nil) != (refusal == "") || err != nil && !strings.Contains(err.Error(), refusal) {
			t.Errorf("checkVersion(%q) = %v, want %q", version, err, refusal)
		}
	}
}

// TestArchiveTellsNothingOfItsMaker packs the same files twice: with other times,
// modes and paths.
func TestArchiveTellsNothingOfItsMaker(t *testing.T) {
	pack := func(mode os.FileMode, age time.Duration) []byte {
		dir := t.TempDir()
		files := map[string]string{}
		for name, content := range map[string]string{"bin/dec": "program", "README.md": "text", "examples/a.yaml": "a"} {
			path := filepath.Join(dir, filepath.Base(name))
			if strings.HasPrefix(name, "bin/") {
				mode |= 0o100
			} else {
				mode &^= 0o111
			}
			write(t, path, content, mode)
			changed := time.Now().Add(-age)
			if err := os.Chtimes(path, changed, changed); err != nil {
				t.Fatal(err)
			}
			files[name] = path
		}
		archive := filepath.Join(dir, "archive.tar.gz")
		if err := writeArchive(archive, "dec", at, files); err != nil {
			t.Fatal(err)
		}
		return read(t, archive)
	}
	first, second := pack(0o600, 0), pack(0o664, time.Hour)
	if !bytes.Equal(first, second) {
		t.Error("the same files give other bytes when their times and modes differ")
	}

	var got []string
	for header := range entries(t, first) {
		if header.Uid != 0 || header.Gid != 0 || header.Uname != "" || !header.ModTime.Equal(at) {
			t.Errorf("%s is of %d:%d %q at %s, want nobody's at %s", header.Name, header.Uid, header.Gid, header.Uname, header.ModTime, at)
		}
		got = append(got, header.FileInfo().Mode().String()+" "+header.Name)
	}
	want := []string{"-rw-r--r-- dec/README.md", "-rwxr-xr-x dec/bin/dec", "-rw-r--r-- dec/examples/a.yaml"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the archive holds (-want +got):\n%s", diff)
	}
}

// TestBuildDependsOnNoFolder builds a program here and from a copy elsewhere, and
// lists what it was made of.
func TestBuildDependsOnNoFolder(t *testing.T) {
	const program = "terraform-provider-dec"
	root := filepath.Join("..", "..")
	elsewhere := t.TempDir()
	copySources(t, root, elsewhere)
	var built [2][]byte
	var bin string
	for i, from := range []string{root, elsewhere} {
		bin = t.TempDir()
		if err := build(t.Context(), from, bin, runtime.GOARCH, "v1.2.3-test", []string{program}); err != nil {
			t.Fatal(err)
		}
		built[i] = read(t, filepath.Join(bin, program))
	}
	if !bytes.Equal(built[0], built[1]) {
		t.Error("the same sources in another folder give another program")
	}
	out, err := exec.CommandContext(t.Context(), filepath.Join(bin, program), "version").Output()
	if err != nil || string(out) != "v1.2.3-test\n" {
		t.Errorf("%s version = %q, %v", program, out, err)
	}

	path := filepath.Join(t.TempDir(), "bom.json")
	if err := writeBOM(path, bin, "v1.2.3-test", at, read(t, "testdata/package-lock.json")); err != nil {
		t.Fatal(err)
	}
	var bom struct {
		Metadata   struct{ Timestamp string }
		Components []struct {
			Purl   string
			Hashes []struct{ Alg, Content string }
		}
	}
	content := read(t, path)
	if err := json.Unmarshal(content, &bom); err != nil {
		t.Fatal(err)
	}
	var listed []string
	for _, c := range bom.Components {
		listed = append(listed, c.Purl)
	}
	for _, want := range []string{"pkg:golang/github.com/hashicorp/terraform-plugin-framework@v", "pkg:golang/std@1.", "pkg:npm/react@19.3.1", "pkg:npm/%40mantine/core@9.7.4"} {
		if !slices.ContainsFunc(listed, func(purl string) bool { return strings.HasPrefix(purl, want) }) {
			t.Errorf("%s… is not listed in %q", want, listed)
		}
	}
	for _, purl := range listed {
		if strings.Contains(purl, "vitest") || strings.Contains(purl, "biome") || strings.Contains(purl, "franz-go") {
			t.Errorf("%s is listed, and is not in the program", purl)
		}
	}
	if bom.Metadata.Timestamp != "2023-11-14T22:13:20Z" {
		t.Errorf("timestamp = %s", bom.Metadata.Timestamp)
	}
	validate(t, content)
}

// validate holds a bill of materials against the schema of CycloneDX.
func validate(t *testing.T, content []byte) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/CycloneDX/cyclonedx-go").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	compiler := jsonschema.NewCompiler()
	const id = "http://cyclonedx.org/schema/"
	for name, pattern := range map[string]string{"bom-1.6.schema.json": "bom-1.6.*.json", "spdx.schema.json": "spdx.*.json", "jsf-0.82.schema.json": "jsf-0.82.*.json"} {
		file := glob(t, filepath.Join(strings.TrimSpace(string(out)), "schema"), pattern)[0]
		schema, err := jsonschema.UnmarshalJSON(bytes.NewReader(read(t, file)))
		if err != nil {
			t.Fatal(err)
		}
		if err := compiler.AddResource(id+name, schema); err != nil {
			t.Fatal(err)
		}
	}
	bom, err := jsonschema.UnmarshalJSON(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile(id + "bom-1.6.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(bom); err != nil {
		t.Errorf("the bill of materials is none: %v", err)
	}
}

// copySources copies what git has or would have of this module.
func copySources(t *testing.T, from, to string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", "ls-files", "--cached", "--others", "--exclude-standard")
	cmd.Dir = from
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("git ls-files: %v", err)
	}
	for name := range strings.Lines(string(out)) {
		name = strings.TrimSpace(name)
		content, err := os.ReadFile(filepath.Join(from, name))
		if os.IsNotExist(err) {
			continue // deleted and not committed yet
		} else if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(to, name), string(content), 0o644)
	}
}

func entries(t *testing.T, archive []byte) func(func(*tar.Header) bool) {
	t.Helper()
	zip, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		t.Fatal(err)
	}
	return func(yield func(*tar.Header) bool) {
		for r := tar.NewReader(zip); ; {
			header, err := r.Next()
			if err == io.EOF {
				return
			} else if err != nil {
				t.Fatal(err)
			}
			if !yield(header) {
				return
			}
		}
	}
}

func glob(t *testing.T, folder, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, pattern))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s in %s: %q, %v", pattern, folder, files, err)
	}
	return files
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func write(t *testing.T, path, content string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
}
