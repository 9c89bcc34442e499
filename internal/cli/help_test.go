package cli

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dec.local/dec/target/all"
)

var update = flag.Bool("update", false, "write the golden files anew")

// call runs a command in folders of its own and returns what it left.
func call(t *testing.T, vars map[string]string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	if vars["HOME"] == "" {
		vars["HOME"] = t.TempDir()
	}
	code = Main(t.Context(), &Env{
		Args: args, Stdout: &out, Stderr: &errs, Getenv: func(name string) string { return vars[name] },
		Executable: filepath.Join(vars["HOME"], "bin", "dec"), Targets: all.Targets(),
	})
	return code, out.String(), errs.String()
}

func TestHelp(t *testing.T) {
	commands := []string{
		"", "serve", "run", "experiments", "experiments list", "experiments show", "experiments cancel", "experiments delete",
		"runs", "runs list", "runs show", "runs cancel", "runs log", "runs archive", "compare", "catalog", "doctor", "certify", "calibrate", "inventory", "reconcile", "shutdown",
		"backup", "version",
	}
	for _, command := range commands {
		t.Run(command, func(t *testing.T) {
			code, got, _ := call(t, map[string]string{}, append(strings.Fields(command), "--help")...)
			if code != exitOK {
				t.Errorf("dec %s --help = exit %d", command, code)
			}
			golden := filepath.Join("testdata", "help", strings.TrimPrefix(strings.ReplaceAll(command, " ", "-")+".txt", "."))
			if command == "" {
				golden = filepath.Join("testdata", "help", "dec.txt")
			}
			if *update {
				if err := os.MkdirAll(filepath.Dir(golden), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("dec %s --help (-want +got), write it anew with -update:\n%s", command, diff)
			}
		})
	}
}

func TestHelpTellsOfEveryCommand(t *testing.T) {
	_, help, _ := call(t, map[string]string{}, "--help")
	files, err := filepath.Glob("testdata/help/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		command, _, _ := strings.Cut(strings.TrimSuffix(filepath.Base(file), ".txt"), "-")
		if !strings.Contains(help, command) {
			t.Errorf("dec --help lacks %q", command)
		}
	}
}

func TestReferenceListsTheExitCodes(t *testing.T) {
	text, err := Reference()
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(text, "\n## Exit codes\n")
	table, _, _ = strings.Cut(table, "\n## ")
	for _, code := range []int{exitOK, exitFailed, exitUsage, exitNoVerdict, exitInterrupted} {
		if row := fmt.Sprintf("\n| %d | ", code); strings.Count(table, row) != 1 {
			t.Errorf("the table of exit codes has no single row for %d:\n%s", code, table)
		}
	}
}
