package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

// proseColumns is the width at which prose wraps.
const proseColumns = 120

// TestProseWraps reads every text in Markdown. Rows of tables may be wider, and so
// may a line that is one word, such as an address.
func TestProseWraps(t *testing.T) {
	var files []string
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/*/*.md", "technology/*/README.md", "target/*/README.md", "ui/*.md", "bench/*.md", ".github/*.md", ".github/*/*.md"} {
		found, err := filepath.Glob(filepath.Join("..", pattern))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	if len(files) < 9 {
		t.Errorf("found only %v", files)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(text), "\n") {
			words := strings.Fields(line)
			if utf8.RuneCountInString(line) > proseColumns && len(words) > 1 && words[0][0] != '|' {
				t.Errorf("%s:%d is %d columns wide, want at most %d", file, i+1, utf8.RuneCountInString(line), proseColumns)
			}
		}
	}
}

// TestPackagesAreOnTheMap looks for every folder of internal in the table of
// ARCHITECTURE.md, and for every entry of the table below internal.
func TestPackagesAreOnTheMap(t *testing.T) {
	text, err := os.ReadFile("../ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "## The packages")
	table, _, _ = strings.Cut(table, "## Imports")
	onMap := map[string]bool{}
	for _, row := range strings.Split(table, "\n") {
		if cells := strings.Split(row, "|"); len(cells) > 3 {
			for _, name := range regexp.MustCompile("`([a-z]+)`").FindAllStringSubmatch(cells[2], -1) {
				onMap[name[1]] = true
			}
		}
	}
	for _, plugIn := range []string{"technology", "target"} {
		delete(onMap, plugIn)
	}
	folders, err := os.ReadDir("../internal")
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range folders {
		if !onMap[folder.Name()] && !strings.HasSuffix(folder.Name(), "test") {
			t.Errorf("internal/%s is not in the table of packages in ARCHITECTURE.md", folder.Name())
		}
		delete(onMap, folder.Name())
	}
	for name := range onMap {
		t.Errorf("ARCHITECTURE.md has a package %s that is not in internal", name)
	}
}

// TestPoliciesInTheDocsAreWhole parses every block of JSON in the operator's manual
// and looks for the words of S3 that must be there.
func TestPoliciesInTheDocsAreWhole(t *testing.T) {
	text, err := os.ReadFile("../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```json\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	if len(blocks) != 4 {
		t.Errorf("there are %d blocks of JSON, want lifecycle rules and three policies", len(blocks))
	}
	actions := map[string]bool{}
	for _, block := range blocks {
		var policy struct {
			Version   string
			Statement []struct {
				Sid, Effect      string
				Principal        string
				Action, Resource any
				Condition        map[string]map[string]string
			}
			Rules []struct {
				ID, Status                     string
				Filter                         struct{ Prefix string }
				Expiration                     struct{ Days int }
				AbortIncompleteMultipartUpload struct{ DaysAfterInitiation int }
			}
		}
		decoder := json.NewDecoder(strings.NewReader(block[1]))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&policy); err != nil {
			t.Errorf("%v in\n%s", err, block[1])
			continue
		}
		for _, rule := range policy.Rules {
			if rule.ID == "" || rule.Status != "Enabled" || rule.Filter.Prefix == "" || rule.Expiration.Days+rule.AbortIncompleteMultipartUpload.DaysAfterInitiation == 0 {
				t.Errorf("lifecycle rule %+v does nothing, or to everything", rule)
			}
		}
		for _, s := range policy.Statement {
			if policy.Version != "2012-10-17" || s.Sid == "" || s.Effect != "Allow" && s.Effect != "Deny" || s.Action == nil || s.Resource == nil || s.Effect == "Deny" && len(s.Condition) == 0 {
				t.Errorf("statement %+v is not whole", s)
			}
			list, ok := s.Action.([]any)
			if !ok {
				list = []any{s.Action}
			}
			for _, action := range list {
				actions[action.(string)] = true
			}
		}
	}
	for _, action := range []string{"s3:ListBucket", "s3:GetObject", "s3:PutObject", "s3:DeleteObject"} {
		if !actions[action] {
			t.Errorf("no policy names %s", action)
		}
	}
}
