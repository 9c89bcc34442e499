package e2e

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
)

// secretive is a plan with a secret option; %s is its value.
const secretive = `
name: secretive
workload:
  load: {rate: 200}
  stages: {warmup: 1s, measure: 15s, drain: 5s}
variants:
  - {label: nats, technology: nats, stack: jetstream, options: {password: %s}}
repeat: 1
` + once

// canary is a secret that can be found.
type canary struct {
	text  string
	forms map[string]string // how it may look, by name
}

func newCanary() canary {
	text := "Canary" + rand.Text()
	return canary{text, map[string]string{
		"as it is": text, "in lower case": strings.ToLower(text),
		"in base64": base64.RawStdEncoding.EncodeToString([]byte(text)), "in hexadecimal": hex.EncodeToString([]byte(text)),
	}}
}

// in reports whether a text has the canary, and in which form.
func (c canary) in(text string) (form string, found bool) {
	for name, form := range c.forms {
		if strings.Contains(text, form) {
			return name, true
		}
	}
	return "", false
}

// absent fails the test when a text has the canary.
func (c canary) absent(t *testing.T, where, text string) {
	t.Helper()
	if form, found := c.in(text); found {
		at := max(0, strings.Index(text, c.forms[form])-150)
		t.Errorf("the secret is, %s, in %s: …%.300s", form, where, text[at:])
	}
}

// TestSecretsStayWhereTheyAreNeeded gives brokers and agents a password and looks
// for it everywhere.
func TestSecretsStayWhereTheyAreNeeded(t *testing.T) {
	t.Parallel()
	before := temporary(t)
	w := newInstallation(t)
	c := newCanary()
	s := w.serve()
	plan := fmt.Sprintf(secretive, c.text)
	t.Run("refused plans", func(t *testing.T) { s.refusals(t, c) })

	id := s.post(plan)
	run := s.awaitPhase(id, experiment.PhaseLoad)
	t.Run("while it runs", func(t *testing.T) {
		s.answers(t, c, id, run)
		commandLines(t, c)
		holders := w.holders(c)
		for path, mode := range holders {
			if mode.Perm() != 0o600 || !strings.HasPrefix(path, filepath.Join(w.dir, "ledger", "processes", run)) {
				t.Errorf("%s (%v) has the secret; only files of the run's services with mode 0600 may", path, mode)
			}
		}
		if len(holders) < 2 {
			t.Errorf("the secret is in %v, want it where the server and the agents read it", holders)
		}
		backup := filepath.Join(w.dir, "backup.db")
		if out := w.dec("backup", backup); out.code != 0 {
			t.Errorf("dec backup = exit %d\n%s", out.code, out.stderr)
		}
	})
	e := s.awaitEnd(id)
	if e.Runs.Succeeded < 1 {
		t.Errorf("the experiment = %+v, want it succeeded", e.Runs)
	}
	t.Run("after its end", func(t *testing.T) {
		s.answers(t, c, id, run)
		s.told(t, c, id)
		s.used(t, run)
		for _, args := range [][]string{{"experiments", "show", id, "--json"}, {"compare", run, "--json"}, {"runs", "show", run, "--json"}, {"runs", "log", run}} {
			out := w.dec(args...)
			if out.code != 0 || out.stdout == "" {
				t.Errorf("dec %v = exit %d\n%s", args, out.code, out.stderr)
			}
			c.absent(t, strings.Join(args, " "), out.stdout+out.stderr)
		}
		for path := range w.holders(c) {
			t.Errorf("%s still has the secret", path)
		}
	})
	out := s.stop(syscall.SIGTERM)
	c.absent(t, "the output of the server", out.stdout+out.stderr)

	t.Run("dec run", func(t *testing.T) { w.runs(t, c, plan) })
	for path := range w.holders(c) {
		t.Errorf("%s has the secret at the end", path)
	}
	for path := range temporary(t) {
		if !before[path] {
			for path := range holders(t, path, c) {
				t.Errorf("%s has the secret", path)
			}
		}
	}
	w.assertNothingLeft()
}

