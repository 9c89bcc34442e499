package provider_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const canary = "canary-1618033988"

// secretive is a process whose write-only files come from an ephemeral variable.
var secretive = `
variable "secret" {
  type      = string
  default   = null
  sensitive = true
  ephemeral = true
}
` + process("broker-0", "cat token; echo; echo up; exec tail -f /dev/null", `
  files     = { "token" = "none", "open" = "x" }
  files_wo  = { "token" = var.secret }
  ready_log = "^up$"
  environment = { PATH = "/usr/bin:/bin" }
`)

// TestWriteOnlyFilesAreInTheWorkingFolderAlone wants the secret of the apply, not
// of the plan, in the file, and in no plan, state or record.
func TestWriteOnlyFilesAreInTheWorkingFolderAlone(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	root := f.root(secretive)
	root.Setenv("TF_VAR_secret", canary+"-planned")
	root.Plan()
	root.Setenv("TF_VAR_secret", canary)
	root.Must("apply", "-input=false", "plan")
	folder := f.process("broker-0").Folder()
	token := filepath.Join(folder, "work", "token")
	info, err := os.Stat(token)
	if err != nil {
		t.Fatal(err)
	}
	if data, err := os.ReadFile(token); string(data) != canary || err != nil || info.Mode() != 0o600 {
		t.Errorf("the secret file = %q, %v with mode %v, want the secret of the apply with 0600", data, err, info.Mode())
	}
	told := map[string]bool{token: true, filepath.Join(folder, "stdout.log"): true} // the script prints it
	for _, dir := range []string{root.Dir, f.ledger.Dir()} {
		for _, file := range holding(t, dir, canary) {
			if !told[file] {
				t.Errorf("%s holds the secret", file)
			}
		}
	}
	root.Setenv("TF_VAR_secret", "")
	if result := root.Run("plan", "-input=false", "-detailed-exitcode"); result.Code != 0 {
		t.Errorf("a plan with another secret exits with %d, want 0: no changes\n%s", result.Code, result.Output)
	}
	root.Must("destroy", "-input=false", "-auto-approve")
	f.nothing()
	if files := append(holding(t, root.Dir, canary), holding(t, f.ledger.Dir(), canary)...); len(files) > 0 {
		t.Errorf("%q hold the secret after the destroy", files)
	}
	if _, err := os.Stat(token); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("secret file after the destroy: %v, want none", err)
	}
}

func TestNodesRefuseSecretsOfUnknownServices(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	root := f.nodesRoot(`{ a = { count = 1 } }`, `{ a-0 = { group = "a", index = 0, command = ["x"] } }
  secrets = { a-1 = { "token" = "x" } }`)
	fails(t, root, []string{"plan", "-input=false"}, "must be of a service that exists")
}

// holding returns the files below a folder that have a text in them.
func holding(t *testing.T, dir, text string) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(name)
		if strings.Contains(string(data), text) {
			files = append(files, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
