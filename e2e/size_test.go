package e2e

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// What a source file may have. A tab counts as four columns.
const (
	maxLines   = 400
	maxColumns = 150
)

// unbounded are source files that nobody edits, and why.
var unbounded = map[string]string{
	"ui/src/api/schema.d.ts": "made of the document of the API",
}

func TestSourceFilesAreShortAndNarrow(t *testing.T) {
	checked, needed := 0, map[string]bool{}
	for _, file := range ownFiles(t) {
		text, err := os.ReadFile(filepath.Join("..", file))
		if err != nil {
			t.Fatal(err)
		}
		if !isSource(file, string(text)) {
			continue
		}
		checked++
		for _, finding := range excess(file, string(text)) {
			if needed[file] = true; unbounded[file] == "" {
				t.Error(finding)
			}
		}
	}
	if checked == 0 {
		t.Error("there is no source file")
	}
	for file := range unbounded {
		if !needed[file] {
			t.Errorf("%s is in the list of exceptions, and needs none: remove it", file)
		}
	}
}

// ownFiles lists the files of the repository without what make installs and builds.
func ownFiles(t *testing.T) []string {
	t.Helper()
	foreign := regexp.MustCompile(`^(\.git|\.tools|\.long|bin|dist|reports|ui/dist|.*node_modules|.*testdata)$`)
	var files []string
	err := filepath.WalkDir("..", func(file string, entry fs.DirEntry, err error) error {
		name := filepath.ToSlash(strings.TrimPrefix(file, "../"))
		switch {
		case err != nil:
			return err
		case foreign.MatchString(name) && entry.IsDir():
			return filepath.SkipDir
		case entry.Type().IsRegular():
			files = append(files, name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// isSource reports whether people write a file, and not as a test. Scripts have no
// ending; their first line tells.
func isSource(file, text string) bool {
	switch name := path.Base(file); path.Ext(name) {
	case ".go":
		return !strings.HasSuffix(name, "_test.go")
	case ".ts", ".tsx":
		return !strings.Contains(name, ".test.")
	case ".css", ".html", ".gohtml", ".tf", ".sql", ".sh", ".py", ".mk":
		return true
	case "":
		return name == "Makefile" || strings.HasPrefix(text, "#!")
	}
	return false
}

// excess tells what a file has too much of.
func excess(file, text string) []string {
	var findings []string
	line := 0
	for content := range strings.Lines(text) {
		line++
		content = strings.ReplaceAll(strings.TrimSuffix(content, "\n"), "\t", "    ")
		if width := utf8.RuneCountInString(content); width > maxColumns {
			findings = append(findings, fmt.Sprintf("%s:%d is %d columns wide: wrap it, %d are allowed", file, line, width, maxColumns))
		}
	}
	if line > maxLines {
		findings = append(findings, fmt.Sprintf("%s:%d is the last line: split the file, %d are allowed", file, line, maxLines))
	}
	return findings
}

func TestExcessIsFound(t *testing.T) {
	wide := strings.Repeat("é", maxColumns)
	tests := map[string]struct {
		text string
		want []string
	}{
		"nothing":        {"", nil},
		"just fits":      {wide + "\n" + "\t" + wide[:2*(maxColumns-4)], nil},
		"one rune more":  {"\n" + wide + "x\n", []string{"f:2 is 151 columns wide: wrap it, 150 are allowed"}},
		"a tab is four":  {"\t" + wide, []string{"f:1 is 154 columns wide: wrap it, 150 are allowed"}},
		"the last line":  {strings.Repeat("\n", maxLines) + "x", []string{"f:401 is the last line: split the file, 400 are allowed"}},
		"all lines full": {strings.Repeat(wide+"\n", maxLines), nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := excess("f", tt.text); !slices.Equal(got, tt.want) {
				t.Errorf("excess() = %q, want %q", got, tt.want)
			}
		})
	}
}