// refusals posts plans that are not run.
func (s *server) refusals(t *testing.T, c canary) {
	for name, tt := range map[string]struct {
		query, plan string
		status      int
	}{
		"dry run":             {"?dry_run=true", fmt.Sprintf(secretive, c.text), http.StatusOK},
		"list":                {"", fmt.Sprintf(secretive, "["+c.text+"]"), http.StatusUnprocessableEntity},
		"object":              {"", fmt.Sprintf(secretive, "{a: "+c.text+"}"), http.StatusUnprocessableEntity},
		"key":                 {"", fmt.Sprintf(secretive, "{"+c.text+": 1}"), http.StatusUnprocessableEntity},
		"refused by the rule": {"", fmt.Sprintf(secretive, `'"`+c.text+`'`), http.StatusUnprocessableEntity},
		"twice":               {"", fmt.Sprintf(secretive, c.text+", password: "+c.text), http.StatusUnprocessableEntity},
		"wrong name":          {"", strings.Replace(fmt.Sprintf(secretive, c.text), "password:", "passwort:", 1), http.StatusUnprocessableEntity},
		"wrong stack":         {"", strings.Replace(fmt.Sprintf(secretive, c.text), "jetstream", "jetstraem", 1), http.StatusUnprocessableEntity},
		"wrong technology":    {"", strings.Replace(fmt.Sprintf(secretive, c.text), "nats, stack", "kafka, stack", 1), http.StatusUnprocessableEntity},
		"wrong place":         {"", strings.Replace(fmt.Sprintf(secretive, c.text), "options:", "client_config:", 1), http.StatusUnprocessableEntity},
		"twice the variant":   {"", strings.Replace(fmt.Sprintf(secretive, c.text), "variants:\n", "variants:\n  - {label: nats, technology: nats, stack: jetstream, options: {password: "+c.text+"}}\n", 1), http.StatusUnprocessableEntity},
		"broken YAML":         {"", fmt.Sprintf(secretive, c.text+", ["), http.StatusUnprocessableEntity},
		"an open quote":       {"", fmt.Sprintf(secretive, "'"+c.text), http.StatusUnprocessableEntity},
		"an alias":            {"", fmt.Sprintf(secretive, "*"+c.text), http.StatusUnprocessableEntity},
		"a merge":             {"", fmt.Sprintf(secretive, "{<<: *"+c.text+"}"), http.StatusUnprocessableEntity},
		"a tag":               {"", fmt.Sprintf(secretive, "!!int "+c.text), http.StatusUnprocessableEntity},
		"another tag":         {"", fmt.Sprintf(secretive, "!!bool "+c.text), http.StatusUnprocessableEntity},
	} {
		status, body := s.call("POST", api.Prefix+"/experiments"+tt.query, "text/yaml", strings.NewReader(tt.plan))
		if status != tt.status {
			t.Errorf("%s: POST = %d %s, want %d", name, status, body, tt.status)
		}
		c.absent(t, "the answer to a plan, "+name, string(body))
	}
	if n := len(get[api.Page[api.Experiment]](s, "/experiments").Items); n != 0 {
		t.Errorf("%d experiments exist", n)
	}
}

// answers looks at every answer of a GET.
func (s *server) answers(t *testing.T, c canary, id, run string) {
	asked := 0
	for _, o := range s.operations(id, run) {
		if o.method != "GET" || strings.HasPrefix(o.path, api.Prefix+"/events") {
			continue
		}
		_, body := s.call("GET", o.path, "", nil)
		c.absent(t, "GET "+o.path, string(body))
		asked++
	}
	for _, path := range []string{"/metrics", "/readyz", "/experiments/" + id, "/"} {
		_, body := s.call("GET", path, "", nil)
		c.absent(t, "GET "+path, string(body))
	}
	if asked < 20 {
		t.Errorf("%d calls were looked at", asked)
	}
}

// told looks at all events of an experiment that has ended.
func (s *server) told(t *testing.T, c canary, id string) {
	s.follow("after=0&experiment="+id, func(e streamed) bool {
		c.absent(t, "event "+e.id, string(e.data))
		return e.event != api.EventBeat // all that is stored comes before
	})
}

// used checks that the run's servers have asked for the password.
func (s *server) used(t *testing.T, run string) {
	var have struct {
		Details map[string]string `json:"details"`
	}
	result := get[measure.Result](s, "/runs/"+run+"/result")
	if err := json.Unmarshal(result.Guarantees, &have); err != nil || have.Details["password"] != "true" {
		t.Errorf("guarantees = %s, %v; want the detail password to be true", result.Guarantees, err)
	}
}

// runs gives the plan to dec run.
func (w *installation) runs(t *testing.T, c canary, plan string) {
	for name, tt := range map[string]struct {
		plan string
		args []string
	}{
		"a run":          {plan, []string{"--json"}},
		"a dry run":      {plan, []string{"--dry-run"}},
		"a refused plan": {fmt.Sprintf(secretive, "["+c.text+"]"), nil},
		"broken YAML":    {fmt.Sprintf(secretive, c.text+", ["), nil},
		"an override":    {fmt.Sprintf(secretive, "other"), []string{"--set", "variants.nats.options.password=[" + c.text}},
	} {
		cmd := w.command(append([]string{"run", "-"}, tt.args...)...)
		cmd.Stdin = strings.NewReader(tt.plan)
		out, err := cmd.CombinedOutput()
		if strings.Contains(name, "run") && err != nil && cmd.ProcessState.ExitCode() != 3 || len(out) == 0 {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
		c.absent(t, "the output of dec run, "+name, string(out))
	}
}

// commandLines looks at those of all processes of the machine.
func commandLines(t *testing.T, c canary) {
	t.Helper()
	paths, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no processes: %v", err)
	}
	for _, path := range paths {
		if line, err := os.ReadFile(path); err == nil { // else it has gone
			c.absent(t, path, string(line))
		}
	}
}

func (w *installation) holders(c canary) map[string]fs.FileMode { return holders(w.t, w.dir, c) }

// holders are the files below a folder that have the canary.
func holders(t *testing.T, dir string, c canary) map[string]fs.FileMode {
	t.Helper()
	found := map[string]fs.FileMode{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			var info fs.FileInfo
			if info, err = entry.Info(); err == nil && info.Size() < 64<<20 { // larger ones are programs
				var content []byte
				if content, err = os.ReadFile(path); err == nil {
					if _, has := c.in(path + "\n" + string(content)); has {
						found[path] = info.Mode()
					}
				}
			}
		}
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
			return nil // it has gone meanwhile, or is not of this test
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// temporary lists the folder of temporary files, but not the folders of tests,
// where this one looks at its own, and of the go command.
func temporary(t *testing.T) map[string]bool {
	t.Helper()
	entries, err := os.ReadDir(os.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]bool{}
	for _, entry := range entries {
		if name := entry.Name(); !strings.HasPrefix(name, "Test") && !strings.HasPrefix(name, "go-build") {
			all[filepath.Join(os.TempDir(), name)] = true
		}
	}
	return all
}
