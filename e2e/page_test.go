package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"dec.local/dec/internal/experiment"
)

// code finds the one-time code in what a server prints at its start.
var code = regexp.MustCompile(`#code=(\S+)`)

// TestPage walks the web page of a real server in a real browser while a run is
// under way: sign-in, list, experiment, the run live, the same after its end.
// DEC_SHOTS names a folder for pictures.
func TestPage(t *testing.T) {
	t.Parallel()
	w := newInstallation(t)
	s := w.serve()
	found := code.FindStringSubmatch(s.lines.text())
	if found == nil {
		t.Fatalf("the server printed no sign-in link:\n%s", s.lines.text())
	}
	id := s.post(strings.Replace(long, "measure: 60s", "measure: 40s", 1))
	s.awaitPhase(id, experiment.PhaseProvision)
	walk := exec.CommandContext(t.Context(), "node", filepath.Join("e2e", "walk.mjs"))
	walk.Dir = filepath.Join("..", "ui")
	walk.Env = append(os.Environ(), "DEC_URL="+s.url, "DEC_CODE="+found[1])
	if out, err := walk.CombinedOutput(); err != nil {
		t.Errorf("the walk: %v\n%s\nthe server said:\n%s", err, out, s.lines.text())
	}
	if out := s.stop(syscall.SIGTERM); out.code != 0 {
		t.Errorf("exit code %d:\n%s", out.code, out.stderr)
	}
	w.assertNothingLeft()
}
