package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"dec.local/dec/internal/api"
	"dec.local/dec/internal/planspec/planspectest"
)

// beyondTheDisk is a plan that no machine has the disk for: it is right, and cannot
// be taken now.
const beyondTheDisk = `
workload:
  load: {rate: 10000000}
  message: {size: 100KiB}
  stages: {measure: 24h}
  retention_bytes: 900000GiB
limits: {ttl: 48h}
variants: [{label: a, technology: kafka, stack: kraft}]
`

// TestEveryEntranceRefusesAlike gives each refused plan to all entrances: the
// command without and with a server, as a dry run and as a run, and the API, as a
// dry run and as a submission. All must refuse it in the same words.
func TestEveryEntranceRefusesAlike(t *testing.T) {
	t.Parallel()
	alone, served := newInstallation(t), newInstallation(t)
	s := served.serve()
	plans := map[string]string{"more than the disk holds": beyondTheDisk}
	for name, refused := range planspectest.All {
		plans[name] = refused.Plan()
	}
	for name, wrong := range wrongPlans() {
		plans[name] = wrong.plan
	}
	for name, plan := range plans {
		t.Run(name, func(t *testing.T) {
			want := s.refusal(t, "", plan)
			if got := s.refusal(t, "?dry_run=true", plan); got != want {
				t.Errorf("a dry run by POST says\n%s\nand POST says\n%s", got, want)
			}
			for name, w := range map[string]*installation{"without a server": alone, "with a server": served} {
				for _, args := range [][]string{{"run"}, {"run", "--dry-run"}} {
					file := w.file(plan)
					out := w.dec(append(args, file)...)
					if got := complaint(out.stderr, file); out.code == 0 || got != want {
						t.Errorf("dec %v %s (exit %d) says\n%s\nand POST says\n%s", args, name, out.code, got, want)
					}
				}
			}
		})
	}
	for _, path := range []string{alone.data(), filepath.Join(alone.dir, "ledger")} {
		if _, err := os.Stat(path); err == nil {
			t.Errorf("%s exists: something was started", path)
		}
	}
	if list := get[api.Page[api.Experiment]](s, "/experiments"); len(list.Items) > 0 {
		t.Errorf("the server has experiments: %+v", list.Items)
	}
}

// refusal submits a plan that must be refused, and returns what is wrong with it,
// one problem a line.
func (s *server) refusal(t *testing.T, query, plan string) string {
	t.Helper()
	status, body := s.call(http.MethodPost, api.Prefix+"/experiments"+query, "application/yaml", strings.NewReader(plan))
	var problem api.Problem
	if err := json.Unmarshal(body, &problem); err != nil || status < 400 || status >= 500 {
		t.Fatalf("POST%s = %d %.300s (%v), want a refusal", query, status, body, err)
	}
	if len(problem.Errors) == 0 {
		return alike(strings.TrimSuffix(strings.TrimPrefix(problem.Detail, "The body "), "."), s.w.dir)
	}
	var lines []string
	for _, fault := range problem.Errors {
		path := strings.TrimPrefix(strings.TrimPrefix(fault.Location, "body"), ".")
		lines = append(lines, strings.TrimPrefix(path+": "+fault.Message, ": "))
	}
	return strings.Join(lines, "\n")
}

// complaint takes the frame off what the command says of a plan in a file.
func complaint(stderr, file string) string {
	var lines []string
	for line := range strings.Lines(stderr) {
		lines = append(lines, strings.TrimSpace(line))
	}
	text := strings.TrimPrefix(strings.Join(lines, "\n"), "dec: ")
	for _, frame := range []string{fmt.Sprintf("%s was refused; nothing was started:\n", file), file + ": "} {
		text = strings.TrimPrefix(text, frame)
	}
	return alike(strings.TrimSpace(text), filepath.Dir(file))
}

// changing is what a refusal says of the disk, which others use meanwhile.
var changing = regexp.MustCompile(`[0-9.]+ [GM]iB|DIR[^ :;]*`)

// alike takes out of a refusal what differs between two moments and two folders.
func alike(text, dir string) string {
	return changing.ReplaceAllString(strings.ReplaceAll(text, dir, "DIR"), "…")
}
