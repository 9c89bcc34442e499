package e2e

import (
	"fmt"
	"testing"
)

// TestTwoDataFoldersMeasureOneAfterTheOther starts two experiments that share a
// machine: the second says that it waits, and for which process.
func TestTwoDataFoldersMeasureOneAfterTheOther(t *testing.T) {
	t.Parallel()
	first := newInstallation(t)
	second := &installation{t: t, dir: first.dir, folder: "other"}
	plan := first.file(fmt.Sprintf(quick, natsVariant) + once)
	p := first.start("run", plan)
	p.awaitLine("provision")
	q := second.start("run", plan)
	q.awaitLine(fmt.Sprintf("waiting: another measurement is under way on this target (process %d)", p.cmd.Process.Pid))
	for _, out := range []outcome{p.wait(), q.wait()} {
		if !out.answered() {
			t.Errorf("dec run = exit %d\n%s", out.code, out.stderr)
		}
	}
	first.assertNothingLeft()
}
