// Package long_test tests the frame of the long checks, in a repository of its own
// with parts that take no time.
package long_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// part has two cases: one counts how often it runs, the other fails while the file
// broken exists.
const part = `#!/bin/bash
# 1 minute: is quick
set -eu
case $1 in
prepare) echo prepared >"$LONG/prepared" ;;
cases) printf '%s\n' 'counts: runs' 'may fail' ;;
run)
	test -e "$LONG/prepared"
	echo "the log of $2"
	[ "$2" = 'counts: runs' ] && echo run >>runs || [ ! -e broken ]
	;;
sum) echo "ran $(wc -l <runs)" ;;
esac
`

// repository is a git repository with the frame and one part.
type repository struct {
	t   *testing.T
	dir string
}

func newRepository(t *testing.T) repository {
	t.Helper()
	r := repository{t, t.TempDir()}
	frame, err := os.ReadFile("../../tools/test-long")
	if err != nil {
		t.Fatal(err)
	}
	r.write("tools/test-long", string(frame))
	r.write("e2e/long/quick", part)
	r.write(".gitignore", "/.long/\n/broken\n/runs\n")
	r.run("git", "init", "--quiet")
	r.commit()
	return r
}

func (r repository) write(name, content string) {
	r.t.Helper()
	path := filepath.Join(r.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o755); err != nil {
		r.t.Fatal(err)
	}
}

func (r repository) commit() {
	r.t.Helper()
	r.run("git", "add", "--all")
	r.run("git", "-c", "user.name=t", "-c", "user.email=t@localhost", "commit", "--quiet", "--allow-empty", "--message", "x")
}

func (r repository) run(name string, args ...string) {
	r.t.Helper()
	cmd := exec.CommandContext(r.t.Context(), name, args...)
	cmd.Dir = r.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		r.t.Fatalf("%s %s: %v\n%s", name, args[0], err, out)
	}
}

// long runs the frame, and fails unless it ends with code and says each text.
func (r repository) long(env string, code int, says ...string) {
	r.t.Helper()
	cmd := exec.CommandContext(r.t.Context(), "tools/test-long", "quick")
	cmd.Dir, cmd.Env = r.dir, append(os.Environ(), env)
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		r.t.Fatal(err)
	}
	if got := cmd.ProcessState.ExitCode(); got != code {
		r.t.Errorf("test-long quick = exit %d, want %d:\n%s", got, code, out)
	}
	for _, text := range says {
		if !strings.Contains(string(out), text) {
			r.t.Errorf("test-long quick does not say %q:\n%s", text, out)
		}
	}
}

func TestEveryPartIsListed(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "../../tools/test-long").Output()
	if err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if strings.HasSuffix(file.Name(), ".go") {
			continue
		}
		if !strings.Contains(string(out), "PART="+file.Name()+" ") {
			t.Errorf("%s is not listed; is it executable?\n%s", file.Name(), out)
		}
	}
	if strings.Count(string(out), " minutes: ") != strings.Count(string(out), "\n") {
		t.Errorf("each part must say in its second line how many minutes it takes:\n%s", out)
	}
}

func TestWhatPassedIsNotRunAgainOnTheSameCommit(t *testing.T) {
	r := newRepository(t)
	r.write("broken", "")
	r.long("", 1, "1 passed, 1 failed, 0 left", "the log of may fail", ".long/quick/logs/may_fail.log")
	if err := os.Remove(filepath.Join(r.dir, "broken")); err != nil {
		t.Fatal(err)
	}
	r.long("", 0, "2 passed, 0 failed, 0 left", "ran 1")
	r.long("FRESH=1", 0, "2 passed", "ran 2")
	r.commit()
	r.long("", 0, "2 passed", "ran 3")
	r.write("e2e/long/quick", part+"# changed and not committed\n")
	r.long("", 0, "2 passed", "ran 4")
	r.long("", 0, "2 passed", "ran 4")
	r.write("new_test.go", "package new\n") // which git does not know yet
	r.long("", 0, "2 passed", "ran 5")
	r.long("", 0, "2 passed", "ran 5")
}

func TestNoCaseBeginsWhenTheTimeIsOver(t *testing.T) {
	r := newRepository(t)
	r.long("LONG_MINUTES=0", 3, "0 passed, 0 failed, 2 left", "run the remaining cases with: make test-long PART=quick")
	r.long("", 0, "2 passed, 0 failed, 0 left")
}

func TestTooLittleInSumFails(t *testing.T) {
	r := newRepository(t)
	r.write("e2e/long/quick", strings.Replace(part, "sum) ", "sum) false; ", 1))
	r.long("", 1, "2 passed, 1 failed")
}
